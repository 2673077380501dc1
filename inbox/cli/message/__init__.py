"""`inbox message`: where messages are, holds and notes."""
