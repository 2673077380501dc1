"""Neighbours, disks and databases that are slow, wrong or away, and what must hold then."""
