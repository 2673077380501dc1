"""Routing: finds the unit of a message from its metadata alone.

It uses no titles, names or content, and no I/O.
"""
