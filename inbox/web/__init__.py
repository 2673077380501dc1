"""The HTTP faces: the case systems' API, and the listener of the operators. Closed by default."""
