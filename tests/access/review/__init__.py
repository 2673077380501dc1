"""Tests of `inbox.access.review`."""
