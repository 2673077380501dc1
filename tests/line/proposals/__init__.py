"""Tests of `inbox.line.proposals`."""
