"""`inbox package`: look at a document package in hand, or make one."""
