"""Points at which each row's process dies once: every one that has not been died at before."""

import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import event as sqlalchemy_event
from sqlmodel import Session

from inbox import audit
from inbox.casesystem import DeliveryEvent
from inbox.gateway import ConfirmResult, IncomingPackage, Notice
from inbox.store import Store, Transaction
from inbox.vault import StoredObject
from tests.faults.harness.effect_points import (
    EffectPoints,
    WatchedGateway,
    WatchedSender,
    WatchedVault,
)
from tests.faults.harness.line_process import LineProcess

EVERY = "every"
NONE = "none"


class CrashPoints(EffectPoints):
    """Dies at each point of each row once, over all processes that share the file of deaths.

    So one world dies at all its points, each time going on where the last process was ended. A
    point of a row is known by what happens and the row; a step that makes a new row has only the
    first, because the row has another id each time.
    """

    def __init__(self, folder: Path, note: Path, only: str) -> None:
        super().__init__(note, None)
        self.about = ""
        self._seen: set[str] = set()
        self._folder, self._deaths = folder, folder / "deaths"
        self._only = None if only == EVERY else frozenset(only.split(";")) - {NONE}
        died = self._deaths.read_text().splitlines() if self._deaths.exists() else []
        self._died = set(died)
        self._names = {label.partition("|")[0] for label in died}
        self._server, self._fallen = folder / "postmaster", False

    def passed(self, name: str) -> None:
        """One more; if it is new, the process ends here, or the database if a file names it."""
        super().passed(name)
        self._perhaps_die(name, self.about)

    def seal(self, tx: Transaction) -> None:
        """The audit's own, with one point before and one after each commit."""
        entries: list[audit.Entry] = list(tx.entries)
        audit.seal(tx)
        name = "+".join(dict.fromkeys(map(_step, entries))) or "commit"
        about = "+".join(entry.subject for entry in entries if entry.was)
        super().passed(f"before {name}")
        self._perhaps_die(f"before {name}", about)

        def committed(_: Session) -> None:
            self._note(self._folder / "steps", *map(_step, entries))
            super(CrashPoints, self).passed(f"after {name}")
            self._perhaps_die(f"after {name}", about)

        sqlalchemy_event.listen(tx, "after_commit", committed, once=True)

    def _perhaps_die(self, name: str, about: str) -> None:
        label = f"{name}|{about}"
        if label not in self._seen:
            self._seen.add(label)
            self._note(self._folder / "passed", label)
        if label in self._died:
            return
        if self._fallen or (
            self._only is not None and (name not in self._only or name in self._names)
        ):
            return
        self._died.add(label)
        self._names.add(name)
        self._note(self._deaths, label)
        if self._server.exists():
            self._fallen = True
            number, process = self._server.read_text().split()
            os.kill(int(process), int(number))
        else:
            os.kill(os.getpid(), signal.SIGKILL)

    @staticmethod
    def _note(path: Path, *lines: str) -> None:
        with path.open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))


def _step(entry: audit.Entry) -> str:
    """What a commit settles, as `message:offered/offer<RELEASED`."""
    return f"{entry.event}/{entry.by}" + (f"<{entry.was}" if entry.was else "")


@dataclass(frozen=True)
class _Gateway(WatchedGateway):
    """Its points are about the message or the kvittering."""

    points: CrashPoints

    def waiting_notices(self, at_most: int) -> Iterator[Notice]:
        for notice in self.real.waiting_notices(at_most):
            self.points.about = notice.wire_id
            self.points.passed("after gateway:announced")
            yield notice

    @contextmanager
    def fetch(self, notice: Notice) -> Iterator[IncomingPackage]:
        self.points.about = notice.wire_id
        with super().fetch(notice) as fetched:
            yield fetched

    def confirm(self, notice: Notice) -> ConfirmResult:
        self.points.about = notice.wire_id
        return super().confirm(notice)

    def create_receipt(self, receipt_id: str, body: Mapping[str, object]) -> None:
        self.points.about = receipt_id
        super().create_receipt(receipt_id, body)

    def send_receipt(self, receipt_id: str) -> None:
        self.points.about = receipt_id
        super().send_receipt(receipt_id)


@dataclass(frozen=True)
class _Vault(WatchedVault):
    """Its points are about the arrival, not about the attempt at it."""

    points: CrashPoints

    def store(self, name: str, chunks: Iterable[bytes], key: bytes) -> StoredObject:
        self.points.about = name.partition(".")[0]
        return super().store(name, chunks, key)

    def remove(self, name: str) -> None:
        self.points.about = name.partition(".")[0]
        super().remove(name)


@dataclass(frozen=True)
class _Sender(WatchedSender):
    """Its points are about the event."""

    points: CrashPoints

    def send(self, url: str, secret: bytes, event: DeliveryEvent, now: datetime) -> None:
        self.points.about = event.id
        super().send(url, secret, event, now)


def with_crash_points(inside: LineProcess) -> LineProcess:
    """The same line, dying where the plan's word `die` says: a list of names, or at every one."""
    line, plan = inside.line, inside.plan
    points = CrashPoints(inside.folder, plan.effects, plan.words.get("die", NONE))
    vault, gateway, events = line.vault, line.gateways["eformidling"], line.events
    assert isinstance(vault, WatchedVault)
    assert isinstance(gateway, WatchedGateway)
    assert isinstance(events, WatchedSender)
    watched = replace(
        line,
        store=Store(line.store.engine, seal=points.seal, clock=inside.clock),
        vault=_Vault(vault.real, points),
        gateways={"eformidling": _Gateway(gateway.real, points)},
        events=_Sender(events.real, points),
    )
    return replace(inside, line=watched, points=points)
