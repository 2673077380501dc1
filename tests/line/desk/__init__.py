"""What the pages of those who distribute read."""
