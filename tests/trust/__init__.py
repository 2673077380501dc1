"""Tests of `inbox.trust`."""
