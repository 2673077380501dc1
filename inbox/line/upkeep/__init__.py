"""What the worker does beside the line: looks for damage, and mends what a wrong clock wrote."""
