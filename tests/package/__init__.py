"""Tests of opening packages; `tests/packages.py` makes the good and the bad ones."""
