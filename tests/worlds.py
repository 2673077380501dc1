"""Build what a test needs: a real database, vault and keys, and neighbours that answer."""

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_network
from mmap import mmap
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from inbox import audit
from inbox.access.files.active import POLICY_KIND, ActivePolicies
from inbox.access.files.folder import read_policy, read_policy_files
from inbox.access.files.versions import FilesByName, FilesOfVersion, keep_first_version
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.audit.state import verify_state
from inbox.casesystem.webhook import Target, WebhookSender
from inbox.directory import import_agreed, issue_code, sign_in_as
from inbox.directory.format.toml_file import read_directory
from inbox.domain import CONFIDENTIAL_PROCESS, RESPONSE_PROCESS, OrgNumber, PersonId, Service
from inbox.gateway import Gateway
from inbox.gateway.integrasjonspunkt import Integrasjonspunkt, Subscription, client_for
from inbox.keys import Keyring, create_keys
from inbox.line import Job, Line, Terms
from inbox.line.active_rule_books import ActiveRuleBooks, read_rule_book_version, rule_book_kind
from inbox.line.intake import ask_again, poll_gateway
from inbox.line.queue import QUEUE_ROW_TYPES, claim
from inbox.line.stations import advance
from inbox.line.upkeep.missed_mail import find_missed_mail
from inbox.migrations import shipped_folder
from inbox.routing.rule_book import RuleBook
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from inbox.simulator.packages.arkivmelding import ArkivmeldingLetter, arkivmelding_xml
from inbox.simulator.packages.builder import Parcel, ParcelDocument, package_bytes
from inbox.simulator.packages.certificates import TestAuthority
from inbox.simulator.packages.envelopes import sbd_json
from inbox.store import Store, Transaction, create_engine
from inbox.tables import Arrival, AuditHead, Delivery, Installation, Message, Receipt, Task
from inbox.trust.trust_store import TrustStore
from inbox.vault import FolderVault
from tests.databases import sqlite_database
from tests.gateway.scripted_gateway import NO_TLS
from tests.municipality import DIRECTORY, RULES
from tests.tables.row_copies import Rows, read_rows, write_rows

OURS = "910075918"
SENDER = "910077473"
BEGIN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


class Clock:
    """The time of the database, moved by hand; over shared memory it is that of many processes."""

    def __init__(self, cell: bytearray | mmap | None = None) -> None:
        self._cell = bytearray(8) if cell is None else cell

    @property
    def now(self) -> datetime:
        """The time, which begins at `BEGIN`."""
        (microseconds,) = struct.unpack("<q", self._cell[:8])
        return BEGIN + timedelta(microseconds=microseconds)

    @now.setter
    def now(self, moment: datetime) -> None:
        self._cell[:8] = struct.pack("<q", (moment - BEGIN) // timedelta(microseconds=1))

    def __call__(self, session: Session) -> datetime:
        """The time, as a `Store` asks for it."""
        del session
        return self.now

    def sim(self) -> datetime:
        """The same time for the simulator."""
        return self.now

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


def collect_from(line: Line) -> int:
    """What each thread of the worker that asks does once, one after the other."""
    gateways = line.gateways.values()
    new = sum(poll_gateway(line, gateway) for gateway in gateways)
    ask_again(line)
    return new + sum(find_missed_mail(line, gateway) for gateway in gateways)


@dataclass(kw_only=True)
class House:
    """A line with its worker and its people; the neighbours may be another process's."""

    line: Line
    clock: Clock
    folder: Path
    codes: dict[str, str] = field(default_factory=dict)
    _acting: dict[tuple[str, Role, str, bool], Capacity] = field(default_factory=dict)

    # What the worker does

    def collect(self) -> int:
        """One round of what the worker's threads ask by themselves; how many notices were new."""
        return collect_from(self.line)

    def work(self, *, rounds: int = 200) -> int:
        """Advance everything that is due until nothing is; how many steps."""
        steps = 0
        for _ in range(rounds):
            job = next((j for kind in QUEUE_ROW_TYPES if (j := claim(self.line, kind))), None)
            if job is None:
                return steps
            following: Job[Any] | None = job
            while following is not None:
                following = advance(self.line, following)
                steps += 1
        raise AssertionError("the line does not come to rest")

    def settle(self, *, rounds: int = 10, pause: timedelta = timedelta(hours=2)) -> None:
        """Collect and work, with time passing between, until nothing is left to do by itself."""
        still = 0
        for _ in range(rounds):
            still = 0 if self.collect() + self.work() else still + 1
            self.clock.advance(pause)
            if still > 1:
                return

    # Who acts

    def person(self, person: str, role: Role, unit: str, *, strong: bool = True) -> Capacity:
        """A person in a capacity; strong means that the personal code was proved."""
        known = self._acting.get((person, role, unit, strong))
        if known is not None:
            return known
        code = ""
        if strong:
            if person not in self.codes:
                with self.line.store.transaction() as tx:
                    self.codes[person] = issue_code(tx, person)
            code = self.codes[person]
        with self.line.store.reading() as tx:
            acting = sign_in_as(tx, person, role=role, unit=unit, code=code)
        self._acting[person, role, unit, strong] = acting
        return acting

    def person_id(self, person: str) -> PersonId:
        """The id of a person, as moves want it."""
        return PersonId(person)

    # What can be looked at

    def messages(self) -> list[Message]:
        """All messages."""
        with self.line.store.reading() as tx:
            return list(tx.exec(select(Message)))

    def message(self, wire_id: str) -> Message:
        """The message that came under this id."""
        with self.line.store.reading() as tx:
            return tx.exec(select(Message).where(col(Message.wire_id) == wire_id)).one()

    def arrival(self, wire_id: str) -> Arrival:
        """The newest arrival under this id."""
        with self.line.store.reading() as tx:
            found = tx.exec(
                select(Arrival)
                .where(col(Arrival.wire_id) == wire_id)
                .order_by(col(Arrival.announced_at).desc())
            ).first()
            assert found is not None
        return found

    def delivery(self, message_id: str) -> Delivery:
        """The newest attempt of a message."""
        with self.line.store.reading() as tx:
            found = tx.exec(
                select(Delivery)
                .where(col(Delivery.message_id) == message_id)
                .order_by(col(Delivery.number).desc())
            ).first()
            assert found is not None
        return found

    def receipt(self, message_id: str) -> Receipt:
        """The receipt of a message."""
        with self.line.store.reading() as tx:
            return tx.exec(select(Receipt).where(col(Receipt.message_id) == message_id)).one()

    def open_tasks(self, subject: str) -> set[str]:
        """The kinds of the open tasks about a subject."""
        with self.line.store.reading() as tx:
            query = select(Task.kind).where(
                col(Task.subject_id) == subject, col(Task.closed_at).is_(None)
            )
            return set(tx.exec(query))


@dataclass(kw_only=True)
class World(House):
    """A line with its neighbours; every part is real."""

    gateway: GatewaySimulator
    authority: TestAuthority
    keys: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    edited: bool = False
    """A test edits the database past the program: not every row need be explained at the end."""

    # What senders do

    def send(
        self,
        public_title: str = "Melding om barnevern",
        *,
        message_id: str | None = None,
        sender: str = SENDER,
        receiver_ref: str | None = None,
        parcel: Mapping[str, Any] | None = None,
        life: timedelta | None = timedelta(hours=24),
        content: bytes = b"innhold",
    ) -> str:
        """Put a genuine message in the gateway's queue; its wire id."""
        envelope = sbd_json(
            sender=sender,
            receiver=OURS,
            message_id=message_id,
            receiver_ref=receiver_ref,
            created_at=self.clock.now,
            life=life,
        )
        return self.gateway.put(
            envelope, self.package(public_title, sender=sender, parcel=parcel, content=content)
        )

    def package(
        self,
        public_title: str,
        *,
        sender: str = SENDER,
        parcel: Mapping[str, Any] | None = None,
        content: bytes = b"innhold",
    ) -> bytes:
        """A genuine container."""
        letter = replace(ArkivmeldingLetter(), public_title=public_title, file_names=("brev.pdf",))
        made = Parcel(
            sender=sender,
            receiver=OURS,
            signer=self.authority.issue(sender, valid_from=self.clock.now - timedelta(days=30)),
            documents=(ParcelDocument("brev.pdf", "application/pdf", content),),
            arkivmelding=arkivmelding_xml(letter),
            signed_at=self.clock.now,
        )
        return package_bytes(replace(made, **(parcel or {})))


@cache
def _policies() -> tuple[FilesByName, Policy]:
    """The shipped policies, loaded once: every world may share them, they are never changed."""
    files = read_policy_files(shipped_folder("policies"))
    return files, read_policy(files)


@cache
def _rules() -> RuleBook:
    return read_rule_book_version(FilesOfVersion(files={f"routing/{OURS}.toml": RULES}))


_FIRST: dict[str, Engine] = {}


def sharing_statements(engine: Engine) -> Engine:
    """An engine that compiles no statement that an earlier world's has compiled already.

    Compiled statements are kept per dialect, and compiling is half of a small test's time.
    """
    first = _FIRST.setdefault(engine.dialect.name, engine)
    engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache
    return engine


def install(store: Store, keyring: Keyring) -> None:
    """The rows of a new installation, with the shipped policies active."""
    with store.transaction() as tx:
        tx.add(AuditHead(id=1, size=0, frontier=b""))
        tx.add(Installation(id=1, origin="test", key_proof=keyring.proof(), created_at=tx.now))
        tx.flush()
        begin_rules(tx)


def begin_rules(tx: Transaction) -> None:
    """The shipped policies and this municipality's rule book become active."""
    files, policy = _policies()
    kept = {f"routing/{OURS}.toml": RULES}
    first = {
        POLICY_KIND: (policy.digest, files),
        rule_book_kind(OURS): (_rules().digest, kept),
    }
    for kind, (digest, those) in first.items():
        keep_first_version(
            tx,
            kind=kind,
            digest=digest,
            files=those,
            proposed_by="anne",
            approved_by="bjorn",
        )


@contextmanager
def closing_engine(engine: Engine) -> Iterator[None]:
    """Its connections end with the `with`, whatever happens inside."""
    try:
        yield
    finally:
        engine.dispose()


def furnish(folder: Path, now: datetime = BEGIN) -> TestAuthority:
    """Keys, an empty vault and trust in one authority, in an empty folder, as of `now`."""
    authority = TestAuthority(valid_from=now - timedelta(days=30))
    create_keys(folder / "keys", now)
    (folder / "vault").mkdir()
    (folder / "trust").mkdir()
    (folder / "trust" / "root.pem").write_bytes(authority.root_pem())
    (folder / "trust" / "root.crl").write_bytes(authority.crl(now))
    return authority


def gateway_for(clock: Clock, kind: type[GatewaySimulator] = GatewaySimulator) -> GatewaySimulator:
    """An integrasjonspunkt on whose network all know each other."""
    return kind(
        clock=clock.sim,
        capabilities={
            org: {RESPONSE_PROCESS: "DPO", CONFIDENTIAL_PROCESS: "DPO"}
            for org in (SENDER, OURS, "910076787")
        },
        pace=timedelta(seconds=1),
    )


def channel_of(client: httpx.Client) -> Integrasjonspunkt:
    """The channel of this municipality."""
    return Integrasjonspunkt(
        client,
        channel="eformidling",
        subscriptions=tuple(
            Subscription(
                organisation=OrgNumber(OURS), service=service, process=CONFIDENTIAL_PROCESS
            )
            for service in (Service.DPO, Service.DPF)
        ),
    )


def line_of(store: Store, folder: Path, gateway: Gateway, terms: Terms | None = None) -> Line:
    """A line on a furnished folder; webhooks go to port 9 on loopback, where nobody listens."""
    return Line(
        store=store,
        vault=FolderVault(folder / "vault"),
        keyring=Keyring.load(folder / "keys"),
        policies=ActivePolicies(_policies()[1]),
        rule_books=ActiveRuleBooks({OrgNumber(OURS): _rules()}),
        gateways={"eformidling": gateway},
        events=WebhookSender(
            httpx.Client(trust_env=False, timeout=5, verify=NO_TLS),
            [Target(host="127.0.0.1", port=9, networks=(ip_network("127.0.0.0/8"),))],
        ),
        trust=TrustStore(folder / "trust"),
        terms=terms
        or Terms(undo_window=timedelta(0), placing_grace=timedelta(0), min_free_bytes=0),
    )


def settle_in(line: Line) -> Mapping[str, tuple[str, bytes]]:
    """The first rows of an installation and its people; the keys of its case systems."""
    install(line.store, line.keyring)
    with line.store.transaction() as tx:
        return import_agreed(line, tx, read_directory(DIRECTORY), approved_by="anne+bjorn")


def rows_unexplained(line: Line) -> list[tuple[str, str]]:
    """The code and table of each row that the log does not explain."""
    with line.store.snapshot() as tx:
        found = verify_state(tx, line.keyring.row_key()).findings
    return [(finding.code, finding.table) for finding in found]


@dataclass(frozen=True, kw_only=True)
class _Settled:
    """An installation with its people, as the program made it."""

    authority: TestAuthority
    files: Mapping[str, bytes]
    rows: Rows
    keys: Mapping[str, tuple[str, bytes]]

    def furnish(self, folder: Path) -> TestAuthority:
        """As the function of that name, with the same keys and trust."""
        for name in ("keys", "trust", "vault"):
            (folder / name).mkdir(mode=0o700)
        for name, content in self.files.items():
            (folder / name).touch(mode=0o600)
            (folder / name).write_bytes(content)
        return copy(self.authority)


@cache
def _settled() -> _Settled:
    """Made once in a process; each world begins with a copy that is its own."""
    with TemporaryDirectory() as name, httpx.Client(verify=NO_TLS) as nobody:
        folder = Path(name)
        authority, engine = furnish(folder), create_engine(sqlite_database(folder))
        with closing_engine(engine):
            store = Store(engine, seal=audit.seal, clock=Clock())
            keys = settle_in(line_of(store, folder, channel_of(nobody)))
            rows = read_rows(engine)
        made = [path for part in ("keys", "trust") for path in (folder / part).iterdir()]
        files = {str(path.relative_to(folder)): path.read_bytes() for path in made}
    return _Settled(authority=authority, files=files, rows=rows, keys=keys)


@contextmanager
def world(
    url: str, folder: Path, *, terms: Terms | None = None, connections: int | None = None
) -> Iterator[World]:
    """A whole world on a database that has the schema and nothing in it, in an empty folder."""
    clock, settled = Clock(), _settled()
    authority, gateway = settled.furnish(folder), gateway_for(clock)
    engine = sharing_statements(create_engine(url, connections=connections, wait_seconds=5))
    write_rows(engine, settled.rows)
    store = Store(engine, seal=audit.seal, clock=clock)
    with (
        closing_engine(engine),
        serve(gateway.app) as base_url,
        client_for(base_url, tls=NO_TLS) as client,
    ):
        line = line_of(store, folder, channel_of(client), terms)
        made = World(
            line=line,
            gateway=gateway,
            clock=clock,
            authority=authority,
            folder=folder,
            keys=dict(settled.keys),
        )
        yield made
        assert made.edited or rows_unexplained(line) == []
