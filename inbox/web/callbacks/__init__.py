"""What machines on the internet call: no page, no session, small bodies; off unless it is set."""
