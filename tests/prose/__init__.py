"""The words of the repository: pages, docstrings, comments and the glossary."""
