"""Tests of `inbox.line.moves`."""
