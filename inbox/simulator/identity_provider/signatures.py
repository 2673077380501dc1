"""JSON Web Signatures by hand, so that the provider can also sign what no library would.

`RS256`, `ES256` and, for key confusion, `HS256` (RFC 7515, RFC 7518). A JWT is three parts in
base64url without padding: header, claims, and the signature over the first two with their dot.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

Claims = dict[str, Any]
_COORDINATE_BYTES = 32
"""P-256: both halves of a signature and both coordinates of a point have this length."""


class InvalidToken(Exception):
    """Not a token, or not signed by that key."""


def base64url(raw: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes, or InvalidToken."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidToken("base64url") from error


def at_hash_of(access_token: str) -> str:
    """The left half of its SHA-256 (OIDC Core, section 3.1.3.6)."""
    return base64url(hashlib.sha256(access_token.encode()).digest()[:16])


def _part(value: Mapping[str, object]) -> str:
    return base64url(json.dumps(value, separators=(",", ":")).encode())


def unsigned(header: Mapping[str, object], claims: Mapping[str, object]) -> str:
    """With `alg: none` and an empty signature."""
    return f"{_part({**header, 'alg': 'none'})}.{_part(claims)}."


@dataclass(frozen=True, kw_only=True)
class ProviderKey:
    """A private key and the name it is published under."""

    kid: str
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    @property
    def algorithm(self) -> str:
        """`RS256` or `ES256`."""
        return "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "ES256"

    def public_jwk(self, *, use: str = "sig") -> dict[str, str]:
        """As it stands in the JWKS."""
        return {
            **public_members(self.private.public_key()),
            "kid": self.kid,
            "use": use,
            "alg": self.algorithm,
        }

    def public_pem(self) -> bytes:
        """The public key as PEM: what a confused verifier takes for a shared secret."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, header: Mapping[str, object], claims: Mapping[str, object]) -> str:
        """A JWT with this header; nothing is added to it."""
        signed = f"{_part(header)}.{_part(claims)}"
        if isinstance(self.private, rsa.RSAPrivateKey):
            signature = self.private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        else:
            first, second = decode_dss_signature(
                self.private.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
            )
            signature = b"".join(n.to_bytes(_COORDINATE_BYTES, "big") for n in (first, second))
        return f"{signed}.{base64url(signature)}"

    def sign_with_public_key(
        self, header: Mapping[str, object], claims: Mapping[str, object]
    ) -> str:
        """With `HS256` under the public key, which everybody has."""
        signed = f"{_part({**header, 'alg': 'HS256'})}.{_part(claims)}"
        signature = hmac.new(self.public_pem(), signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{base64url(signature)}"


def public_members(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> dict[str, str]:
    """The members of a JWK that are the key itself (RFC 7518, section 6)."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
    point = key.public_numbers()
    x, y = (base64url(n.to_bytes(_COORDINATE_BYTES, "big")) for n in (point.x, point.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def _number(value: int) -> str:
    return base64url(value.to_bytes(-(-value.bit_length() // 8), "big"))


def read_token(token: str) -> tuple[Claims, Claims]:
    """Header and claims, not verified."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        raise InvalidToken("parts")
    try:
        header, claims = (json.loads(from_base64url(part)) for part in parts[:2])
    except ValueError as error:
        raise InvalidToken("json") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise InvalidToken("object")
    return header, claims


def verify(token: str, jwk: Mapping[str, object]) -> Claims:
    """The claims of a token that this key has signed, by the algorithm that belongs to the key.

    The header chooses nothing: it must name the algorithm of the key.
    """
    header, claims = read_token(token)
    signed, _, signature = token.rpartition(".")
    raw = from_base64url(signature)
    try:
        if jwk.get("kty") == "RSA" and header.get("alg") == "RS256":
            public = rsa.RSAPublicNumbers(_integer(jwk, "e"), _integer(jwk, "n")).public_key()
            public.verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        elif jwk.get("kty") == "EC" and header.get("alg") == "ES256":
            _verify_elliptic(raw, signed, jwk)
        else:
            raise InvalidToken("algorithm")
    except (InvalidSignature, ValueError) as error:
        raise InvalidToken("signature") from error
    return claims


def _verify_elliptic(raw: bytes, signed: str, jwk: Mapping[str, object]) -> None:
    if len(raw) != 2 * _COORDINATE_BYTES:
        raise InvalidToken("signature")
    halves = (raw[:_COORDINATE_BYTES], raw[_COORDINATE_BYTES:])
    first, second = (int.from_bytes(half, "big") for half in halves)
    numbers = ec.EllipticCurvePublicNumbers(_integer(jwk, "x"), _integer(jwk, "y"), ec.SECP256R1())
    numbers.public_key().verify(
        encode_dss_signature(first, second), signed.encode(), ec.ECDSA(hashes.SHA256())
    )


def _integer(jwk: Mapping[str, object], member: str) -> int:
    return int.from_bytes(from_base64url(str(jwk.get(member, ""))), "big")
