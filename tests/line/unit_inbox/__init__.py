"""What the pages of handlers and leaders read."""
