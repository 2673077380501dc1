"""Tests of sign-in: sessions, identities, providers, and what attackers try."""
