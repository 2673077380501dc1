"""Tests of directories: files, changes, imports, and what follows from them."""
