"""Verifies the ASiC manifest, the CMS signature over it, and the certificate path of its signer."""
