"""Tests of how an installation begins: files, first people, disks, the documentation."""
