"""`inbox sandbox`: made-up mail for a vendor's case system, and words about each of its calls."""
