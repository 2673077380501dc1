"""The active policy and the directory change under load: every process follows in the same breath.

Threads of two processes ask over a real database while policies are swapped; then, question by
question, two processes are asked before and after each way of losing access.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlmodel import select

from inbox import audit
from inbox.access import Capacity, Role
from inbox.access.files import versions
from inbox.access.files.active import POLICY_KIND, ActivePolicies, activate_policy
from inbox.access.files.folder import load_policy, read_policy_files
from inbox.domain import DeliveryState, GrantKind, MessageState, Mode
from inbox.keys import Keyring
from inbox.line.case_systems import hash_api_key
from inbox.store import Store, Transaction, create_engine
from inbox.tables import (
    AccessGrant,
    ActivePolicy,
    Assignment,
    AuditHead,
    CapacityRow,
    CaseSystem,
    Clearance,
    Delegation,
    Delivery,
    Message,
    Person,
    Unit,
    table_of,
)
from tests.access.answering_process import answer
from tests.access.random_world import world_of
from tests.access.town import BERGVIK, POLICIES, Town
from tests.cli.installation import Installed, clean_environment, settle_in
from tests.databases import postgres_database, sqlite_database

ROOT = Path(__file__).parents[2]
PROCESSES = ("sqlite in processes", "postgresql in processes")


@contextmanager
def opened(url: str) -> Iterator[Store]:
    engine = create_engine(url)
    store = Store(engine, seal=audit.seal, row_key=lambda: b"k" * 32)
    with store.transaction() as tx:
        tx.add(AuditHead(id=1, size=0, frontier=b""))
    yield store
    engine.dispose()


@contextmanager
def process(*words: object) -> Iterator["subprocess.Popen[str]"]:
    """A process of `reloading`; ended with the test."""
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.access.answering_process", *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=clean_environment(),
    )
    with started:
        try:
            yield started
        finally:
            started.kill()


def said(started: "subprocess.Popen[str]") -> Any:
    """The next line of a process."""
    assert started.stdout is not None
    line = started.stdout.readline()
    assert line, "the process ended"
    return line.strip() if line == "ready\n" else json.loads(line)


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Two processes over one database, which are asked the same."""

    store: Store
    askers: tuple[Callable[[dict[str, str]], dict[str, bool]], ...]
    kari: Capacity
    ola: Capacity

    def ask(self, capacity: Capacity, message: str) -> dict[str, bool]:
        """What both answer."""
        question: dict[str, str] = {
            "capacity": capacity.id,
            "person": capacity.person or "",
            "unit": capacity.unit or "",
            "role": capacity.role,
            "organisation": capacity.organisation,
            "message": message,
            "actions": "list open release",
        }
        answers = [ask_it(question) for ask_it in self.askers]
        assert all(each == answers[0] for each in answers)
        return answers[0]


def ask_process(started: "subprocess.Popen[str]", question: Mapping[str, str]) -> dict[str, bool]:
    """What a process answers."""
    assert started.stdin is not None
    started.stdin.write(f"{json.dumps(question)}\n")
    started.stdin.flush()
    found: dict[str, bool] = said(started)
    return found


@pytest.fixture(
    scope="module",
    params=["sqlite", *(pytest.param(kind, marks=pytest.mark.long) for kind in PROCESSES)],
)
def asking(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Asking]:
    """Two askers, and a town where nothing has ended; each test mends what it ends.

    They are processes, or, in little time, two that share nothing in this one.
    """
    home = tmp_path_factory.mktemp("asking")
    if "sqlite" in request.param:
        database = sqlite_database(home)
    else:
        database = postgres_database(request.getfixturevalue("postgres_server"))
    with ExitStack() as stack:
        store = stack.enter_context(opened(database))
        askers: list[Callable[[dict[str, str]], dict[str, bool]]] = []
        for _ in range(2):
            if request.param in PROCESSES:
                asker = stack.enter_context(process(database))
                askers.append(partial(ask_process, asker))
            else:
                own = Store(create_engine(database), seal=audit.seal)
                stack.callback(own.engine.dispose)
                askers.append(partial(answer, own, ActivePolicies()))
        with store.transaction() as tx:
            kari, ola = people_of(Town(tx), tx.now)
            keep(tx)
        yield Asking(store=store, askers=tuple(askers), kari=kari, ola=ola)


def keep(tx: Transaction) -> None:
    """Make the shipped policy the active one."""
    versions.keep_first_version(
        tx,
        kind=POLICY_KIND,
        digest=load_policy(POLICIES).digest,
        files=read_policy_files(POLICIES),
        proposed_by="kari",
        approved_by="ola",
    )


def people_of(town: Town, now: datetime) -> tuple[Capacity, Capacity]:
    """Kari has one message, may see another, and stands in for Ola, who has the third."""
    kari, ola = (town.capacity(name, Role.HANDLER, "bv") for name in ("kari", "ola"))
    for name, person in (("own", "kari"), ("granted", None), ("covered", "ola")):
        message = town.message(message_id=name)
        message.shielding = "13" if name == "own" else None
        town.add(message)
        if person is not None:
            town.assign(message, person)
    town.clear("kari", "13")
    period: dict[str, Any] = {
        "unit": "bv",
        "given_by": "ola",
        "active_from": now,
        "active_until": now + timedelta(days=1),
    }
    given: dict[str, Any] = {"kind": GrantKind.GIVEN, "message_id": "granted", "sealed_reason": b""}
    town.add(AccessGrant(id="g", person="kari", **given, **period))
    town.add(Delegation(id="d", absent="ola", substitute="kari", **period))
    return kari, ola


EVERYTHING = {"list": True, "open": True, "release": True, "listed": True}
NOTHING = dict.fromkeys(EVERYTHING, False)
SEEN = NOTHING | {"list": True, "open": True, "listed": True}


@pytest.mark.parametrize(
    ("message", "row", "before", "after"),
    [
        ("own", Assignment, EVERYTHING, NOTHING),
        ("own", CapacityRow, EVERYTHING, NOTHING),
        ("own", Person, EVERYTHING, NOTHING),
        ("own", Unit, EVERYTHING, NOTHING),
        ("own", Clearance, EVERYTHING, NOTHING),
        ("granted", AccessGrant, SEEN, NOTHING),
        ("covered", Delegation, SEEN, NOTHING),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_ended_access_is_denied_at_the_next_question_in_every_process(
    asking: Asking,
    message: str,
    row: type[Any],
    before: dict[str, bool],
    after: dict[str, bool],
) -> None:
    assert asking.ask(asking.kari, message) == before
    with asking.store.transaction() as tx:
        ends = {found.id: found.active_until for found in tx.exec(select(row))}
        tx.execute(sa.update(table_of(row)).values(active_until=tx.now))
    assert asking.ask(asking.kari, message) == after
    with asking.store.transaction() as tx:
        for found in tx.exec(select(row)):
            found.active_until = ends[found.id]
            tx.add(found)
    assert asking.ask(asking.kari, message) == before


def test_process_that_cannot_load_the_active_policy_denies_everything(asking: Asking) -> None:
    for named in ("f" * 64, None, ""):
        with asking.store.transaction() as tx:
            keep(tx) if named is None else activate_policy(tx, named, None)
        assert asking.ask(asking.kari, "own") == (NOTHING if named is not None else EVERYTHING)
    with asking.store.transaction() as tx:
        keep(tx)


# The real program.


@contextmanager
def serving(installed: Installed, *words: str) -> Iterator[dict[str, str]]:
    """`inbox serve`, and where it listens; ended with the test."""
    started = installed.start("serve", *words)
    with started:
        try:
            assert started.stdout is not None
            lines = [started.stdout.readline().split() for _ in range(2)]
            yield dict(lines)
        finally:
            started.kill()


@pytest.mark.long
def test_two_servers_follow_policy_and_case_system_changes_at_the_next_request(
    tmp_path: Path,
) -> None:
    installed = installation(tmp_path)
    store = Store(
        create_engine(f"sqlite:///{installed.folder}/inbox.db"),
        seal=audit.seal,
        row_key=Keyring.load(installed.folder / "keys").row_key,
    )
    with store.transaction() as tx:
        active = tx.get_one(ActivePolicy, POLICY_KIND)
        digest, version = active.digest, active.version
        key = add_offered(tx)
    with ExitStack() as stack:
        client = stack.enter_context(httpx.Client(trust_env=False, timeout=60))
        faces = [
            stack.enter_context(serving(installed, *words)) for words in ((), ("--no-worker",))
        ]

        def answers() -> set[tuple[int, str]]:
            """What both say to a word, and of their policies."""
            told = set()
            for face in faces:
                address = f"{face['api']}/api/v1/deliveries/{'d' * 32}/accepted"
                word = client.post(address, headers={"authorization": f"Bearer {key}"})
                ready = client.get(f"{face['operator']}/health/ready").json()
                told.add((word.status_code, ready["needs"]["policies"]))
            return told

        assert answers() == {(200, "ok")}
        for named, kept, said_then in (
            ("f" * 64, None, (503, "policy.nobody")),
            (digest, version, (200, "ok")),
        ):
            with store.transaction() as tx:
                versions.activate(tx, named, None, kind=POLICY_KIND, version=kept)
            assert answers() == {said_then}
        with store.transaction() as tx:
            tx.execute(sa.update(table_of(CaseSystem)).values(active_until=tx.now))
        assert answers() == {(401, "ok")}
    store.engine.dispose()


def installation(folder: Path) -> Installed:
    """Keys, tables and two people, made by the commands."""
    made = settle_in(folder / "installation")
    assert made.ask("keys", "create").code == 0
    assert made.ask("database", "upgrade").code == 0
    people = ("--person", "anne=Anne", "--person", "bjorn=Bjorn")
    enrolled = made.ask(
        "init", "--organisation", BERGVIK, "--desk", "dokumentsenteret=D", "--json", *people
    )
    assert enrolled.code == 0, enrolled.err
    return made


def add_offered(tx: Transaction) -> str:
    """A message that is offered to a case system; the key of that one."""
    tx.add(
        CaseSystem(
            id="acos",
            organisation=BERGVIK,
            name="S",
            mode=Mode.PULL,
            key_hash=hash_api_key("a-key"),
            active_from=tx.now,
        )
    )
    tx.flush()
    tx.add(Unit(id="bv", organisation=BERGVIK, name="B", case_system="acos", active_from=tx.now))
    tx.flush()
    rows = world_of("served", messages=1).all(Message)
    rows[0].state, rows[0].unit, rows[0].organisation = MessageState.OFFERED, "bv", BERGVIK
    tx.add(rows[0])
    tx.flush()
    tx.add(
        Delivery(
            id="d" * 32,
            message_id=rows[0].id,
            number=1,
            case_system="acos",
            state=DeliveryState.OPEN,
            offered_at=tx.now,
        )
    )
    return "a-key"
