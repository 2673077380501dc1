"""`inbox policy`: who may do what."""
