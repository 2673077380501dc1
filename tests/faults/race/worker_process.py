"""What several worker processes do side by side, with pauses around every effect."""

import os
import random
import re
import signal
import threading
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Final

import httpx
from sqlalchemy import Engine, event

from inbox.casesystem.webhook import Target, WebhookSender
from inbox.errors import Unavailable
from inbox.line import Line, Terms
from inbox.line.queue import QUEUE_ROW_TYPES, claim
from inbox.line.stations import advance
from inbox.store import Store
from inbox.worker import Worker
from tests.faults.harness.effect_points import (
    EffectPoints,
    WatchedGateway,
    WatchedSender,
    WatchedVault,
)
from tests.faults.harness.line_process import LineProcess

STOP: Final = "stop"
"""The file that ends every worker of a test."""
_POLL: Final = 0.2
_FENCE = re.compile(r"(\w+\.(?:version|state) = (?:%\(\w+\)s(?:::\w+)?|\?))")


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How a crowd works; each worker's seed is its own."""

    lease: timedelta = timedelta(minutes=10)
    longest: float = 0.02
    """Seconds of the longest pause around an effect outside."""
    spoilt: str = ""
    """A planted fault: `fence`, `claim`, or both."""

    def words(self, *, seed: int, hooks: int) -> dict[str, str]:
        """As a plan carries it."""
        return {
            "seed": str(seed),
            "hooks": str(hooks),
            "lease": str(self.lease.total_seconds()),
            "longest": str(self.longest),
            "spoilt": self.spoilt,
        }


class Stopping(EffectPoints):
    """Points at one of which the process stops, once, until somebody lets it go on."""

    def __init__(self, note: Path, stop_at: str) -> None:
        super().__init__(note, None)
        self._stop_at: str | None = stop_at

    def passed(self, name: str) -> None:
        """As ever; the process may stop here."""
        super().passed(name)
        if name == self._stop_at:
            self._stop_at = None
            os.kill(os.getpid(), signal.SIGSTOP)


class Pausing(EffectPoints):
    """Points at which the process dawdles now and then; less while it holds a transaction."""

    def __init__(self, note: Path, seed: int, longest: float) -> None:
        super().__init__(note, None)
        self._random, self._longest = random.Random(seed), longest  # noqa: S311 - repeatable, not secret

    def passed(self, name: str) -> None:
        """As ever, and then perhaps a pause."""
        super().passed(name)
        if self._random.random() < 0.25:
            outside = any(kind in name for kind in ("vault:", "gateway:", "event:"))
            time.sleep(self._random.uniform(0, self._longest if outside else self._longest / 10))


def ignore_the_fence(engine: Engine) -> None:
    """A planted fault: who settles asks neither for version nor for state."""

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def rewrite(
        _c: object, _k: object, statement: str, parameters: object, *_rest: object
    ) -> tuple[str, object]:
        if statement.startswith("UPDATE"):
            statement = _FENCE.sub(r"(\1 OR 1 = 1)", statement)
        return statement, parameters


def ignore_the_lease(engine: Engine) -> None:
    """A planted fault: who claims neither skips what others have locked nor asks for leases."""

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def rewrite(
        _c: object, _k: object, statement: str, parameters: object, *_rest: object
    ) -> tuple[str, object]:
        if "SKIP LOCKED" in statement:
            statement = re.sub(r"\w+\.leased_until IS NULL", "1 = 1", statement)
            statement = statement.replace("FOR UPDATE SKIP LOCKED", "")
        return statement, parameters


def ignore_the_lock(engine: Engine) -> None:
    """A planted fault: who asks locks no row."""

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def rewrite(
        _c: object, _k: object, statement: str, parameters: object, *_rest: object
    ) -> tuple[str, object]:
        return statement.replace("FOR NO KEY UPDATE", ""), parameters


def _dawdling(inside: LineProcess) -> Line:
    """The line of this process with pauses or a stop, and the case system's real address."""
    words, line = inside.plan.words, inside.line
    points: EffectPoints = Pausing(inside.plan.effects, int(words["seed"]), float(words["longest"]))
    if "stop_at" in words:
        points = Stopping(inside.plan.effects, words["stop_at"])
    engine = line.store.engine
    if "fence" in words["spoilt"]:
        ignore_the_fence(engine)
    if "claim" in words["spoilt"]:
        ignore_the_lease(engine)
    gateway, vault = line.gateways["eformidling"], line.vault
    assert isinstance(gateway, WatchedGateway)
    assert isinstance(vault, WatchedVault)
    target = Target(
        host="127.0.0.1", port=int(words["hooks"]), networks=(ip_network("127.0.0.0/8"),)
    )
    sender = WebhookSender(httpx.Client(trust_env=False, timeout=20), [target])
    return replace(
        line,
        store=Store(engine, seal=points.seal, clock=inside.clock),
        gateways={"eformidling": WatchedGateway(gateway.real, points)},
        vault=WatchedVault(vault.real, points),
        events=WatchedSender(sender, points),
        terms=Terms(
            undo_window=timedelta(0),
            min_free_bytes=0,
            lease=timedelta(seconds=float(words["lease"])),
            first_retry=timedelta(seconds=1),
            longest_retry=timedelta(seconds=5),
        ),
    )


def _stopped(inside: LineProcess) -> bool:
    return (inside.folder / STOP).exists()


def work(inside: LineProcess) -> None:
    """The worker of `inbox work` itself, with all its threads."""
    worker = Worker(
        _dawdling(inside),
        poll_seconds=_POLL,
        checkpoints=inside.folder / f"checkpoints-{os.getpid()}.txt",
    )

    def watch() -> None:
        while not _stopped(inside):
            time.sleep(0.05)
        worker.stop()

    threading.Thread(target=watch, daemon=True).start()
    worker.run()


def claim_and_advance(inside: LineProcess) -> None:
    """One thread that collects, claims and advances; nothing is caught that the line lets out."""
    inside.line = _dawdling(inside)
    asks_at = time.monotonic()
    while not _stopped(inside):
        if time.monotonic() >= asks_at:
            asks_at = time.monotonic() + _POLL
            inside.collect()
        if sum(_one(inside.line, number) for number in range(len(QUEUE_ROW_TYPES))) == 0:
            time.sleep(0.02)


def _one(line: Line, number: int) -> bool:
    """One row of a kind, from step to step; a database that is away is waited for."""
    try:
        job = claim(line, QUEUE_ROW_TYPES[number])
    except Unavailable:
        return False
    worked = job is not None
    while job is not None:
        job = advance(line, job)
    return worked
