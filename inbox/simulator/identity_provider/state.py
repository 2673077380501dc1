"""What one identity provider knows: sessions, choices that are open, codes and access tokens."""

import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inbox.simulator.identity_provider.loopback import check_loopback
from inbox.simulator.identity_provider.parties import Manners, ProviderClient, ProviderPerson
from inbox.simulator.identity_provider.provider_keys import ProviderKeyring
from inbox.simulator.identity_provider.signatures import base64url
from inbox.simulator.identity_provider.wrong_answers import WrongAnswers

CODE_LASTS = timedelta(seconds=60)
CHOICE_LASTS = timedelta(minutes=10)
ACCESS_TOKEN_LASTS = timedelta(minutes=10)


def new_secret() -> str:
    """Something that nobody guesses."""
    return base64url(secrets.token_bytes(32))


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """One that has been checked (OIDC Core, section 3.1.2.1)."""

    client: ProviderClient
    redirect_uri: str
    state: str
    nonce: str
    challenge: str
    scopes: tuple[str, ...]
    prompts: frozenset[str] = frozenset()
    max_age: timedelta | None = None
    level: str | None = None
    """The level that was asked for."""
    essential: bool = False
    """Without that level there is to be no sign-in (OIDC Core, section 5.5.1.1)."""
    login_hint: str | None = None
    locale: str = "nb"


@dataclass(kw_only=True)
class ProviderSession:
    """A person who is signed in at the provider, in one browser."""

    cookie: str
    sid: str
    person: ProviderPerson
    began_at: datetime
    auth_time: datetime
    level: str
    client_ids: list[str] = field(default_factory=list)
    """Who has been given a code in it, in that order."""


@dataclass(frozen=True, kw_only=True)
class OpenChoice:
    """A page of people that somebody has before them; bound to that browser, and used once."""

    browser: str
    request: AuthorizationRequest
    until: datetime


@dataclass(frozen=True, kw_only=True)
class CodeGrant:
    """What a code stands for: the request, and the sign-in as it was then."""

    client_id: str
    request: AuthorizationRequest
    person: ProviderPerson
    sid: str
    auth_time: datetime
    level: str
    until: datetime


@dataclass(frozen=True, kw_only=True)
class TokenGrant:
    """What an access token opens."""

    client: ProviderClient
    person: ProviderPerson
    scopes: tuple[str, ...]
    until: datetime


@dataclass(kw_only=True)
class ProviderState:
    """The parts, to be touched only under `lock`."""

    clients: dict[str, ProviderClient]
    people: dict[str, ProviderPerson]
    manners: Manners
    clock: Callable[[], datetime]
    session_lasts: timedelta
    wrong: WrongAnswers = field(default_factory=WrongAnswers)
    keys: ProviderKeyring = field(default_factory=ProviderKeyring)
    lock: threading.RLock = field(default_factory=threading.RLock)
    issuer: str = ""
    disabled: set[str] = field(default_factory=set)
    sessions: dict[str, ProviderSession] = field(default_factory=dict)
    """By the cookie."""
    choices: dict[str, OpenChoice] = field(default_factory=dict)
    codes: dict[str, CodeGrant] = field(default_factory=dict)
    used_codes: dict[str, list[str]] = field(default_factory=dict)
    """A code that was presented, and the access tokens that it gave."""
    access: dict[str, TokenGrant] = field(default_factory=dict)
    assertions: dict[str, datetime] = field(default_factory=dict)
    """`jti` of client assertions, and when they expire."""
    last_logout_tokens: dict[str, str] = field(default_factory=dict)
    """By client: what `LOGOUT_REPLAYED` sends again."""

    @property
    def now(self) -> datetime:
        """The provider's own time."""
        return self.clock()

    @property
    def levels(self) -> list[str]:
        """From the weakest to the strongest."""
        return list(self.manners.levels)

    def live_at(self, base: str) -> None:
        """The address of the server; the issuer is that and the path of this kind of provider."""
        self.issuer = check_loopback(base.rstrip("/"), about="the issuer") + self.manners.path

    def session_of(self, cookie: str | None) -> ProviderSession | None:
        """The session of a browser, unless it has expired or its person is disabled."""
        found = self.sessions.get(cookie or "")
        if found is None or found.person.id in self.disabled:
            return None
        if self.now - found.began_at >= self.session_lasts:
            del self.sessions[found.cookie]
            return None
        return found

    def revoke(self, access_tokens: Iterable[str]) -> None:
        """These open nothing any more."""
        for token in access_tokens:
            self.access.pop(token, None)
