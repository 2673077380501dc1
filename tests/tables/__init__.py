"""Tests of `inbox.tables`."""
