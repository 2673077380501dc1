"""Whose signatures are believed: a folder, and the revocation lists that were fetched."""
