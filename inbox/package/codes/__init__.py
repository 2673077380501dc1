"""The codes with which a message is quarantined, and what each means in three languages."""
