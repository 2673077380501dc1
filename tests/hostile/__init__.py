"""Packages made by seed: hostile ones that must be refused, genuine ones that must not be."""
