"""The sign-in desk: what this installation signs people in with, and how it sends them away."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from inbox.line import Line
from inbox.line.pulses import PROVIDER, record_pulse
from inbox.sign_in import sessions
from inbox.sign_in.oidc.provider import Provider
from inbox.sign_in.oidc.strength import step_up_parameters
from inbox.sign_in.refusal import ProviderAway, RefusedSignIns, SignInRefused
from inbox.sign_in.return_paths import safe_return_path
from inbox.sign_in.sessions import LiveSession
from inbox.sign_in.tokens import new_token
from inbox.sign_in.under_way import SignInPurpose, SignInUnderWay, remember
from inbox.tables import Pulse, table_of

CALLBACK_PATH: Final = "/oidc/callback"
_PERSONAL_CODES: Final = "personal_codes"
"""The name of what is no provider: none of them has a line in its name."""


@dataclass(frozen=True, kw_only=True)
class Browser:
    """Who asks: the browser that began, by its cookie, and the session that it has, if any."""

    cookie: str = field(repr=False)
    session: LiveSession | None = None

    @property
    def session_id(self) -> str | None:
        """The id of that session."""
        return None if self.session is None else self.session.id


@dataclass(frozen=True, kw_only=True)
class SignInOutcome:
    """Where the browser goes now, and with which new cookie, if with any."""

    return_to: str
    token: str | None = field(default=None, repr=False)
    needs_code: bool = False
    """The identity is nobody's yet: the person types a code that two people have issued."""
    has_ended: bool = False
    """The session has ended: the person signs in anew."""


@dataclass(frozen=True, kw_only=True)
class SignInDesk:
    """The providers of this installation, and the address that people reach it by."""

    line: Line
    providers: Mapping[str, Provider]
    public_url: str
    takes_personal_codes: bool = False
    """For a day without a provider: off by default, and a condition while it is on."""
    refusals: RefusedSignIns = field(default_factory=RefusedSignIns)

    @property
    def callback(self) -> str:
        """Where providers send browsers back to."""
        return self.public_url.rstrip("/") + CALLBACK_PATH

    def provider(self, name: str) -> Provider:
        """A provider by our name for it. Raises `SignInRefused`."""
        found = self.providers.get(name)
        if found is None:
            raise SignInRefused("sign_in.no_provider")
        return found

    def note_refusal(self, subject: str, code: str) -> None:
        """Put a refusal into the audit, in a transaction of its own."""
        with self.line.store.transaction() as tx:
            self.refusals.note(tx, provider=subject, code=code)

    def note_contact(self, provider: Provider, error: ProviderAway | None) -> None:
        """Note that a provider answered, or why it did not."""
        name = PROVIDER + provider.terms.name
        if error is None:
            record_pulse(self.line, name, None)
        else:
            record_pulse(self.line, name, error.code, error.status)

    def announce(self) -> None:
        """What is wrong with a removed provider is wrong no more; personal codes are, while on."""
        pulses, codes = table_of(Pulse), PROVIDER + _PERSONAL_CODES
        names = [PROVIDER + name for name in self.providers]
        with self.line.store.transaction() as tx:
            tx.execute(
                sa.delete(pulses).where(
                    pulses.c.name.startswith(PROVIDER), pulses.c.name.not_in(names)
                )
            )
        if self.takes_personal_codes:
            record_pulse(self.line, codes, f"provider.{_PERSONAL_CODES}")


def send_to_provider(
    desk: SignInDesk,
    browser: Browser,
    provider_name: str,
    *,
    return_to: str | None,
    purpose: SignInPurpose = SignInPurpose.SIGN_IN,
) -> str:
    """The address of the provider to go to; what has to come back is kept for this browser.

    A step-up and a question are about the session that the browser has. Nobody is sent to a
    provider that does not answer us now. Raises `SignInRefused`, and `ProviderAway` before anything
    is kept.
    """
    provider = desk.provider(provider_name)
    state, nonce, verifier = new_token(), new_token(), new_token()
    try:
        provider.probe()
        address = provider.authorization_address(
            state=state,
            nonce=nonce,
            verifier=verifier,
            return_to=desk.callback,
            asked=_asked(provider, purpose),
        )
    except ProviderAway as error:
        desk.note_contact(provider, error)
        raise
    under_way = SignInUnderWay(
        provider=provider_name,
        purpose=purpose,
        nonce=nonce,
        verifier=verifier,
        return_to=safe_return_path(return_to),
        session=None if purpose is SignInPurpose.SIGN_IN else browser.session_id,
    )
    with desk.line.store.transaction() as tx:
        remember(tx, browser=browser.cookie, state=state, under_way=under_way)
    return address


def _asked(provider: Provider, purpose: SignInPurpose) -> Mapping[str, str]:
    if purpose is SignInPurpose.STEP_UP:
        return step_up_parameters(provider.terms.strength)
    return {"prompt": "none"} if purpose is SignInPurpose.QUESTION else {}


def ask_quietly(
    desk: SignInDesk, cookie: str, session: LiveSession, *, return_to: str
) -> str | None:
    """Where to ask the provider, without a dialogue, whether this person is signed in there.

    None where it is away, or is no longer in the settings: the session goes on, a condition says
    so, and it is asked again soon.
    """
    provider = desk.providers.get(session.provider or "")
    if provider is not None:
        with suppress(ProviderAway):
            return send_to_provider(
                desk,
                Browser(cookie=cookie, session=session),
                provider.terms.name,
                return_to=return_to,
                purpose=SignInPurpose.QUESTION,
            )
    with desk.line.store.transaction() as tx:
        sessions.put_off_question(tx, session.id)
    return None
