"""What waits, looked up: by the ids of senders, and as far as a person may know of it."""
