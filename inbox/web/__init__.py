"""The HTTP interfaces: the case systems' API and the operators' pages. Closed by default."""
