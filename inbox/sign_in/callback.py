"""Takes people back from a provider: a new session, a stronger or renewed one, or a code to type.

Nothing of an answer is looked at before `state` has found what was begun in this browser, and no
claim of a token before the answer is known to be from the provider that was asked.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from inbox import audit
from inbox.sign_in import sessions
from inbox.sign_in.desk import Browser, SignInDesk, SignInOutcome
from inbox.sign_in.identities import active_identity, hash_of_word, session_hash, sub_hash
from inbox.sign_in.oidc.id_token import SignedInWord
from inbox.sign_in.oidc.provider import Provider
from inbox.sign_in.oidc.strength import is_strong
from inbox.sign_in.refusal import STRANGER, ProviderAway, SignInRefused
from inbox.sign_in.sessions import ProviderWord
from inbox.sign_in.under_way import (
    SignInPurpose,
    SignInUnderWay,
    UnboundIdentity,
    remember_unbound,
    take,
)
from inbox.store import Transaction

_LONGEST_CODE: Final = 4096
_NOBODY_THERE: Final = frozenset(
    {
        "login_required",
        "interaction_required",
        "consent_required",
        "account_selection_required",
    }
)
_AWAY: Final = frozenset({"temporarily_unavailable", "server_error"})
_LEFT_FOR_LONG: Final = ("temporarily_unavailable", "authentication_expired")
"""Keycloak's error, and its description, for a sign-in page that outlived its sign-in."""
_ENDED_THERE: Final = "provider"


@dataclass(frozen=True, kw_only=True)
class CallbackAnswer:
    """What a browser brought back from a provider; every part may be made up."""

    state: str
    code: str | None = field(repr=False)
    issuer: str | None
    error: str | None
    description: str | None = None
    """Of the error."""


def take_back(desk: SignInDesk, browser: Browser, answer: CallbackAnswer) -> SignInOutcome:
    """Take somebody back. Raises `SignInRefused`, which is in the audit, and `ProviderAway`."""
    with desk.line.store.transaction() as tx:
        under_way, now = take(tx, browser=browser.cookie, state=answer.state), tx.now
    if under_way is None:
        # Begun in no browser, in another one, too long ago, or taken back already.
        desk.note_refusal("unknown", "sign_in.state")
        raise SignInRefused("sign_in.state")
    try:
        return _finish(desk, browser, under_way, answer, now)
    except SignInRefused as error:
        desk.note_refusal(under_way.provider, error.code)
        if under_way.purpose is SignInPurpose.QUESTION:
            _end(desk, under_way)
        raise


def _finish(
    desk: SignInDesk,
    browser: Browser,
    under_way: SignInUnderWay,
    answer: CallbackAnswer,
    now: datetime,
) -> SignInOutcome:
    provider = desk.provider(under_way.provider)
    try:
        provider.check_sender(answer.issuer)
        if under_way.purpose is SignInPurpose.QUESTION and answer.error in _NOBODY_THERE:
            return _end(desk, under_way)
        word = _redeem(desk, provider, under_way, answer, now)
    except ProviderAway as error:
        desk.note_contact(provider, error)
        if under_way.purpose is not SignInPurpose.QUESTION:
            raise
        with desk.line.store.transaction() as tx:
            sessions.put_off_question(tx, under_way.session or "")
        return SignInOutcome(return_to=under_way.return_to)
    desk.note_contact(provider, None)
    with desk.line.store.transaction() as tx:
        if under_way.purpose is SignInPurpose.SIGN_IN or browser.session_id != under_way.session:
            return _begin(desk, tx, browser, under_way, word)
        return _go_on(desk, tx, browser, under_way, word)


def _redeem(
    desk: SignInDesk,
    provider: Provider,
    under_way: SignInUnderWay,
    answer: CallbackAnswer,
    now: datetime,
) -> SignedInWord:
    if (answer.error, answer.description) == _LEFT_FOR_LONG:
        raise SignInRefused("sign_in.state", "the sign-in there has expired")
    if answer.error in _AWAY:
        raise ProviderAway("provider.error")
    if answer.error is not None:
        cancelled = answer.error == "access_denied"
        raise SignInRefused("sign_in.cancelled" if cancelled else "sign_in.provider_refused")
    if not answer.code or len(answer.code) > _LONGEST_CODE or not answer.code.isascii():
        raise SignInRefused("sign_in.no_code")
    return provider.redeem(
        answer.code,
        verifier=under_way.verifier,
        nonce=under_way.nonce,
        return_to=desk.callback,
        now=now,
    )


def _end(desk: SignInDesk, under_way: SignInUnderWay) -> SignInOutcome:
    """The provider does not know the person as signed in any more."""
    with desk.line.store.transaction() as tx:
        sessions.end_session(tx, under_way.session or "", why=_ENDED_THERE)
    return SignInOutcome(return_to=under_way.return_to, has_ended=True)


def _go_on(
    desk: SignInDesk,
    tx: Transaction,
    browser: Browser,
    under_way: SignInUnderWay,
    word: SignedInWord,
) -> SignInOutcome:
    """The session that it was about goes on: the provider vouched for it, or it is strong now."""
    terms, session = desk.provider(under_way.provider).terms, browser.session
    identity = active_identity(tx, terms.issuer, hash_of_word(desk.line.keyring, terms, word))
    if session is None or identity is None or session.identity != identity.id:
        raise SignInRefused("sign_in.other_identity", "somebody else than who has the session")
    if under_way.purpose is SignInPurpose.QUESTION:
        sessions.renew_word(tx, session.id)
        return SignInOutcome(return_to=under_way.return_to)
    if not is_strong(word, terms.strength, tx.now):
        raise SignInRefused("sign_in.not_strong", "by nothing that the settings call strong")
    return SignInOutcome(return_to=under_way.return_to, token=sessions.strengthen(tx, session.id))


def _begin(
    desk: SignInDesk,
    tx: Transaction,
    browser: Browser,
    under_way: SignInUnderWay,
    word: SignedInWord,
) -> SignInOutcome:
    """A new session, or the page where a code is typed."""
    if under_way.purpose is SignInPurpose.QUESTION:
        # The session has ended meanwhile: nobody who signed out is signed in again unasked.
        return SignInOutcome(return_to=under_way.return_to, has_ended=True)
    terms, keyring = desk.provider(under_way.provider).terms, desk.line.keyring
    strong = is_strong(word, terms.strength, tx.now)
    if under_way.purpose is SignInPurpose.STEP_UP and not strong:
        raise SignInRefused("sign_in.not_strong", "by nothing that the settings call strong")
    subject = hash_of_word(keyring, terms, word)
    sid = None if word.session is None else session_hash(keyring, terms.issuer, word.session)
    sub = sub_hash(keyring, terms.issuer, word.sub)
    identity = active_identity(tx, terms.issuer, subject)
    if identity is None:
        unbound = UnboundIdentity(
            provider=terms.name,
            issuer=terms.issuer,
            subject_hash=subject,
            session_hash=sid,
            sub_hash=sub,
            strong=strong,
            return_to=under_way.return_to,
        )
        remember_unbound(tx, browser=browser.cookie, identity=unbound)
        audit.record(tx, audit.Entry(event="sign_in:unbound", who=STRANGER, subject=terms.name))
        return SignInOutcome(return_to=under_way.return_to, needs_code=True)
    said = ProviderWord(
        provider=terms.name,
        issuer=terms.issuer,
        identity=identity.id,
        session_hash=sid,
        subject_hash=sub,
    )
    token = sessions.begin_session(
        tx, identity.person, word=said, strong=strong, in_place_of=browser.session_id
    )
    return SignInOutcome(return_to=under_way.return_to, token=token)
