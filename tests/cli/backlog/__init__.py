"""What waits for people, on the command line: seen, found by the sender's id, and settled."""
