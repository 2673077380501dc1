"""The stand-ins are held against what was observed on the real ones."""
