"""The parts of what is said about one message: lamps, history, files, verdict, marks."""
