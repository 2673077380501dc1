"""The pages of the people of a unit: their lists, what is in a message, sharing out the work."""
