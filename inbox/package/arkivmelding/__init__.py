"""Reads arkivmelding.xml and manifest.xml, and finds the documents they name."""
