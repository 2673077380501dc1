"""A short journey of two messages, from the gateway's queue to erasure, done by one thread.

One is offered by webhook; the other has no rule, is placed by a person, and is offered for pull.
"""

import hashlib
import json
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import httpx

from inbox.access.policy.vocabulary import Role
from inbox.casesystem.webhook import Target, WebhookSender
from inbox.domain import MessageState
from inbox.errors import InboxError
from inbox.line.case_systems import capacity_of
from inbox.line.moves import archive_staff, case_system
from inbox.line.upkeep.orphans import SETTLED_AFTER, clean_vault
from inbox.tables import CaseSystem
from inbox.worker import Worker
from tests.faults.harness.external_archive import port_of
from tests.faults.harness.line_process import LineProcess
from tests.worker_thread import work_once

PAUSE = timedelta(minutes=10)
"""Longer than a lease, than what is kept of an answered message, and than any first back-off."""
ROUNDS = 3
"""To the receipt; to its confirmation; to erasure."""
CLIENT = httpx.Client(trust_env=False, timeout=5, limits=httpx.Limits(max_keepalive_connections=0))
"""Made once, for it reads certificates; it keeps no connection, which no fork could share."""


def journey(inside: LineProcess) -> None:
    """Everything that is to do; safe to begin again by whoever comes after."""
    prepare(inside)
    one_round(inside)
    for _ in range(ROUNDS - 1):
        inside.clock.advance(PAUSE)
        inside.work()
    worker_of(inside)._checkpoint()
    close_database(inside)


def recover_and_finish(inside: LineProcess) -> None:
    """What whoever comes after a death does, past its lease, with the cleaning of many days."""
    inside.clock.advance(PAUSE)
    journey(inside)
    for _ in range(2):  # What no row names is set aside, and removed days later.
        for file in (inside.folder / "vault").rglob("*"):
            os.utime(file, (0, 0))
        clean_vault(inside.line, running_for=SETTLED_AFTER)
    close_database(inside)


def prepare(inside: LineProcess) -> None:
    """Content is kept for a moment only, and webhooks go to the archive outside."""
    target = Target(
        host="127.0.0.1",
        port=port_of(inside.plan.words["archive"]),
        networks=(ip_network("127.0.0.0/8"),),
    )
    inside.line = replace(
        inside.line,
        events=WebhookSender(CLIENT, [target]),
        terms=replace(inside.line.terms, keep_content=timedelta(minutes=5)),
    )


def one_round(inside: LineProcess) -> None:
    """The worker, then people, then the case systems, and the worker after each."""
    inside.collect()
    inside.work()
    place_unrouted(inside)
    inside.work()
    register_deliveries(inside)
    inside.work()


def worker_of(inside: LineProcess) -> Worker:
    """The worker's regular duties; its threads are never started."""
    return Worker(inside.line, poll_seconds=1, checkpoints=inside.folder / "checkpoints.txt")


def place_unrouted(inside: LineProcess) -> None:
    """An archivist places what has no rule."""
    for message in inside.messages():
        if message.state is MessageState.UNROUTED:
            anne = inside.person("anne", Role.ARCHIVIST, "desk")
            archive_staff.place_and_release(
                inside.line, anne, message.id, unit="ppt", expected_version=message.version
            )


def register_deliveries(inside: LineProcess) -> None:
    """Both read what is theirs, register it in the archive outside, and say so."""
    line = inside.line
    for name in ("sak", "fag"):
        with line.store.reading() as tx:
            capacity = capacity_of(tx.get_one(CaseSystem, name))
        for delivery in case_system.deliveries(line, capacity):
            got = case_system.collect(line, capacity, delivery.id)
            assert got.message.object_name is not None
            with line.vault.open(got.message.object_name, got.key.object_key()) as source:
                digest = hashlib.sha256(source.read()).hexdigest()
            entry = {"message_id": got.message.wire_id, "sha256": digest}
            url = f"{inside.plan.words['archive']}/entries"
            reference = CLIENT.post(url, json=entry).text
            case_system.acknowledge_registered(line, capacity, delivery.id, reference=reference)


def close_database(inside: LineProcess) -> None:
    """Close the database, as a process that ends does."""
    inside.line.store.engine.dispose()


_LONGEST = 100


class _Troubles(logging.Handler):
    """What the worker says has failed: kinds of errors, and codes."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds, self.codes = set[str](), set[str]()

    def emit(self, record: logging.LogRecord) -> None:
        fields = getattr(record, "inbox_fields", {})
        if "error" in fields:
            self.kinds.add(fields["error"])
            self.codes.add(str(fields.get("code")))

    def met(self, error: Exception) -> None:
        """One that people or case systems met."""
        self.kinds.add(type(error).__name__)
        self.codes.add(error.code if isinstance(error, InboxError) else "internal")


def journey_on_failing_disk(inside: LineProcess) -> None:
    """Work while the disk fails; stop, for whoever is to end the trouble; and go on by itself."""
    prepare(inside)
    troubles = _Troubles()
    logger = logging.getLogger("inbox")
    logger.addHandler(troubles)
    logger.propagate = False
    for _ in range(2):
        _a_while(inside, troubles)
        inside.clock.advance(timedelta(minutes=10))
    os.kill(os.getpid(), signal.SIGSTOP)
    for _ in range(4):
        inside.clock.advance(timedelta(hours=1))
        _a_while(inside, troubles)
    report = {"kinds": sorted(troubles.kinds), "codes": sorted(troubles.codes)}
    report_of(inside.folder).write_text(json.dumps(report))
    close_database(inside)


def report_of(folder: Path) -> Path:
    """Where a process says what it met."""
    return folder / "troubles.json"


def _a_while(inside: LineProcess, troubles: _Troubles) -> None:
    worker = worker_of(inside)

    def attempt(duty: Callable[[], object]) -> bool:
        try:
            return bool(duty())
        except Exception as error:  # noqa: BLE001 - noted, and judged outside
            troubles.met(error)
            return False

    def work() -> None:
        for _ in range(_LONGEST):
            if not work_once(worker):
                return
        raise AssertionError("the line does not come to rest")

    attempt(lambda: worker._poll_gateway("eformidling"))
    attempt(work)
    attempt(lambda: place_unrouted(inside))
    attempt(work)
    attempt(lambda: register_deliveries(inside))
    attempt(work)
    with suppress(InboxError, OSError):
        worker._checkpoint()
