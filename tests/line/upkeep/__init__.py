"""Upkeep of what is stored: keys that are rotated."""
