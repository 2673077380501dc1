"""What must hold when the line is killed, raced, cut off or searched."""
