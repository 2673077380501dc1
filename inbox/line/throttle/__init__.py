"""How much is done at once, and how fast: long transfers, calls to case systems, erasures."""
