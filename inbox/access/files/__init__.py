"""Policies as files and as versions: read strictly, proved, and kept in the database."""
