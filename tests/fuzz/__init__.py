"""Tries to break the readers of packages with made-up input (`make fuzz`)."""
