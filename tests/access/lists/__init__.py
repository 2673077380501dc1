"""Tests of `inbox.access.lists`."""
