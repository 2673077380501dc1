"""The directory as files: rows, read strictly from TOML or from a folder of CSV."""
