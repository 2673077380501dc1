"""The simulator's identity provider, met by an independent client and by its own tests."""
