"""Two parties at once: each may be held at a moment of its transaction while the other acts."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from random import Random
from typing import Final

import httpx
import sqlalchemy as sa
from sqlalchemy import Engine, event

from inbox import audit
from inbox.app import create_app
from inbox.errors import InboxError
from inbox.line import Line
from inbox.simulator.http.server import serve
from inbox.store import Store, Transaction, create_engine
from tests.worlds import World, sharing_statements

_PATIENCE: Final = 20.0
_BLOCKED: Final = 0.05
"""On SQLite whoever writes waits for the other's end: this long is waiting, not working."""


class Moment(StrEnum):
    """Where in its transaction a party is held."""

    LOCKS = "before it locks or writes anything"
    WRITES = "before its first change"
    SEALS = "all changes made, just before its audit and commit"


@dataclass(kw_only=True)
class Side:
    """A party's own connections to the same database, and where it is held or dawdles."""

    name: str
    line: Line
    key: str
    holds_at: Moment | None = None
    pauses: Random | None = None
    held: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)
    closing: ExitStack

    def at(self, moment: Moment) -> None:
        """The party's transaction has come so far."""
        if self.pauses is not None and self.pauses.random() < 0.5:
            time.sleep(self.pauses.uniform(0, 0.004))
        if moment is self.holds_at and not self.held.is_set():
            self.held.set()
            assert self.let_go.wait(_PATIENCE), "the held party was forgotten"

    def hold_at(self, moment: Moment | None) -> None:
        """Hold the party there next time, once."""
        self.holds_at = moment
        self.held.clear()
        self.let_go.clear()

    @cached_property
    def client(self) -> httpx.Client:
        """The case system's way in: a real server on this side's line."""
        url = self.closing.enter_context(serve(create_app(self.line)))
        return self.closing.enter_context(
            httpx.Client(
                base_url=f"{url}/api/v1/deliveries/",
                headers={"authorization": f"Bearer {self.key}"},
                timeout=_PATIENCE,
                trust_env=False,
            )
        )

    def say(self, delivery_id: str, word: str, **body: str) -> str:
        """A case system's word, and the answer: status, and what became of it or why not."""
        answer = self.client.post(f"{delivery_id}/{word}", json=body)
        told = answer.json()
        return f"{answer.status_code} {told.get('said') or told['code']}"

    def collect(self, delivery_id: str) -> str:
        """A case system collects."""
        answer = self.client.get(delivery_id)
        return f"{answer.status_code} {answer.json().get('code', 'collected')}"


Party = Callable[[Side], object]


@dataclass(frozen=True, kw_only=True)
class Race:
    """Two parties about to act on the same rows."""

    left: Party
    right: Party
    messages: tuple[str, ...] = ()
    arrivals: tuple[str, ...] = ()
    acts_before: bool = False
    """One has done something before its transaction: whoever commits first need not be first."""


SetUp = Callable[[World], Race]
"""Brings a new message to where two may act on it; called once for each race."""


@contextmanager
def two_sides(
    world: World, url: str, *, spoil: Callable[[Engine], None] | None = None
) -> Iterator[tuple[Side, Side]]:
    """Two parties; `spoil` plants a fault in what both say to the database."""
    with ExitStack() as closing:
        yield (
            _side("left", world, url, closing, spoil),
            _side("right", world, url, closing, spoil),
        )


def _side(
    name: str,
    world: World,
    url: str,
    closing: ExitStack,
    spoil: Callable[[Engine], None] | None,
) -> Side:
    engine = sharing_statements(create_engine(url))
    closing.callback(engine.dispose)
    if spoil is not None:
        spoil(engine)
    side: Side | None = None

    def seal(tx: Transaction) -> None:
        assert side is not None
        side.at(Moment.SEALS)
        audit.seal(tx)

    def before(_c: object, _k: object, statement: str, *_rest: object) -> None:
        assert side is not None
        changes = statement.startswith(("INSERT", "UPDATE", "DELETE"))
        if changes or " FOR UPDATE" in statement or " FOR NO KEY UPDATE" in statement:
            side.at(Moment.LOCKS)
        if changes:
            side.at(Moment.WRITES)

    event.listen(engine, "before_cursor_execute", before)
    line = replace(world.line, store=Store(engine, seal=seal, clock=world.clock))
    side = Side(name=name, line=line, key=world.keys["sak"][0], closing=closing)
    return side


def run_party(party: Party, side: Side) -> str:
    """Let the party act; what it was told. What is no error of ours is `internal`."""
    try:
        return str(party(side))
    except InboxError as error:
        return f"{type(error).__name__} {error.code}"
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody may be told so
        return f"internal {type(error).__name__}"


def one_by_one(first: tuple[Party, Side], second: tuple[Party, Side]) -> tuple[str, str]:
    """Both act, the second when the first has ended; what each was told."""
    return run_party(*first), run_party(*second)


def run_with_first_held(
    world: World, first: tuple[Party, Side], second: tuple[Party, Side], moment: Moment
) -> tuple[str, str, bool]:
    """The first is held at the moment until the second has ended or waits for it.

    What each was told, and whether the second had ended by then: it came first.
    """
    told: dict[str, str] = {}
    first[1].hold_at(moment)
    holding, other = _thread(told, *first), _thread(told, *second)
    holding.start()
    while not first[1].held.wait(0.002) and holding.is_alive():
        pass
    other.start()
    _until_done_or_blocked(world, other)
    overtaken = not other.is_alive()
    first[1].let_go.set()
    for thread in (holding, other):
        thread.join(_PATIENCE)
        assert not thread.is_alive(), "the parties wait for each other"
    first[1].hold_at(None)
    return told[first[1].name], told[second[1].name], overtaken


def at_once(left: tuple[Party, Side], right: tuple[Party, Side], pauses: Random) -> tuple[str, str]:
    """Both act at once, with pauses wherever they lock, write and seal."""
    told: dict[str, str] = {}
    threads = []
    for party, side in (left, right):
        side.pauses = Random(pauses.random())  # noqa: S311 - repeatable, not secret
        threads.append(_thread(told, party, side))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_PATIENCE)
        assert not thread.is_alive(), "the parties wait for each other"
    left[1].pauses = right[1].pauses = None
    return told[left[1].name], told[right[1].name]


def _thread(told: dict[str, str], party: Party, side: Side) -> threading.Thread:
    def act() -> None:
        told[side.name] = run_party(party, side)

    return threading.Thread(target=act, daemon=True)


def _until_done_or_blocked(world: World, thread: threading.Thread) -> None:
    if world.line.store.engine.dialect.name == "sqlite":
        thread.join(_BLOCKED)
        return
    blocked = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    until = time.monotonic() + _PATIENCE
    while thread.is_alive():
        with world.line.store.engine.connect() as connection:
            if connection.execute(blocked).scalar_one():
                return
        assert time.monotonic() < until, "it neither ends nor waits for a lock"
        thread.join(0.002)
