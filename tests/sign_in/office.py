"""A public body with pages, an identity provider beside it, and people in browsers."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlmodel import col, select
from starlette.responses import PlainTextResponse

from inbox.directory.apply import lock_directory
from inbox.directory.identity_rows import bind_identity, identity_hash
from inbox.sign_in.desk import SignInDesk
from inbox.sign_in.oidc.provider import Provider
from inbox.sign_in.oidc.provider_calls import ProviderCalls, build_provider_client
from inbox.sign_in.oidc.provider_terms import (
    ClientSecret,
    ProviderKind,
    ProviderTerms,
    StrengthClaim,
    StrengthRow,
    StrengthTable,
)
from inbox.simulator.identity_provider.browser import choose_person
from inbox.simulator.identity_provider.parties import (
    KEYCLOAK,
    Manners,
    ProviderClient,
    ProviderPerson,
)
from inbox.simulator.identity_provider.provider import IdentityProvider
from inbox.tables import AuditEntry, SessionRow
from inbox.web.callbacks.app import create_callbacks_app
from inbox.web.people.app import create_people_app
from inbox.web.people.forms import read_form
from inbox.web.people.request_rate import SESSION_COOKIE
from inbox.web.people.sign_in.visitors import Acting, SignedIn, StrongNeeded
from inbox.web.people.site import PeopleSite
from tests.gateway.scripted_gateway import NO_TLS
from tests.worlds import BEGIN, World

PUBLIC = "https://127.0.0.1"
SECRET = "made-up"
OURS = {"sec-fetch-site": "same-origin"}
PEOPLE = ("anne", "bjorn", "kari", "nobody")
STRONG = StrengthTable(
    rows=(StrengthRow(claim=StrengthClaim.ACR, values=frozenset({"2"})),),
    greatest_age=timedelta(minutes=15),
)


@dataclass
class Person:
    """Somebody at a browser of their own, for our pages and for the provider's."""

    office: "Office"
    pages: TestClient
    there: httpx.Client

    def get(self, path: str, **headers: str) -> Response:
        return self.pages.get(path, headers=headers, follow_redirects=False)

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Response:
        return self.pages.post(
            path, data=dict(fields), headers={**OURS, **headers}, follow_redirects=False
        )

    def leave(self, path: str = "/logg-inn/med/p", back: str = "/side") -> str:
        """Begin a sign-in; the address of the provider."""
        answer = self.get(f"{path}?til={quote(back)}")
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def choose(self, address: str, person: str) -> str:
        """Sign in at the provider as a person; the path of our callback with its answer."""
        return path_of(choose_person(self.there, address, f"p-{person}"))

    def sign_in(self, person: str = "anne", back: str = "/side") -> Response:
        return self.get(self.choose(self.leave(back=back), person))

    @property
    def cookie(self) -> str | None:
        found: str | None = self.pages.cookies.get(SESSION_COOKIE)
        return found

    def is_in(self) -> bool:
        """Whether a page knows this browser as signed in."""
        return self.get("/side").status_code == 200

    def token(self, page: str, action: str) -> str:
        """The token of the form for an action on a page."""
        text = self.pages.get(page).text
        found = re.search(
            rf'action="{re.escape(action)}".*?name="_skjema" value="([^"]*)"', text, re.DOTALL
        )
        assert found is not None, text
        return found[1]


@dataclass
class Office:
    """One installation with its provider."""

    world: World
    provider: IdentityProvider
    desk: SignInDesk
    app: FastAPI
    callbacks: TestClient
    browsers: list[Any] = field(default_factory=list)

    def person(self) -> Person:
        pages = TestClient(self.app, base_url=PUBLIC, raise_server_exceptions=False)
        there = httpx.Client(trust_env=False, verify=NO_TLS)
        self.browsers += [pages, there]
        return Person(self, pages, there)

    def bind(self, person: str, *, subject: str | None = None) -> None:
        line, issuer = self.world.line, self.provider.issuer
        with line.store.transaction() as tx:
            lock_directory(tx)
            hashed = identity_hash(line.keyring, issuer, subject or f"sub:p-{person}")
            bind_identity(tx, person, issuer=issuer, subject_hash=hashed, bound_by="import")

    def refused(self) -> list[str]:
        """The codes of refusals in the audit."""
        return [code for event, code in self.audit() if event == "sign_in:refused" and code]

    def audit(self) -> list[tuple[str, str | None]]:
        """Events and codes, in order."""
        with self.world.line.store.reading() as tx:
            leaves = tx.exec(select(AuditEntry.leaf).order_by(col(AuditEntry.seq))).all()
        found = [json.loads(leaf) for leaf in leaves]
        return [(each["event"], each["code"]) for each in found]

    def sessions(self) -> list[SessionRow]:
        with self.world.line.store.reading() as tx:
            return list(tx.exec(select(SessionRow).order_by(col(SessionRow.began_at))))

    def client(self, **changes: Any) -> None:
        """Change what the provider has registered of us."""
        self.provider.register(replace(CLIENT, **changes))


CLIENT = ProviderClient(
    client_id="inbox",
    secret=SECRET,
    redirect_uris=(f"{PUBLIC}/oidc/callback",),
    post_logout_redirect_uris=(f"{PUBLIC}/logg-ut/ferdig",),
)


def add_pages(app: FastAPI) -> None:
    """Pages as the real ones are written, small enough to read here."""

    @app.get("/side")
    def side(visitor: SignedIn) -> PlainTextResponse:
        return PlainTextResponse(f"{visitor.name} {visitor.strong}")

    @app.get("/handling")
    def handling(request: Request, visitor: Acting) -> PlainTextResponse:
        again = getattr(request.state, "sent_again", None)
        typed = again.one("grunn") if again else ""
        return PlainTextResponse(f"{visitor.capacity_name}|{typed}|{visitor.session}")

    @app.post("/handling")
    def act(request: Request, visitor: Acting) -> PlainTextResponse:
        form = read_form(request, visitor)
        if not visitor.strong:
            raise StrongNeeded(form)
        return PlainTextResponse("gjort")

    del side, handling, act


@contextmanager
def office(
    world: World,
    *,
    manners: Manners = KEYCLOAK,
    kind: ProviderKind = ProviderKind.KEYCLOAK,
    claims: Mapping[str, Mapping[str, object]] | None = None,
    strength: StrengthTable = STRONG,
    takes_codes: bool = False,
    patience: timedelta = timedelta(seconds=10),
) -> Iterator[Office]:
    """Both of them, with the people of the municipality at the provider; nobody is bound yet."""
    people = [
        ProviderPerson(id=f"p-{each}", name=each, claims=(claims or {}).get(each, {}))
        for each in PEOPLE
    ]
    provider = IdentityProvider(
        clients=[CLIENT], people=people, manners=manners, clock=world.clock.sim
    )
    with provider.serve(), build_provider_client(tls=NO_TLS) as client:
        terms = ProviderTerms(
            name="p",
            title="Prøveporten",
            kind=kind,
            issuer=provider.issuer,
            client_id="inbox",
            proof=ClientSecret(value=SECRET),
            strength=strength,
        )
        calls = ProviderCalls(client, patience=patience)

        def tick() -> float:
            return (world.clock.now - BEGIN).total_seconds()

        desk = SignInDesk(
            line=world.line,
            providers={"p": Provider(terms, calls, tick=tick)},
            public_url=PUBLIC,
            takes_personal_codes=takes_codes,
        )
        site = PeopleSite(
            public_url=PUBLIC, organisation="Vestre Fjord", clock=lambda: world.clock.now
        )
        app = create_people_app(world.line, site, desk)
        add_pages(app)
        callbacks = TestClient(create_callbacks_app(world.line, desk), base_url=PUBLIC)
        made = Office(world, provider, desk, app, callbacks)
        yield made
        for browser in made.browsers:
            browser.close()


def path_of(address: str) -> str:
    """The path and query of an address of ours."""
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}" == PUBLIC, address
    return f"{parts.path}?{parts.query}"


def parameters(address: str) -> dict[str, str]:
    """The query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
