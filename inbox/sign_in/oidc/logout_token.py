"""Logout tokens (OpenID Connect Back-Channel Logout 1.0): what ends sessions from the internet."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from inbox.sign_in.oidc.provider_keys import ProviderKeys
from inbox.sign_in.oidc.provider_terms import ProviderTerms
from inbox.sign_in.oidc.signed_tokens import LEEWAY_SECONDS, check_issued, read_signed
from inbox.sign_in.refusal import SignInRefused

_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_TYPES: Final = frozenset({None, "JWT", "jwt", "logout+jwt", "application/logout+jwt"})
"""Older providers say `JWT`, or nothing; an ID token never has `events`."""
_OLDEST: Final = timedelta(minutes=5)
_LONGEST_ID: Final = 255


@dataclass(frozen=True, kw_only=True)
class LogoutWord:
    """What a provider says has ended: one session, or all of one person."""

    token_id: str
    session: str | None = field(repr=False)
    sub: str | None = field(repr=False)
    taken_until: datetime
    """Until then it has to be remembered that it was taken."""


def read_logout_token(
    token: object, terms: ProviderTerms, keys: ProviderKeys, *, now: datetime
) -> LogoutWord:
    """Read a logout token. Raises `SignInRefused`, and `ProviderAway` for the provider's keys."""
    read, seconds = read_signed(token, keys), int(now.timestamp())
    if read.header.get("typ") not in _TYPES:
        raise SignInRefused("sign_in.logout_type")
    check_issued(read, issuer=terms.issuer, client_id=terms.client_id, now=seconds)
    events = read.claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(_EVENT), dict):
        raise SignInRefused("sign_in.logout_events", "it does not say that somebody signed out")
    if "nonce" in read.claims:
        raise SignInRefused("sign_in.logout_nonce", "an ID token is no logout token")
    issued, expires = read.moment("iat"), read.moment("exp")
    oldest = seconds - int(_OLDEST.total_seconds())
    if issued is None or issued < oldest:
        raise SignInRefused("sign_in.token_expired", "made long ago")
    if "exp" in read.claims and (expires is None or expires <= seconds - LEEWAY_SECONDS):
        raise SignInRefused("sign_in.token_expired")
    token_id, session, sub = read.text("jti"), read.text("sid"), read.text("sub")
    if token_id is None or len(token_id) > _LONGEST_ID or (session is None and sub is None):
        raise SignInRefused("sign_in.logout_shape", "without its id, or without who")
    return LogoutWord(
        token_id=token_id,
        session=session,
        sub=sub,
        taken_until=datetime.fromtimestamp(issued, tz=UTC) + _OLDEST + timedelta(minutes=1),
    )
