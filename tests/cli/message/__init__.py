"""Commands about messages: where they are, whose, and what is noted of them."""
