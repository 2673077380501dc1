"""The neighbours of a crowd of workers, and what they saw: whatever happened twice is a finding."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from sqlmodel import col, func, select

from inbox.app import create_app
from inbox.audit import verify
from inbox.audit.state import verify_state
from inbox.simulator.casesystem.simulator import HOOK, CaseSystemSimulator
from inbox.simulator.casesystem.webhook_check import HookApp
from inbox.simulator.http.server import serve
from inbox.tables import AuditEntry, CaseSystem, Message
from tests.faults.harness.doubled_events import doubled_events
from tests.faults.harness.line_process import LineProcess
from tests.faults.harness.outside_world import OutsideWorld
from tests.faults.race.race_outcome import repeated_moves
from tests.faults.race.worker_process import STOP, Pace
from tests.worlds import BEGIN

SPEED: Final = 5.0
"""Seconds of the shared time in one second here."""
_OK: Final = 200


@dataclass(kw_only=True)
class WorkerPool:
    """The case systems with their journals, and every event that was sent to them."""

    outside: OutsideWorld
    systems: tuple[CaseSystemSimulator, ...]
    hooks: int
    events: list[tuple[str, str]] = field(default_factory=list)
    """Id and delivery of each event, as they came."""
    workers: list[BaseProcess] = field(default_factory=list)
    _errand: Callable[[LineProcess], None] | None = None
    _pace: Pace = field(default_factory=Pace)
    _seed: int = 0

    def employ(
        self, count: int, errand: Callable[[LineProcess], None], pace: Pace, seed: int
    ) -> None:
        """Start so many workers."""
        self._errand, self._pace, self._seed = errand, pace, seed
        self.workers += [self._one(seed + number) for number in range(count)]

    def _one(self, seed: int) -> BaseProcess:
        assert self._errand is not None
        words = self._pace.words(seed=seed, hooks=self.hooks)
        return self.outside.start(self.outside.plan(self._errand, die_at=None, **words))

    def replace_one(self, number: int) -> None:
        """Kill a worker wherever it is, and start another."""
        self.workers[number].kill()
        self.workers[number].join()
        self._seed += 100
        self.workers[number] = self._one(self._seed + number)

    def dismiss(self) -> None:
        """Let every worker finish its step and end; one that failed is said so."""
        (self.outside.folder / STOP).touch()
        for worker in self.workers:
            worker.join(60)
        codes = [worker.exitcode for worker in self.workers]
        assert codes == [0] * len(codes), f"workers ended with {codes}"

    def wait(self, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Until every sender has its kvittering; not longer than so many without any progress."""
        until, before = time.monotonic() + seconds, dict[str, int]()
        while not self._is_done():
            if (states := self._states()) != before:
                until, before = time.monotonic() + seconds, dict(states)
            assert time.monotonic() < until, f"for {seconds} s: {states}, {self.troubles}"
            assert all(worker.is_alive() for worker in self.workers), "a worker ended by itself"
            time.sleep(0.2)
            meanwhile()

    @property
    def troubles(self) -> list[tuple[str, str]]:
        """What did not work at the case systems."""
        return [trouble for system in self.systems for trouble in system.troubles]

    def _is_done(self) -> bool:
        sent = len(self.outside.gateway.receipts_at_sender())
        return sent > 0 and not self.outside.gateway.queue() and set(self._states()) == {"ANSWERED"}

    def _states(self) -> Mapping[str, int]:
        counted = select(Message.state, func.count()).group_by(col(Message.state))
        with self.outside.line.store.reading() as tx:
            return {str(state): count for state, count in tx.exec(counted)}


@contextmanager
def worker_pool(outside: OutsideWorld) -> Iterator[WorkerPool]:
    """Case systems at work, and time that passes by itself, until the `with` ends."""
    sim = outside.clock.sim
    systems = (
        CaseSystemSimulator("sak", clock=sim),
        CaseSystemSimulator("fag", clock=sim, pull_every=timedelta(milliseconds=300)),
    )
    events: list[tuple[str, str]] = []

    def take(headers: Mapping[str, str], body: bytes) -> int:
        events.append((headers["webhook-id"], json.loads(body)["data"]["delivery_id"]))
        return systems[0]._take(headers, body)

    with ExitStack() as closing:
        hooks = closing.enter_context(serve(HookApp(take)))
        api = closing.enter_context(serve(create_app(outside.line)))
        with outside.line.store.transaction() as tx:
            tx.get_one(CaseSystem, "sak").webhook_url = hooks + HOOK
        for system in systems:
            key, secret = outside.keys[system.name]
            system.connect(api, key=key, secret=secret)
            closing.enter_context(system)
        closing.enter_context(_passing(outside))
        port = urlsplit(hooks).port
        assert port is not None
        hall = WorkerPool(outside=outside, systems=systems, hooks=port, events=events)
        closing.callback(_end, hall)
        yield hall


def _end(hall: WorkerPool) -> None:
    for worker in hall.workers:
        if worker.is_alive():  # a stopped one too
            worker.kill()
            worker.join()


@contextmanager
def _passing(outside: OutsideWorld) -> Iterator[None]:
    """Time passes `SPEED` times as fast as here."""
    over, began = threading.Event(), time.monotonic()

    def tick() -> None:
        while not over.wait(0.005):
            outside.clock.now = BEGIN + timedelta(seconds=(time.monotonic() - began) * SPEED)

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


# What was seen


def duplicate_effects(hall: WorkerPool, wire_ids: Iterable[str]) -> list[str]:
    """What must happen once per message and did not, however often workers tried."""
    wanted = Counter(wire_ids)
    gateway = hall.outside.gateway
    receipts = gateway.receipts_at_sender()
    entries = [entry for system in hall.systems for entry in system.registered]
    said = [word for system in hall.systems for word in system.said if word.word == "registered"]
    taken = [
        call.message_id
        for call in gateway.journal
        if (call.method, call.effect) == ("DELETE", _OK) and call.message_id
    ]
    created = [
        call
        for call in gateway.journal
        if (call.method, call.path) == ("POST", "/api/messages/out")
    ]
    found = [
        *_differ("kvittering", wanted, (str(r["relatedToMessageId"]) for r in receipts)),
        *_differ("journal entry", wanted, (entry.message_id for entry in entries)),
        *_differ("word", wanted, (word.message_id for word in said)),
        *_differ("DELETE", wanted, taken),
    ]
    if sum(call.effect == _OK for call in created) != wanted.total():
        found.append("kvitteringer created: not one for each")
    if any(receipt["receiptType"] != "OK" for receipt in receipts):
        found.append("a kvittering that is not OK")
    return found + _of_events(hall) + _of_audit(hall, wanted.total())


def repeated_calls(hall: WorkerPool, wire_ids: Iterable[str]) -> list[str]:
    """What was done again at a neighbour, which is safe, but nobody had reason to."""
    wanted, journal = Counter(wire_ids), hall.outside.gateway.journal
    calls = Counter((call.method, call.path) for call in journal if call.effect == _OK)
    popped = [call.message_id for call in journal if "/pop/" in call.path and call.effect == _OK]
    tries = [
        name
        for name, count in {
            "create": calls["POST", "/api/messages/out"],
            "send": calls["POST", "/api/messages/out/{messageId}"],
        }.items()
        if count != wanted.total()
    ]
    events = [f"event {name}" for name, count in Counter(hall.events).items() if count > 1]
    refused = [
        f"{call.method} {call.path} answered {call.effect}"
        for call in journal
        if call.method in ("DELETE", "POST") and call.effect != _OK
    ]
    return [*_differ("pop", wanted, (each or "" for each in popped)), *tries, *events, *refused]


def _differ(what: str, wanted: Counter[str], seen: Iterable[str]) -> list[str]:
    counted = Counter(seen)
    ids = wanted.keys() | counted.keys()
    return [f"{what}: {counted[each]} of {each}" for each in ids if counted[each] != wanted[each]]


def _of_events(hall: WorkerPool) -> list[str]:
    """An event may come again under its own id, and is of one delivery."""
    pairs = set(hall.events)
    ids = Counter(event for event, _ in pairs)
    found = [f"event {each} speaks of two deliveries" for each, n in ids.items() if n > 1]
    return found + doubled_events(hall.outside.line, ids)


def _of_audit(hall: WorkerPool, messages: int) -> list[str]:
    """It verifies with what was signed outside, and tells each move of each row once."""
    outside = hall.outside
    files = [path.read_text() for path in outside.folder.glob("checkpoints-*.txt")]
    with outside.line.store.reading() as tx:
        report = verify.verify(tx, outside.line.keyring, files)
        rows = verify_state(tx, outside.line.keyring.row_key()).findings
        leaves = tx.exec(select(AuditEntry.leaf).order_by(col(AuditEntry.seq))).all()
    entries = [json.loads(leaf) for leaf in leaves]
    announced = sum(entry["event"] == "arrival:announced" for entry in entries)
    found = [f"{finding.code} at {finding.at}" for finding in report.findings]
    found += [f"{finding.code} of {finding.table}" for finding in rows]
    found += repeated_moves(outside)
    return found if announced == messages else [*found, f"{announced} arrivals"]


def left_on_disk(hall: WorkerPool) -> list[str]:
    """Objects that no message has: what a killed worker leaves, and nobody else."""
    with hall.outside.line.store.reading() as tx:
        named = set(tx.exec(select(Message.object_name)))
    names = [name for name, _ in hall.outside.line.vault.names()]
    parts = [path.name for path in (hall.outside.folder / "vault" / "parts").glob("*")]
    return [name for name in names if name not in named] + parts


def deadlocks(url: str) -> int:
    """How often the PostgreSQL server of the tests has had to end one, by its own log."""
    (home,) = parse_qs(urlsplit(url).query)["host"]
    return (Path(home) / "log").read_text().count("deadlock detected")
