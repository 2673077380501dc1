"""Tests of `inbox.package.signature`."""
