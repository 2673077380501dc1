"""What `inbox doctor` finds."""
