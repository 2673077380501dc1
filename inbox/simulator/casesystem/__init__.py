"""A simulated case system: takes deliveries by webhook or pull, registers them, answers."""
