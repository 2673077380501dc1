"""Tests of `inbox.line.access`."""
