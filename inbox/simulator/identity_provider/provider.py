"""An identity provider for tests and the demo: real OpenID Connect over HTTP, on loopback only."""

import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx

from inbox.simulator.http.server import serve
from inbox.simulator.identity_provider import documents, logout, sign_in, token_endpoint
from inbox.simulator.identity_provider.listener import ProviderApp
from inbox.simulator.identity_provider.pages import refused_page
from inbox.simulator.identity_provider.parties import Manners, ProviderClient, ProviderPerson
from inbox.simulator.identity_provider.provider_keys import ProviderKeyring
from inbox.simulator.identity_provider.state import ProviderState
from inbox.simulator.identity_provider.wire import (
    LogoutPost,
    ProviderAnswer,
    ProviderCall,
    RefusedHere,
    json_body,
)
from inbox.simulator.identity_provider.wrong_answers import WrongAnswer, WrongAnswers

Endpoint = Callable[[ProviderState, ProviderCall], ProviderAnswer]
ROUTES: Mapping[str, Mapping[str, Endpoint]] = {
    "/.well-known/openid-configuration": {"GET": documents.discovery},
    "/jwks": {"GET": documents.jwks},
    "/authorize": {"GET": sign_in.authorize, "POST": sign_in.authorize},
    "/choose": {"POST": sign_in.choose},
    "/token": {"POST": token_endpoint.token},
    "/userinfo": {"GET": documents.userinfo, "POST": documents.userinfo},
    "/logout": {"GET": logout.end_session, "POST": logout.end_session},
}
BACK_CHANNEL_TIMEOUT = httpx.Timeout(5.0, connect=2.0)
"""One attempt with these limits, as ID-porten (docs.digdir.no: oidc_func_backchannel_logout)."""


@dataclass(frozen=True, kw_only=True)
class SeenAtProvider:
    """One request, in the order in which they were answered."""

    method: str
    path: str
    """Without the path of the issuer."""
    query: Mapping[str, str]
    status: int


@dataclass(frozen=True, kw_only=True)
class SentLogout:
    """A logout token that was posted, and what the client answered; None: nothing."""

    client_id: str
    token: str
    status: int | None


def _utc_now() -> datetime:
    return datetime.now(UTC)


class IdentityProvider:
    """One provider with its clients and people.

    `serve` runs it; or give `app` to `http.server.serve` and say by `live_at` where that is. All
    else is for tests that stage and judge, and may be called from any thread. People sign in over
    HTTP alone: `browser.choose_person` walks the pages. `tls` is for back-channel logout to an
    https address; `keys` spares making new ones, which takes a tenth of a second.
    """

    def __init__(  # noqa: PLR0913 - each setting of a provider, by name
        self,
        *,
        clients: Iterable[ProviderClient],
        people: Iterable[ProviderPerson],
        manners: Manners | None = None,
        clock: Callable[[], datetime] = _utc_now,
        session_lasts: timedelta = timedelta(hours=10),
        tls: ssl.SSLContext | None = None,
        keys: ProviderKeyring | None = None,
    ) -> None:
        self._state = ProviderState(
            clients={client.client_id: client for client in clients},
            people={person.id: person for person in people},
            manners=manners or Manners(),
            clock=clock,
            session_lasts=session_lasts,
            keys=keys or ProviderKeyring(),
        )
        self._tls = tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._journal: list[SeenAtProvider] = []
        self._sent: list[SentLogout] = []
        self.app = ProviderApp(self)

    @contextmanager
    def serve(self, *, port: int = 0) -> Iterator[str]:
        """Answer on 127.0.0.1 until the `with` ends; gives the issuer. Port 0 is a free one."""
        with serve(self.app, port=port) as base:
            self.live_at(base)
            yield self.issuer

    def live_at(self, base: str) -> None:
        """Say at which address it is reached, as behind a proxy; ValueError off loopback."""
        with self._state.lock:
            self._state.live_at(base)

    @property
    def issuer(self) -> str:
        """What `iss` says; empty until it is known where this is reached."""
        return self._state.issuer

    @property
    def wrong(self) -> WrongAnswers:
        """The control object for wrong answers."""
        return self._state.wrong

    # What happens at the provider

    def register(self, client: ProviderClient) -> None:
        """Add a client, or change what one has registered."""
        with self._state.lock:
            self._state.clients[client.client_id] = client

    def add(self, person: ProviderPerson) -> None:
        """Add somebody to choose, or change what is said of them from their next choice on."""
        with self._state.lock:
            self._state.people[person.id] = person

    def disable(self, person_id: str) -> None:
        """The person can no longer sign in, and `prompt=none` gives login_required.

        No logout is sent, as Keycloak sends none (github.com keycloak/keycloak, issue 37981).
        """
        with self._state.lock:
            self._state.disabled.add(person_id)

    def enable(self, person_id: str) -> None:
        """The person can sign in again."""
        with self._state.lock:
            self._state.disabled.discard(person_id)

    def end_sessions_of(self, person_id: str) -> list[SentLogout]:
        """An administrator signs the person out everywhere: back-channel logout, no page."""
        posts: list[LogoutPost] = []
        with self._state.lock:
            found = [each for each in self._state.sessions.values() if each.person.id == person_id]
            for session in found:
                posts += logout.end(self._state, session)[1]
        return self._post(posts)

    def expire_sessions(self) -> None:
        """All sessions run out; no logout is sent."""
        with self._state.lock:
            self._state.sessions.clear()

    def rotate_keys(self) -> None:
        """From now on new keys sign; the old ones stay published until `drop_old_keys`."""
        with self._state.lock:
            self._state.keys.rotate()

    def drop_old_keys(self) -> None:
        """Publish only the keys that sign now."""
        with self._state.lock:
            self._state.keys.drop_old()

    # What can be seen from outside

    @property
    def journal(self) -> list[SeenAtProvider]:
        """Every request so far."""
        with self._state.lock:
            return list(self._journal)

    @property
    def sent_logouts(self) -> list[SentLogout]:
        """Every logout token that was posted, and what came of it."""
        with self._state.lock:
            return list(self._sent)

    def sessions_of(self, person_id: str) -> list[str]:
        """The `sid` of every session of the person."""
        with self._state.lock:
            sessions = self._state.sessions.values()
            return [each.sid for each in sessions if each.person.id == person_id]

    # What the socket asks (`listener.Answers`)

    def answer(self, call: ProviderCall) -> ProviderAnswer:
        """Do it, as a real one would; logout tokens are posted before the answer is sent."""
        with self._state.lock:
            path = call.path.removeprefix(urlsplit(self.issuer).path)
            answer = self._answer(call, path)
            seen = SeenAtProvider(
                method=call.method, path=path, query=dict(call.query.pairs), status=answer.status
            )
            self._journal.append(seen)
        self._post(answer.logouts)
        return answer

    def _answer(self, call: ProviderCall, path: str) -> ProviderAnswer:
        if self._state.wrong.strike(WrongAnswer.AWAY):
            return ProviderAnswer(status=503)
        methods = ROUTES.get(path)
        if methods is None or not call.path.startswith(urlsplit(self.issuer).path):
            return json_body({"error": "not_found"}, status=404)
        if call.method not in methods:
            allowed = ("allow", ", ".join(methods))
            return ProviderAnswer(status=405, headers=(allowed,))
        try:
            return methods[call.method](self._state, call)
        except RefusedHere as refusal:
            return refused_page(str(refusal))

    def _post(self, posts: Iterable[LogoutPost]) -> list[SentLogout]:
        """One attempt each, outside the lock: a client may fetch our keys before it answers."""
        sent = [
            SentLogout(client_id=post.client_id, token=post.token, status=self._attempt(post))
            for post in posts
        ]
        with self._state.lock:
            self._sent += sent
        return sent

    def _attempt(self, post: LogoutPost) -> int | None:
        try:
            answer = httpx.post(
                post.address,
                data={"logout_token": post.token},
                timeout=BACK_CHANNEL_TIMEOUT,
                trust_env=False,
                verify=self._tls,
            )
        except httpx.HTTPError:
            return None
        return answer.status_code
