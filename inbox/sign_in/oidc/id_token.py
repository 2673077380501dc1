"""The ID token of a sign-in (OpenID Connect Core 3.1.3.7): checked before a claim is believed."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from inbox.sign_in.oidc.provider_keys import ProviderKeys
from inbox.sign_in.oidc.provider_terms import SUBJECT_CLAIMS, ProviderKind, ProviderTerms
from inbox.sign_in.oidc.signed_tokens import LEEWAY_SECONDS, SignedToken, check_issued, read_signed
from inbox.sign_in.refusal import SignInRefused

_OLDEST_SECONDS: Final = 600
"""A token is made for the sign-in that fetches it: one that was kept for long is not."""
_LONGEST_SUBJECT: Final = 255
_DIGESTS: Final = {"256": "sha256", "384": "sha384", "512": "sha512"}


@dataclass(frozen=True, kw_only=True)
class SignedInWord:
    """What a provider has said of somebody, after all checks."""

    subject: tuple[str, ...] = field(repr=False)
    """The values of the claims that name a person at this kind of provider."""
    sub: str = field(repr=False)
    session: str | None = field(repr=False)
    """The provider's own session (`sid`), by which it can end ours."""
    claims: Mapping[str, object] = field(repr=False)
    """All of them, for the table of what is strong."""
    authenticated_at: datetime | None


def read_id_token(
    answer: Mapping[str, object],
    terms: ProviderTerms,
    keys: ProviderKeys,
    *,
    nonce: str,
    now: datetime,
) -> SignedInWord:
    """Read the ID token in the answer of a token endpoint.

    Raises `SignInRefused`, and `ProviderAway` where the provider's keys cannot be had.
    """
    token, seconds = read_signed(answer.get("id_token"), keys), int(now.timestamp())
    if token.header.get("typ", "JWT") not in {"JWT", "jwt"}:
        raise SignInRefused("sign_in.token_shape", "a token of another kind")
    check_issued(token, issuer=terms.issuer, client_id=terms.client_id, now=seconds)
    _check_age(token, seconds)
    if not hmac.compare_digest((token.text("nonce") or "").encode(), nonce.encode()):
        raise SignInRefused("sign_in.token_nonce", "made for another sign-in")
    _check_access_token(token, answer.get("access_token"))
    sub = token.text("sub")
    if sub is None or len(sub) > _LONGEST_SUBJECT:
        raise SignInRefused("sign_in.token_subject")
    at = token.moment("auth_time")
    return SignedInWord(
        subject=_subject_of(token, terms),
        sub=sub,
        session=token.text("sid"),
        claims=token.claims,
        authenticated_at=None if at is None else datetime.fromtimestamp(at, tz=UTC),
    )


def _check_age(token: SignedToken, now: int) -> None:
    expires, issued = token.moment("exp"), token.moment("iat")
    if expires is None or expires <= now - LEEWAY_SECONDS:
        raise SignInRefused("sign_in.token_expired")
    if issued is None or issued < now - _OLDEST_SECONDS:
        raise SignInRefused("sign_in.token_expired", "made long ago")


def _check_access_token(token: SignedToken, access_token: object) -> None:
    """`at_hash`, where the token has it, is of the access token that came with it."""
    named = token.claims.get("at_hash")
    if named is None:
        return
    if not isinstance(named, str) or not isinstance(access_token, str):
        raise SignInRefused("sign_in.token_access")
    digest = hashlib.new(_DIGESTS[token.algorithm[-3:]], access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not hmac.compare_digest(half, named.encode()):
        raise SignInRefused("sign_in.token_access", "it came with another access token")


def _subject_of(token: SignedToken, terms: ProviderTerms) -> tuple[str, ...]:
    """Who it is: by the claims of this kind of provider, and by no other."""
    found = tuple(token.text(name) for name in SUBJECT_CLAIMS[terms.kind])
    subject = tuple(each for each in found if each is not None and len(each) <= _LONGEST_SUBJECT)
    if len(subject) != len(found):
        raise SignInRefused("sign_in.token_subject", "a claim that names the person is missing")
    if terms.kind is ProviderKind.ENTRA and f"/{subject[0]}/" not in f"{terms.issuer}/":
        raise SignInRefused("sign_in.token_subject", "another tenant's")
    return subject
