"""How we show a provider's token endpoint who we are: a secret, or an assertion that we sign."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from inbox.errors import ConfigurationError
from inbox.sign_in.oidc.discovery import ProviderMetadata
from inbox.sign_in.oidc.provider_terms import (
    AssertionAudience,
    ClientKey,
    ClientSecret,
    ProviderTerms,
)
from inbox.sign_in.tokens import new_token

ASSERTION_SECONDS: Final = 100
"""Digdir's providers take none that lives for longer than 120 seconds."""
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


def prove(
    terms: ProviderTerms, metadata: ProviderMetadata, now: datetime
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The fields of the form, and the headers, that say who we are."""
    if isinstance(terms.proof, ClientSecret):
        return _with_secret(terms.client_id, terms.proof, metadata)
    assertion = _assertion(terms, terms.proof, metadata, now)
    fields = {
        "client_id": terms.client_id,
        "client_assertion_type": _ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    return fields, {}


def _with_secret(
    client_id: str, secret: ClientSecret, metadata: ProviderMetadata
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """In a header (RFC 6749 2.3.1), unless the provider takes it in the form alone."""
    methods = metadata.token_auth_methods
    if "client_secret_post" in methods and "client_secret_basic" not in methods:
        return {"client_id": client_id, "client_secret": secret.value}, {}
    pair = f"{quote(client_id, safe='')}:{quote(secret.value, safe='')}"
    return {}, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _assertion(
    terms: ProviderTerms, proof: ClientKey, metadata: ProviderMetadata, now: datetime
) -> str:
    key, issued = read_private_key(proof.pem), int(now.timestamp())
    algorithm = "RS256" if isinstance(key, RSAKey) else _ALGORITHMS[str(key.get("crv"))]
    header: dict[str, object] = {"alg": algorithm}
    if proof.key_id is not None:
        header["kid"] = proof.key_id
    if proof.certificate_pem is not None:
        header["x5t#S256"] = certificate_thumbprint(proof.certificate_pem)
    is_issuer = proof.audience is AssertionAudience.ISSUER
    claims: dict[str, object] = {
        "iss": terms.client_id,
        "sub": terms.client_id,
        "aud": terms.issuer if is_issuer else metadata.token_endpoint,
        "iat": issued,
        "exp": issued + ASSERTION_SECONDS,
        "jti": new_token(),
    }
    return jwt.encode(header, claims, key, algorithms=[algorithm])


def read_private_key(pem: bytes) -> RSAKey | ECKey:
    """Our private key. Raises `ConfigurationError`, which says nothing of the key."""
    for kind in (RSAKey, ECKey):
        try:
            key = kind.import_key(pem)
        except (JoseError, ValueError, TypeError):
            continue
        if key.is_private:
            return key
    raise ConfigurationError("config.provider_key", "the file holds no private RSA or EC key (PEM)")


def certificate_thumbprint(pem: bytes) -> str:
    """The SHA-256 thumbprint of a certificate, as a token names it. Raises `ConfigurationError`."""
    try:
        der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    except ValueError:
        raise ConfigurationError("config.provider_key", "the file holds no certificate") from None
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
