"""Single checks of an ID token, each with everything else in order."""

from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from inbox.sign_in.oidc.id_token import SignedInWord, read_id_token
from inbox.sign_in.oidc.provider_keys import ProviderKeys
from inbox.sign_in.oidc.provider_terms import ClientSecret, ProviderKind, ProviderTerms
from inbox.sign_in.refusal import SignInRefused

KEY = RSAKey.generate_key(2048, {"kid": "theirs"})
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
TERMS = ProviderTerms(
    name="p",
    title="p",
    kind=ProviderKind.KEYCLOAK,
    issuer="https://i.example",
    client_id="inbox",
    proof=ClientSecret(value="x"),
)
RIGHT = {
    "iss": "https://i.example",
    "aud": "inbox",
    "sub": "anne",
    "nonce": "n",
    "iat": SECONDS,
    "exp": SECONDS + 60,
}


def read(header: dict[str, object] | None = None, **changes: object) -> SignedInWord:
    claims = {name: value for name, value in {**RIGHT, **changes}.items() if value is not None}
    token = jwt.encode({"alg": "RS256", "kid": "theirs", **(header or {})}, claims, KEY)
    keys = ProviderKeys(lambda: {"keys": [KEY.as_dict(private=False)]})
    return read_id_token({"id_token": token}, TERMS, keys, nonce="n", now=NOW)


def test_token_in_order_is_believed() -> None:
    assert read().subject == ("anne",)


@pytest.mark.parametrize(
    ("claim", "value", "code"),
    [
        ("exp", SECONDS - 31, "sign_in.token_expired"),
        ("exp", None, "sign_in.token_expired"),
        ("iat", SECONDS - 601, "sign_in.token_expired"),
        ("iat", SECONDS + 31, "sign_in.token_early"),
        ("iat", None, "sign_in.token_early"),
        ("nbf", SECONDS + 31, "sign_in.token_early"),
        ("iss", "https://i.example/", "sign_in.token_issuer"),
        ("aud", ["inbox", "other"], "sign_in.token_audience"),
        ("azp", "other", "sign_in.token_audience"),
        ("sub", "", "sign_in.token_subject"),
        ("sub", "a" * 256, "sign_in.token_subject"),
        ("nonce", None, "sign_in.token_nonce"),
        ("at_hash", "x", "sign_in.token_access"),
    ],
)
def test_token_with_one_wrong_claim_is_refused(claim: str, value: Any, code: str) -> None:
    with pytest.raises(SignInRefused) as refused:
        read(**{claim: value})

    assert refused.value.code == code


@pytest.mark.parametrize("typ", ["logout+jwt", "at+jwt"])
def test_token_of_another_kind_is_refused_as_an_id_token(typ: str) -> None:
    with pytest.raises(SignInRefused):
        read({"typ": typ})
