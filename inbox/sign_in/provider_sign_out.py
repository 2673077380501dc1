"""A provider says that somebody has signed out there: by a frame in a browser, or directly."""

import base64
import json
from collections.abc import Iterable
from typing import Final

from inbox.sign_in.desk import SignInDesk
from inbox.sign_in.identities import session_hash, sub_hash
from inbox.sign_in.oidc.logout_token import LogoutWord
from inbox.sign_in.oidc.provider import Provider
from inbox.sign_in.oidc.provider_terms import ProviderKind
from inbox.sign_in.refusal import SignInRefused
from inbox.sign_in.sessions import end_sessions_at_provider, has_session_at_provider
from inbox.store import Transaction
from inbox.tables import UsedLogoutToken

_LONGEST_ID: Final = 255


def end_by_frame(desk: SignInDesk, *, issuer: str | None, sid: str | None) -> int:
    """End the sessions that a provider's session began; how many there were.

    Found by `iss` and `sid`, since a browser sends no cookie from within a frame of another site.
    Entra names no issuer. Nothing is written for what names no session of ours.
    """
    if not sid or len(sid) > _LONGEST_ID:
        return 0
    ended = 0
    for provider in _named(desk.providers.values(), issuer):
        named = provider.terms.issuer
        hashed = session_hash(desk.line.keyring, named, sid)
        with desk.line.store.reading() as tx:
            stands = has_session_at_provider(tx, named, hashed)
        if stands:
            with desk.line.store.transaction() as tx:
                ended += end_sessions_at_provider(tx, named, session_hash=hashed, subject_hash=None)
    return ended


def _named(providers: Iterable[Provider], issuer: str | None) -> list[Provider]:
    if issuer is None:
        return [each for each in providers if each.terms.kind is ProviderKind.ENTRA]
    return [each for each in providers if each.terms.issuer == issuer]


def end_by_token(desk: SignInDesk, token: str) -> int:
    """End what a logout token names; how many sessions there were. Each token counts once.

    Raises `SignInRefused`, which is in the audit, and `ProviderAway`.
    """
    try:
        provider = _provider_of(desk, token)
        with desk.line.store.reading() as tx:
            now = tx.now
        word = provider.read_logout(token, now)
        with desk.line.store.transaction() as tx:
            return _end_named(desk, tx, provider.terms.issuer, word)
    except SignInRefused as error:
        desk.note_refusal("logout", error.code)
        raise


def _end_named(desk: SignInDesk, tx: Transaction, issuer: str, word: LogoutWord) -> int:
    keyring = desk.line.keyring
    used = keyring.lookup_hash("logout_token", f"{issuer}\n{word.token_id}").hex()
    if tx.get(UsedLogoutToken, used) is not None:
        raise SignInRefused("sign_in.logout_replayed")
    tx.add(UsedLogoutToken(id=used, expires_at=word.taken_until))
    tx.flush()
    return end_sessions_at_provider(
        tx,
        issuer,
        session_hash=None if word.session is None else session_hash(keyring, issuer, word.session),
        subject_hash=None if word.sub is None else sub_hash(keyring, issuer, word.sub),
    )


def _provider_of(desk: SignInDesk, token: str) -> Provider:
    """Whose token it says to be; that it is so, the signature shows afterwards."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        issuer = claims["iss"]
    except (IndexError, ValueError, KeyError, TypeError, RecursionError):
        raise SignInRefused("sign_in.token_shape") from None
    for provider in desk.providers.values():
        if provider.terms.issuer == issuer:
            return provider
    raise SignInRefused("sign_in.token_issuer")
