"""Two or more at the same thing: moves, workers, suspended workers."""
