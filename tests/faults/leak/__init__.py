"""Confidential words, searched for in everything that the program leaves behind."""
