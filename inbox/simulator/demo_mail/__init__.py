"""The made-up mail of the demo, what must become of each message, and who judges it."""
