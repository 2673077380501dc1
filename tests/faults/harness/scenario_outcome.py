"""What a telling of the story has come to, seen from outside, and beside one that went unharmed."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlmodel import Session, col, select

from inbox.audit.state import verify_state
from inbox.audit.verify import verify
from inbox.domain import ArrivalState, OutboxState, TaskState
from inbox.errors import InboxError, Unavailable
from inbox.line import Line
from inbox.line.queue import unwrap_stored_key
from inbox.line.task_kinds import TaskKind
from inbox.tables import (
    AccessGrant,
    Arrival,
    Delivery,
    Message,
    Note,
    Outbox,
    Proposal,
    Receipt,
    Task,
    WrappedKey,
)
from tests import databases
from tests.faults.harness.doubled_events import doubled_events
from tests.faults.harness.gateway_monitor import Violation
from tests.faults.harness.scenario import PARTS
from tests.faults.harness.scenario_supervisor import ScenarioRun, scenario_run

End = Mapping[str, list[str]]
"""What the rows of one part of the story have come to."""
Ends = Mapping[str, End]


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A telling in which nobody died."""

    ends: Ends
    steps: frozenset[str]
    points: Counter[str]
    """How many rows passed each point, reminders apart: how many there are depends on the time."""


def check_each_gateway_call(told: ScenarioRun) -> None:
    """Let the gateway look, at each call, at what is on disk and in the archive at that moment."""
    line = told.outside.line

    def may_delete(wire_id: str) -> bool:
        try:
            return is_in_custody(line, wire_id, told.digests[wire_id])
        except Unavailable:  # The database has just been killed: the end will show it.
            return True

    told.witness.may_delete = may_delete
    told.witness.may_say_ok = lambda wire_id: bool(
        told.archive.held().get(_original(told, wire_id))
    )


def _original(told: ScenarioRun, wire_id: str) -> str:
    """A duplicate is answered by the entry of what it repeats."""
    name = next(name for name, known in told.wire_ids.items() if known == wire_id)
    return told.wire_ids["straight"] if "a duplicate" in name else wire_id


def is_in_custody(line: Line, wire_id: str, digest: str) -> bool:
    """Whether the very bytes are in the vault, under a row and a key that have been committed."""
    with line.store.reading() as tx:
        arrivals = tx.exec(select(Arrival).where(col(Arrival.wire_id) == wire_id)).all()
        if any(arrival.state is ArrivalState.ABANDONING for arrival in arrivals):
            return True
        message = tx.exec(select(Message).where(col(Message.wire_id) == wire_id)).first()
        if message is None or message.digest != digest:
            return False
        if message.erased_at is not None:
            return True
        return _digest_in_vault(tx, line, message) == digest


def _digest_in_vault(session: Session, line: Line, message: Message) -> str:
    stored = session.get(WrappedKey, message.id)
    key = None if stored is None else unwrap_stored_key(line, stored)
    if key is None or message.object_name is None:
        return ""
    try:
        with line.vault.open(message.object_name, key.object_key()) as source:
            return sha256(source.read()).hexdigest()
    except InboxError:
        return ""


_BY_AGE = {TaskKind.UNCOLLECTED}
"""Tasks that people have for a while because what waits grew old, as it does from kill to kill."""


def judge(told: ScenarioRun, unharmed: Ends) -> set[tuple[Violation, str]]:
    """Everything that must not be, by the name of the part of the story."""
    ends = ends_of(told)
    by_id = {wire_id: name for name, wire_id in told.wire_ids.items()}
    found = {(wrong, by_id.get(wire_id, wire_id)) for wrong, wire_id in told.witness.wrong}
    found |= {(wrong, name) for name in told.names for wrong in _of_part(told, name, ends[name])}
    heard = {event for events in told.hook.events.values() for event in events}
    if doubled_events(told.outside.line, heard):
        found.add((Violation.TOLD_TWICE, ""))
    found |= {(Violation.OTHER_END, name) for name in told.names if ends[name] != unharmed[name]}
    outside = told.outside.line
    with outside.store.reading() as tx:
        unexplained = verify_state(tx, outside.keyring.row_key()).findings
        if unexplained or not verify(tx, outside.keyring, []).holds:
            found.add((Violation.AUDIT, ""))
    return found


def _of_part(told: ScenarioRun, name: str, ends: End) -> Iterator[Violation]:
    part, wire_id = PARTS[name], told.wire_ids[name]
    missing = part.odd == "goes missing"
    if wire_id in told.witness.queue():
        yield Violation.STILL_WAITS
    elif not missing and not is_in_custody(told.outside.line, wire_id, told.digests[wire_id]):
        yield Violation.LOST
    entries = len(told.archive.held().get(wire_id, ()))
    if entries != part.entries:
        yield Violation.REGISTERED_TWICE if entries > part.entries else Violation.NOT_REGISTERED
    answers = [
        receipt["receiptType"]
        for receipt in told.witness.receipts_at_sender()
        if receipt["relatedToMessageId"] == wire_id
    ]
    if len(answers) > 1:
        yield Violation.ANSWERED_TWICE
    elif part.answer is not None and not answers:
        yield Violation.UNANSWERED
    elif set(answers) - {part.answer}:
        yield Violation.OTHER_ANSWER
    if wire_id in told.witness.unsent.values():
        yield Violation.LEFT_BEHIND
    if any(step.told for step in part.steps) and "heard" not in ends["outbox"]:
        yield Violation.NEVER_TOLD


def ends_of(told: ScenarioRun) -> Ends:
    """What the rows of each part have come to, without anything that differs from run to run."""
    with told.outside.line.store.reading() as tx:
        return {name: _end(tx, wire_id, told.hook.taken) for name, wire_id in told.wire_ids.items()}


def _end(session: Session, wire_id: str, heard: Container[str]) -> End:
    arrivals = session.exec(select(Arrival).where(col(Arrival.wire_id) == wire_id)).all()
    messages = session.exec(select(Message).where(col(Message.wire_id) == wire_id)).all()
    ids = [row.id for row in arrivals] + [row.id for row in messages]
    deliveries = session.exec(
        select(Delivery).where(col(Delivery.message_id).in_(ids)).order_by(col(Delivery.number))
    ).all()
    receipts = session.exec(select(Receipt).where(col(Receipt.message_id).in_(ids))).all()
    grants = session.exec(select(AccessGrant).where(col(AccessGrant.message_id).in_(ids))).all()
    notes = session.exec(select(Note.number).where(col(Note.message_id).in_(ids))).all()
    ids += [receipt.id for receipt in receipts] + [grant.id for grant in grants]
    events = select(Outbox).where(col(Outbox.message_id).in_(ids)).order_by(col(Outbox.created_at))
    outbox = _first_of_each_delivery(session.exec(events))
    proposals = session.exec(select(Proposal).where(col(Proposal.subject_id).in_(ids)))
    tasks = session.exec(select(Task).where(col(Task.subject_id).in_(ids))).all()
    return {
        "arrivals": sorted(row.state for row in arrivals),
        "messages": sorted(row.state for row in messages),
        "deliveries": [f"{row.number} {row.state}" for row in deliveries],
        "receipts": sorted(f"{row.outcome} {row.number} {row.state}" for row in receipts),
        "outbox": sorted(_heard(row, heard) for row in outbox),
        "proposals": sorted(f"{row.kind} {row.state}" for row in proposals),
        "access": sorted(row.kind for row in grants),
        "held": sorted(row.held_for for row in messages if row.held_for is not None),
        "notes": sorted(map(str, notes)),
        "tasks": sorted(row.kind for row in tasks if row.state is TaskState.OPEN),
        "done": sorted({row.kind for row in tasks if row.state is TaskState.DONE} - _BY_AGE),
    }


def _first_of_each_delivery(events: Iterable[Outbox]) -> list[Outbox]:
    """Without reminders, of which there are more the later a delivery is collected.

    Whether a reminder came too soon is judged of all of them (`doubled_events`).
    """
    first: dict[tuple[str, str], Outbox] = {}
    for event in events:
        first.setdefault((event.delivery_id, event.kind), event)
    return list(first.values())


def _heard(event: Outbox, heard: Container[str]) -> str:
    """Whether the case system heard, and not whether the line knows: it may have died between.

    Whoever hears and registers at once makes the event that was heard already one to drop.
    """
    if event.state is OutboxState.DROPPED:
        return "heard" if event.delivery_id in heard else "dropped"
    return "heard" if event.state is OutboxState.SENT and event.delivery_id in heard else "wrong"


def names_of(labels: Iterable[str]) -> Counter[str]:
    """How many different rows there are of each point."""
    return Counter(label.partition("|")[0] for label in set(labels))


@cache
def baseline_outcome(names: tuple[str, ...] = tuple(PARTS)) -> Baseline:
    """The story told once on SQLite by one process for each chapter, and judged by itself."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        with scenario_run(databases.sqlite_database(folder), folder, names) as told:
            check_each_gateway_call(told)
            told.tell()
            ends = ends_of(told)
            wrong = judge(told, ends)
            assert not wrong, wrong
            return Baseline(
                ends=ends,
                steps=frozenset(told.noted("steps")),
                points=_points(told),
            )


def _points(told: ScenarioRun) -> Counter[str]:
    with told.outside.line.store.reading() as tx:
        events = tx.exec(select(Outbox).order_by(col(Outbox.created_at))).all()
    reminders = {event.id for event in events} - {e.id for e in _first_of_each_delivery(events)}
    passed = told.noted("passed")
    return names_of(label for label in passed if label.partition("|")[2] not in reminders)
