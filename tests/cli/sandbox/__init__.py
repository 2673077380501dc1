"""The sandbox for vendors: its words, its trials of receivers, and the whole program."""
