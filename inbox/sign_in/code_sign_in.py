"""Sign-in by something typed: a code that binds an identity, or, for a day, a personal code."""

from inbox.directory.people import check_code
from inbox.errors import Conflict
from inbox.sign_in import sessions
from inbox.sign_in.binding_codes import bind_by_code
from inbox.sign_in.desk import Browser, SignInDesk, SignInOutcome
from inbox.sign_in.refusal import SignInRefused
from inbox.sign_in.return_paths import safe_return_path
from inbox.sign_in.sessions import ProviderWord
from inbox.sign_in.under_way import UnboundIdentity, count_try, forget_unbound, read_unbound
from inbox.store import Transaction


def waits_for_code(desk: SignInDesk, browser: Browser) -> bool:
    """Whether an identity waits in this browser for a code."""
    with desk.line.store.reading() as tx:
        return read_unbound(tx, browser.cookie) is not None


def bind_and_begin(desk: SignInDesk, browser: Browser, code: str) -> SignInOutcome:
    """Bind the identity that waits in this browser by a code, and begin a session.

    Raises `SignInRefused`, which is in the audit: `binding_code.none` where none waits,
    `binding_code.wrong`, and `identity.taken`.
    """
    try:
        with desk.line.store.transaction() as tx:
            return _bind(desk, tx, browser, _unbound(tx, browser), code)
    except (SignInRefused, Conflict) as error:
        with desk.line.store.transaction() as tx:
            count_try(tx, browser.cookie)
            desk.refusals.note(tx, provider="code", code=error.code)
        raise SignInRefused(error.code) from error


def _unbound(tx: Transaction, browser: Browser) -> UnboundIdentity:
    found = read_unbound(tx, browser.cookie)
    if found is None:
        raise SignInRefused("binding_code.none")
    return found


def _bind(
    desk: SignInDesk, tx: Transaction, browser: Browser, unbound: UnboundIdentity, code: str
) -> SignInOutcome:
    identity = bind_by_code(
        tx, desk.line.keyring, code, issuer=unbound.issuer, subject_hash=unbound.subject_hash
    )
    forget_unbound(tx, browser.cookie)
    said = ProviderWord(
        provider=unbound.provider,
        issuer=unbound.issuer,
        identity=identity.id,
        session_hash=unbound.session_hash,
        subject_hash=unbound.sub_hash,
    )
    token = sessions.begin_session(
        tx,
        identity.person,
        word=said,
        strong=unbound.strong,
        in_place_of=browser.session_id,
    )
    return SignInOutcome(return_to=unbound.return_to, token=token)


def sign_in_with_personal_code(
    desk: SignInDesk, browser: Browser, person: str, code: str, *, return_to: str | None
) -> SignInOutcome:
    """Sign in with a personal code, where the settings allow it; it counts as strong.

    Raises `SignInRefused`, and `Unavailable` while no code of the person is looked at.
    """
    if not desk.takes_personal_codes:
        raise SignInRefused("sign_in.no_provider")
    try:
        with desk.line.store.transaction() as tx:
            check_code(tx, person, code)
            token = sessions.begin_session(
                tx, person, word=None, strong=True, in_place_of=browser.session_id
            )
    except Conflict as error:
        raise SignInRefused(error.code) from error
    return SignInOutcome(return_to=safe_return_path(return_to), token=token)
