"""OpenID Connect as a service sees it: a provider's addresses, keys and tokens; what is strong."""
