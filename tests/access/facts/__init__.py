"""Tests of `inbox.access.facts`."""
