"""Tests of `inbox.strict`."""
