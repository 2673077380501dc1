"""Tests of what is told to case systems."""
