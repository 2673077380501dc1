"""The staff inbox of a whole world: the pages over HTTP, a provider to sign in at, case systems."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inbox.app import create_app
from inbox.casesystem.webhook import Target, WebhookSender
from inbox.cli.serve import HttpListener
from inbox.config import Listener
from inbox.directory import import_agreed
from inbox.directory.format.toml_file import read_directory
from inbox.line import Terms
from inbox.sign_in.desk import CALLBACK_PATH, SignInDesk
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
from inbox.simulator.casesystem.simulator import HOOK, CaseSystemSimulator
from inbox.simulator.http.server import serve
from inbox.simulator.identity_provider.parties import KEYCLOAK, ProviderClient, ProviderPerson
from inbox.simulator.identity_provider.provider import IdentityProvider
from inbox.simulator.packages.arkivmelding import ArkivmeldingLetter, arkivmelding_xml
from inbox.simulator.packages.builder import ParcelDocument
from inbox.web.people.app import create_people_app
from inbox.web.people.site import PeopleSite
from tests.databases import sqlite_database
from tests.gateway.scripted_gateway import NO_TLS
from tests.municipality import DIRECTORY
from tests.worlds import World, world

CANARIES = ("Kvitkanari", "Raudkanari", "Blaakanari", "Gulkanari")
"""In the titles, the party's name, the document's name and the content of every letter here."""
NAMES = {
    "anne": "Anne Arkivar",
    "bjorn": "Bjørn Arkivar",
    "kari": "Kari Leder",
    "ola": "Ola Saksbehandler",
}
TERMS = Terms(min_free_bytes=0)
"""As in service: a minute to undo a placing, ten to undo a release."""
_CLIENT, _SECRET, _PROVIDER = "inbox-test", "a-secret-of-the-tests", "prove"
_STRONG = list(KEYCLOAK.levels)[-1]
_MORE_PEOPLE = """
[[capacity]]
person = "anne"
unit = "skole"
role = "handler"
[[person]]
id = "berit"
name = "Berit Saksbehandler"
[[capacity]]
person = "berit"
unit = "skole"
role = "handler"
[[clearance]]
person = "berit"
shielding = "13"
"""


class Overheard:
    """The pages, with everything that they answered: a title must never be in it."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.said = bytearray()
        self.sizes: list[tuple[str, int]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, and keep what is answered."""
        assert self.app is not None
        size = 0

        async def heard(message: Message) -> None:
            nonlocal size
            for name, value in message.get("headers", ()):
                self.said += name + b": " + value + b"\n"
                size += len(name) + len(value) + 4
            self.said += message.get("body", b"")
            size += len(message.get("body", b""))
            await send(message)

        await self.app(scope, receive, heard)
        self.sizes.append((scope["path"], size))


@dataclass(kw_only=True)
class Office:
    """One staff inbox and everything around it; time is moved by hand for all of them."""

    world: World
    address: str
    """The public address of the pages."""
    provider: IdentityProvider
    systems: tuple[CaseSystemSimulator, ...]
    overheard: Overheard
    listener: str
    """Where the pages listen: another address only behind a proxy."""
    sent: list[str] = field(default_factory=list)

    def send(
        self, public_title: str = "Noe annet", *, same_content: bool = False, **more: Any
    ) -> str:
        """A letter whose every name is a canary; its wire id."""
        kind, party, document, content = CANARIES
        text = content if same_content else f"{content} {len(self.sent)}"
        letter = ArkivmeldingLetter(
            title=f"{kind} {party}",
            case_title=f"{kind} sak",
            public_title=f"{public_title} {kind}",
            case_public_title=f"{kind} sak",
            receiver_person=party,
            file_names=(f"{document}.pdf",),
        )
        parcel = {
            "arkivmelding": arkivmelding_xml(letter),
            "documents": (ParcelDocument(f"{document}.pdf", "application/pdf", text.encode()),),
            **more.pop("parcel", {}),
        }
        wire_id = self.world.send(public_title, parcel=parcel, **more)
        self.sent.append(wire_id)
        return wire_id

    def arrive(self, public_title: str = "Noe annet", *, count: int = 1, **more: Any) -> list[str]:
        """Letters that are here; their wire ids."""
        wire_ids = [self.send(public_title, **more) for _ in range(count)]
        self.run_worker()
        return wire_ids

    def run_worker(self) -> None:
        """What the worker does by itself now."""
        self.world.collect()
        self.world.work()

    def let_pass(self, **span: float) -> None:
        """Time goes by for everybody, and the worker runs."""
        self.world.clock.advance(timedelta(**span))
        self.run_worker()

    def look(self) -> None:
        """A person has looked at the page for a second."""
        self.world.clock.advance(timedelta(seconds=1))

    def register_all(self) -> None:
        """The case systems see to what waits for them, and the senders get their receipts."""
        for system in self.systems:
            system.catch_up()
        for _ in range(4):
            self.let_pass(minutes=5)

    def receipts(self) -> set[str]:
        """Which letters have their kvittering at the sender."""
        return {str(each["relatedToMessageId"]) for each in self.world.gateway.receipts_at_sender()}

    def make_history(self, unit_title: str = "Sakkyndig", *, count: int = 10) -> None:
        """So many letters of the usual sender that a case system has registered."""
        self.arrive(unit_title, count=count)
        self.let_pass(minutes=11)
        self.register_all()


@contextmanager
def open_office(
    folder: Path,
    *,
    terms: Terms = TERMS,
    proxy: Callable[[str], str] | None = None,
    is_read: bool = False,
) -> Iterator[Office]:
    """An office on SQLite in an empty folder; `proxy` hears where it is, and names itself.

    Nobody may see what is in the letters, unless `is_read` says that somebody there reads them.
    """
    with ExitStack() as stack:
        made = stack.enter_context(world(sqlite_database(folder), folder, terms=terms))
        provider = IdentityProvider(
            clients=[], people=_people(), manners=KEYCLOAK, clock=made.clock.sim
        )
        stack.enter_context(provider.serve())
        systems = stack.enter_context(_case_systems(made, provider.issuer))
        overheard = Overheard()
        listener = HttpListener(overheard, Listener(), connections=64)
        address = proxy(listener.url) if proxy else listener.url
        provider.register(
            ProviderClient(
                client_id=_CLIENT, secret=_SECRET, redirect_uris=(address + CALLBACK_PATH,)
            )
        )
        site = PeopleSite(
            public_url=address,
            organisation="Vestre Fjord kommune",
            clock=made.clock.sim,
        )
        calls = stack.enter_context(build_provider_client(tls=NO_TLS))
        desk = _desk(made, provider.issuer, address, calls)
        overheard.app = create_people_app(made.line, site, desk)
        stack.enter_context(_running(listener))
        yield Office(
            world=made,
            address=address,
            provider=provider,
            systems=systems,
            overheard=overheard,
            listener=listener.url,
        )
        if not is_read:
            assert not [each for each in CANARIES if each.encode() in overheard.said]


def _people() -> list[ProviderPerson]:
    return [ProviderPerson(id=person, name=name) for person, name in NAMES.items()]


@contextmanager
def _case_systems(made: World, issuer: str) -> Iterator[tuple[CaseSystemSimulator, ...]]:
    """The two that work by themselves, told of and connected; and who signs in as whom."""
    sak = CaseSystemSimulator("sak", clock=made.clock.sim)
    fag = CaseSystemSimulator("fag", clock=made.clock.sim, first_number=500)
    with (
        serve(sak.app) as hook_url,
        httpx.Client(trust_env=False, timeout=5, verify=NO_TLS) as events,
    ):
        port = urlsplit(hook_url).port
        assert port is not None
        target = Target(host="127.0.0.1", port=port, networks=(ip_network("127.0.0.0/8"),))
        made.line = replace(made.line, events=WebhookSender(events, [target]))
        identities = "".join(
            f'\n[[identity]]\nperson = "{person}"\nissuer = "{issuer}"\nsubject = "sub:{person}"\n'
            for person in NAMES
        )
        told = DIRECTORY.replace(b"http://127.0.0.1:9/hooks", (hook_url + HOOK).encode())
        directory = told + _MORE_PEOPLE.encode() + identities.encode()
        with made.line.store.transaction() as tx:
            import_agreed(made.line, tx, read_directory(directory), approved_by="anne+bjorn")
        with ExitStack() as stack:
            api = stack.enter_context(serve(create_app(made.line)))
            for system in (sak, fag):
                stack.callback(system.__exit__)
            sak.connect(api, key=made.keys["sak"][0], secret=made.keys["sak"][1])
            fag.connect(api, key=made.keys["fag"][0])
            yield sak, fag


def _desk(made: World, issuer: str, address: str, calls: httpx.Client) -> SignInDesk:
    terms = ProviderTerms(
        name=_PROVIDER,
        title="Prøveinnlogging",
        kind=ProviderKind.KEYCLOAK,
        issuer=issuer,
        client_id=_CLIENT,
        proof=ClientSecret(value=_SECRET),
        strength=StrengthTable(
            rows=(StrengthRow(claim=StrengthClaim.ACR, values=frozenset({_STRONG})),)
        ),
    )
    provider = Provider(terms, ProviderCalls(calls))
    return SignInDesk(line=made.line, providers={_PROVIDER: provider}, public_url=address)


@contextmanager
def _running(listener: HttpListener) -> Iterator[None]:
    thread = threading.Thread(target=listener.run, daemon=True)
    thread.start()
    listener.wait_until_up()
    try:
        yield
    finally:
        listener.stop()
        thread.join(10)
