"""The faces of the product over HTTP: the case systems' API, and the operators' listener."""
