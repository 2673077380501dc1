"""Tests of `inbox.access.files`."""
