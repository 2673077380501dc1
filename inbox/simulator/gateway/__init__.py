"""A simulated integrasjonspunkt, as strict and as awkward as the real one."""
