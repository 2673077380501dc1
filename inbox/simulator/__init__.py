"""Stand-ins for the neighbours, in the real wire formats; imports nothing from the product."""
