"""Signatures of a provider's tokens: the algorithm is chosen from our list, the key by its id."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from joserfc import jws
from joserfc.errors import JoseError

from inbox.sign_in.oidc.provider_keys import ProviderKeys
from inbox.sign_in.refusal import SignInRefused

ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
)
"""Signatures by a private key: neither `none`, nor a shared secret that a public key could be."""
_LONGEST: Final = 32_000
LEEWAY_SECONDS: Final = 30
"""How far the clocks of two machines that keep the time may be apart."""


@dataclass(frozen=True, kw_only=True)
class SignedToken:
    """A token whose signature is the provider's; what it says is still to be checked."""

    header: Mapping[str, object]
    claims: Mapping[str, object]
    algorithm: str

    def text(self, name: str) -> str | None:
        """A claim that is a text, and not an empty one."""
        value = self.claims.get(name)
        return value if isinstance(value, str) and value else None

    def moment(self, name: str) -> int | None:
        """A claim that is a time, in seconds."""
        value = self.claims.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return int(value) if 0 <= value < 1 << 40 else None


def read_signed(token: object, keys: ProviderKeys) -> SignedToken:
    """Verify a token in compact form. Raises `SignInRefused`, and `ProviderAway` for the keys."""
    if not isinstance(token, str) or not token.isascii() or len(token) > _LONGEST:
        raise SignInRefused("sign_in.token_shape")
    header = _part(token.split(".")[0])
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise SignInRefused("sign_in.token_algorithm", "not a signature by a private key")
    if "crit" in header:
        raise SignInRefused("sign_in.token_shape", "it demands what we do not know")
    key = keys.key_for(header.get("kid"), algorithm)
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = 4096
    try:
        verified = jws.deserialize_compact(token, key, registry=registry)
    except (JoseError, ValueError, TypeError):
        # Without the cause: its text may hold what the token says.
        raise SignInRefused("sign_in.token_signature") from None
    return SignedToken(header=header, claims=_object(verified.payload or b""), algorithm=algorithm)


def check_issued(token: SignedToken, *, issuer: str, client_id: str, now: int) -> None:
    """Whose token it is, for whom, and from when. Raises `SignInRefused`."""
    if token.claims.get("iss") != issuer:
        raise SignInRefused("sign_in.token_issuer")
    audience = token.claims.get("aud")
    if audience not in (client_id, [client_id]):
        raise SignInRefused("sign_in.token_audience", "not for us, or not for us alone")
    if token.claims.get("azp", client_id) != client_id:
        raise SignInRefused("sign_in.token_audience", "another asked for it")
    issued, not_before = token.moment("iat"), token.claims.get("nbf", 0)
    if issued is None or issued > now + LEEWAY_SECONDS:
        raise SignInRefused("sign_in.token_early", "from the future, or from no time")
    if not isinstance(not_before, int | float) or not_before > now + LEEWAY_SECONDS:
        raise SignInRefused("sign_in.token_early", "not valid yet")


def _part(text: str) -> Mapping[str, object]:
    try:
        return _object(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        raise SignInRefused("sign_in.token_shape") from None


def _object(raw: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise SignInRefused("sign_in.token_shape", "no JSON object")
    return found
