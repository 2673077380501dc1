"""The pages that people use: in process, and in a real browser."""
