"""Tests of `inbox.access.policy`."""
