"""Strict readers of the files that people write: one refusal, which names file and line."""
