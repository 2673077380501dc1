"""Tests of need to know."""
