"""Tests of `inbox.package.zip`."""
