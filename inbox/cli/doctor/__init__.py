"""`inbox doctor`: checks everything that can keep mail from arriving."""
