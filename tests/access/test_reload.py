"""The active policy and the directory change under load: every process follows in the same breath.

Threads of two processes ask over a real database while policies are swapped; then, question by
question, two processes are asked before and after each way of losing access.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from sqlmodel import Session, select

from inbox import audit
from inbox.access import Capacity, Role
from inbox.access.active import activate
from inbox.access.folder import load_folder
from inbox.store import Store, create_engine
from inbox.tables import (
    AccessGrant,
    Assignment,
    AuditHead,
    Clearance,
    Delegation,
    Person,
    Unit,
)
from inbox.tables import Capacity as CapacityRow
from tests.access.reloading import ONE, OTHER, put
from tests.access.town import POLICIES, Town
from tests.cli.installed import clean_environment
from tests.databases import SQLITE_SOON

ROOT = Path(__file__).parents[2]


@contextmanager
def opened(url: str) -> Iterator[Store]:
    engine = create_engine(url)
    store = Store(engine, seal=audit.seal)
    with store.transaction() as (session, _):
        session.add(AuditHead(id=1, size=0, frontier=b""))
    yield store
    engine.dispose()


@contextmanager
def process(*words: object) -> Iterator["subprocess.Popen[str]"]:
    """A process of `reloading`; ended with the test."""
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.access.reloading", *map(str, words)],
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


def flip(store: Store, folder: Path, digests: Mapping[str, dict[str, bytes]]) -> None:
    """The other policy: its files, in a folder that is being read, and then its name."""
    for digest, files in digests.items():
        put(folder, files)
        with store.transaction() as (session, now):
            activate(session, now, digest, None)
        time.sleep(0.01)


def asked_under_load(url: str, folder: Path, decisions: int) -> Counter[str]:
    """What two processes of four threads were told while the active policy flipped."""
    digests = {}
    for files in (ONE, OTHER):
        put(folder, files)
        digests[load_folder(folder).digest] = files
    words = (url, folder, *digests, decisions // 2)
    with opened(url) as store, process(*words) as one, process(*words) as other:
        flip(store, folder, digests)
        assert [said(one), said(other)] == ["ready", "ready"]
        flips = 0
        while flips < 10 or any(each.poll() is None for each in (one, other)):
            flip(store, folder, digests)
            flips += 2
        seen = Counter(said(one)) + Counter(said(other))
    print(flips, dict(seen))  # noqa: T201 - the figures of docs/assurance.md
    return seen


@SQLITE_SOON
def test_policies_that_change_under_load_never_mix(database: str, tmp_path: Path) -> None:
    seen = asked_under_load(database, tmp_path / "policies", 2000)

    assert set(seen) <= {"one", "other", "nobody"}
    assert seen.total() * 2 >= 2000
    assert min(seen["one"], seen["other"]) > 20


@pytest.mark.long
def test_policies_that_change_under_load_never_mix_in_100_000_decisions(
    database: str, tmp_path: Path
) -> None:
    seen = asked_under_load(database, tmp_path / "policies", 100_000)

    assert set(seen) <= {"one", "other", "nobody"}
    assert seen.total() * 2 >= 100_000
    assert min(seen["one"], seen["other"]) > 1000


@dataclass(frozen=True)
class Asking:
    """Two processes over one database, which are asked the same."""

    store: Store
    folder: Path
    processes: tuple["subprocess.Popen[str]", ...]

    def ask(self, capacity: Capacity, message: str) -> dict[str, bool]:
        """What both answer."""
        question = {
            "capacity": capacity.id,
            "person": capacity.person,
            "unit": capacity.unit,
            "role": capacity.role,
            "organisation": capacity.organisation,
            "message": message,
            "actions": "list open release",
        }
        answers = []
        for each in self.processes:
            assert each.stdin is not None
            each.stdin.write(f"{json.dumps(question)}\n")
            each.stdin.flush()
            answers.append(said(each))
        assert all(answer == answers[0] for answer in answers)
        found: dict[str, bool] = answers[0]
        return found


@pytest.fixture
def asking(database: str, tmp_path: Path) -> Iterator[Asking]:
    folder = Path(copytree(POLICIES, tmp_path / "policies"))
    with ExitStack() as stack:
        store = stack.enter_context(opened(database))
        with store.transaction() as (session, now):
            activate(session, now, load_folder(folder).digest, None)
        words = (database, folder, "-", "-", 0)
        processes = tuple(stack.enter_context(process(*words)) for _ in range(2))
        yield Asking(store, folder, processes)


Loss = Callable[[Session], None]


def ended(row: Any, moment: Any) -> Callable[[Session], None]:
    """Its period is over from this moment."""

    def end(session: Session) -> None:
        for found in session.exec(select(row)):
            found.active_until = moment
            session.add(found)

    return end


@SQLITE_SOON
def test_each_way_of_losing_access_holds_at_the_next_question_in_every_process(
    asking: Asking,
) -> None:
    with asking.store.transaction() as (session, now):
        town = Town(session)
        kari = town.capacity("kari", Role.HANDLER, "bv")
        message = town.message()
        message.shielding = "13"
        message_id = town.add(message).id
        town.assign(message, "kari")
        town.clear("kari", "13")
    everything = {"list": True, "open": True, "release": True, "listed": True}
    nothing = dict.fromkeys(everything, False)
    losses: dict[str, tuple[type[Any], dict[str, bool]]] = {
        "assignment": (Assignment, nothing),
        "membership": (CapacityRow, nothing),
        "person": (Person, nothing),
        "clearance": (Clearance, nothing | {"release": True}),
        "unit": (Unit, nothing),
    }

    assert asking.ask(kari, message_id) == everything
    for name, (row, left) in losses.items():
        with asking.store.transaction() as (session, now):
            ended(row, now)(session)
        assert asking.ask(kari, message_id) == left, name
        with asking.store.transaction() as (session, now):
            ended(row, None)(session)
        assert asking.ask(kari, message_id) == everything, name


@SQLITE_SOON
def test_grants_and_standing_in_end_at_the_next_question_in_every_process(asking: Asking) -> None:
    with asking.store.transaction() as (session, now):
        town = Town(session)
        kari, ola = (town.capacity(name, Role.HANDLER, "bv") for name in ("kari", "ola"))
        granted, covered = town.message(), town.message()
        ids = {AccessGrant: granted.id, Delegation: covered.id}
        town.assign(covered, "ola")
        period: dict[str, Any] = {
            "unit": "bv",
            "given_by": "ola",
            "active_from": now,
            "active_until": now + timedelta(days=1),
        }
        town.add(
            AccessGrant(
                id="g",
                kind="given",  # type: ignore[arg-type] # stored by value
                message_id=granted.id,
                person="kari",
                sealed_reason=b"",
                **period,
            )
        )
        town.add(Delegation(id="d", absent="ola", substitute="kari", **period))

    for row, message_id in ids.items():
        assert asking.ask(kari, message_id)["listed"], row
        with asking.store.transaction() as (session, now):
            ended(row, now)(session)
        assert set(asking.ask(kari, message_id).values()) == {False}, row
    assert asking.ask(ola, covered.id)["listed"]


@SQLITE_SOON
def test_a_process_that_cannot_have_the_active_policy_denies_everything(asking: Asking) -> None:
    with asking.store.transaction() as (session, _):
        town = Town(session)
        kari, message = town.capacity("kari", Role.HANDLER, "bv"), town.message()
        town.assign(message, "kari")
        message_id, digest = message.id, load_folder(asking.folder).digest

    assert asking.ask(kari, message_id)["listed"]
    for named, answer in (("f" * 64, False), (digest, True), ("", False)):
        with asking.store.transaction() as (session, now):
            activate(session, now, named, None)
        assert set(asking.ask(kari, message_id).values()) == {answer}, named
