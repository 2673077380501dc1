"""Tests of opening packages; `tests/package_builder.py` makes the good and the bad ones."""
