"""Document packages, envelopes, certificates and signatures in the neighbours' formats."""
