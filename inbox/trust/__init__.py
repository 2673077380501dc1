"""Which signatures are trusted: a folder of certificates, and the fetched revocation lists."""
