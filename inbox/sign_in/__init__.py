"""Who signs in: providers, identities, strength of a sign-in, sessions. It knows no web framework.

A provider's word says who somebody is; what that person may do stands in our own rows.
"""
