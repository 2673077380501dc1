"""Finds the unit a message is for, from metadata alone: no title, no names, no content, no I/O."""
