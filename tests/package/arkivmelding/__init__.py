"""Tests of `inbox.package.arkivmelding`."""
