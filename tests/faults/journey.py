"""A short journey of two messages, from the gateway's queue to erasure, done by one thread.

One is offered by webhook; the other has no rule, is placed by a person, and is offered for pull.
"""

import hashlib
import os
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import httpx

from inbox.access.policy.vocabulary import Role
from inbox.casesystem.webhook import Target, WebhookSender
from inbox.domain import MessageState
from inbox.line.case_systems import capacity_of
from inbox.line.moves import archive_staff, case_system
from inbox.tables import CaseSystem
from inbox.worker import Worker
from tests.faults.archive import port_of
from tests.faults.inside import Inside

PAUSE = timedelta(minutes=10)
"""Longer than a lease, than what is kept of an answered message, and than any first back-off."""
ROUNDS = 3
"""To the receipt; to its confirmation; to erasure."""
CLIENT = httpx.Client(trust_env=False, timeout=5, limits=httpx.Limits(max_keepalive_connections=0))
"""Made once, for it reads certificates; it keeps no connection, which no fork could share."""


def journey(inside: Inside) -> None:
    """Everything that is to do; safe to begin again by whoever comes after."""
    prepare(inside)
    one_round(inside)
    for _ in range(ROUNDS - 1):
        inside.clock.advance(PAUSE)
        inside.work()
    worker_of(inside)._checkpoint()
    leave(inside)


def finish(inside: Inside) -> None:
    """What whoever comes after a death does, past its lease, with the day's cleaning."""
    inside.clock.advance(PAUSE)
    journey(inside)
    for file in (inside.folder / "vault").rglob("*"):
        os.utime(file, (0, 0))  # A day has passed for files too.
    worker_of(inside)._clean()
    leave(inside)


def prepare(inside: Inside) -> None:
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


def one_round(inside: Inside) -> None:
    """The worker, then people, then the case systems, and the worker after each."""
    inside.collect()
    inside.work()
    people(inside)
    inside.work()
    case_systems(inside)
    inside.work()


def worker_of(inside: Inside) -> Worker:
    """The worker's regular duties; its threads are never started."""
    return Worker(inside.line, poll_seconds=1, checkpoints=inside.folder / "checkpoints.txt")


def people(inside: Inside) -> None:
    """An archivist places what has no rule."""
    for message in inside.messages():
        if message.state is MessageState.UNROUTED:
            anne = inside.person("anne", Role.ARCHIVIST, "desk")
            archive_staff.place_and_release(
                inside.line, anne, message.id, unit="ppt", expected_version=message.version
            )


def case_systems(inside: Inside) -> None:
    """Both read what is theirs, register it in the archive outside, and say so."""
    line = inside.line
    for name in ("sak", "fag"):
        with line.store.reading() as (session, _):
            capacity = capacity_of(session.get_one(CaseSystem, name))
        for delivery in case_system.deliveries(line, capacity):
            got = case_system.collect(line, capacity, delivery.id)
            assert got.message.object_name is not None
            with line.vault.open(got.message.object_name, got.key.object_key()) as source:
                digest = hashlib.sha256(source.read()).hexdigest()
            entry = {"message_id": got.message.wire_id, "sha256": digest}
            url = f"{inside.plan.words['archive']}/entries"
            reference = CLIENT.post(url, json=entry).text
            case_system.acknowledge_registered(line, capacity, delivery.id, reference=reference)


def leave(inside: Inside) -> None:
    """Close the database, as a process that ends does."""
    inside.line.store.engine.dispose()
