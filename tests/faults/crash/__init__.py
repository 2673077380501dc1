"""Processes, system calls, power and databases cut off at every point."""
