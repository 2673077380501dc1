"""The provider's keys: one of each algorithm signs, older ones stay published for a while."""

import secrets

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from inbox.simulator.identity_provider.signatures import (
    Claims,
    InvalidToken,
    ProviderKey,
    read_token,
    verify,
)


def new_key(algorithm: str) -> ProviderKey:
    """A fresh key under a random name."""
    kid = secrets.token_urlsafe(12)
    if algorithm == "ES256":
        return ProviderKey(kid=kid, private=ec.generate_private_key(ec.SECP256R1()))
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ProviderKey(kid=kid, private=private)


class ProviderKeyring:
    """Newest first; the caller holds the lock."""

    ALGORITHMS = ("RS256", "ES256")

    def __init__(self) -> None:
        self._keys = [new_key(algorithm) for algorithm in self.ALGORITHMS]
        self._retired: list[ProviderKey] = []

    def rotate(self) -> None:
        """From now on new keys sign; the old ones stay published."""
        self._keys = [*(new_key(algorithm) for algorithm in self.ALGORITHMS), *self._keys]

    def drop_old(self) -> None:
        """Publish only those that sign now."""
        count = len(self.ALGORITHMS)
        self._keys, self._retired = self._keys[:count], [*self._keys[count:], *self._retired]

    def signing(self, algorithm: str) -> ProviderKey:
        """The key that signs now."""
        return next(key for key in self._keys if key.algorithm == algorithm)

    def published(self) -> list[ProviderKey]:
        """What stands in the JWKS."""
        return list(self._keys)

    def claims_of(self, token: str) -> Claims:
        """The claims of a token that was signed here, whenever that was; InvalidToken if not."""
        kid = read_token(token)[0].get("kid")
        for key in (*self._keys, *self._retired):
            if key.kid == kid:
                return verify(token, key.public_jwk())
        raise InvalidToken("kid")
