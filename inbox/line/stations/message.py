"""Stations of a message: route it by its metadata, offer it to a case system, erase it."""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlmodel import col, func, select

from inbox.access import permit
from inbox.access.policy.vocabulary import Action
from inbox.access.question import OfMessage, RequestFacts
from inbox.days import day_of
from inbox.domain import (
    DeliveryState,
    MessageId,
    MessageState,
    Mode,
    OrgNumber,
    TaskState,
    new_id,
)
from inbox.errors import NotDue, PolicyError, WaitingForPeople
from inbox.line import Job, Line, Outcome
from inbox.line.case_systems import capacity_of
from inbox.line.counterparty import routing_metadata
from inbox.line.delivery_events import queue_event
from inbox.line.mail_units import active_unit_or_successor
from inbox.line.settle import has_open_task, lock_only, open_task
from inbox.line.stations.clock_check import check_clock
from inbox.line.stations.erasure_dates import erasure_due_at
from inbox.line.stations.station import Settling
from inbox.line.task_kinds import TaskKind
from inbox.routing.route import Route, deciding_rule, route_by
from inbox.routing.rule_book import Release
from inbox.store import Transaction
from inbox.tables import (
    AuditSalt,
    CaseSystem,
    Delivery,
    Message,
    MessageReference,
    Task,
    Unit,
    WrappedKey,
    table_of,
)

_OFFER_QUERY: Final = (
    select(
        CaseSystem,
        select(func.count())
        .select_from(Delivery)
        .where(col(Delivery.message_id) == sa.bindparam("row"))
        .scalar_subquery(),
        select(Task.id)
        .where(
            col(Task.kind) == TaskKind.LATE_WORD.value,
            col(Task.message_id) == sa.bindparam("row"),
            col(Task.state) == TaskState.OPEN,
        )
        .exists(),
    )
    .select_from(Unit)
    .join(CaseSystem, col(CaseSystem.id) == col(Unit.case_system), isouter=True)
    .where(col(Unit.id) == sa.bindparam("unit"))
)
"""The unit's case system, how many deliveries there were, and whether a late word is undecided."""


@dataclass(frozen=True, kw_only=True)
class ChosenRoute:
    """What the first matching rule says, and the rule book that it stands in."""

    route: Route
    book: str


def route(line: Line, job: Job[Message]) -> Outcome | ChosenRoute:
    """Choose the unit by the first matching rule.

    If none matches, the message waits for archive staff.
    """
    row = job.row
    key, organisation = job.keys[row.id], OrgNumber(row.organisation)
    with line.store.reading_untimed() as session:
        book = line.rule_books.current(session, organisation)
        if book is None:
            unread = line.rule_books.problem(organisation)
            code = "route.no_book" if unread is None else "route.book_unread"
            return Outcome(became=MessageState.UNROUTED, code=code)
        metadata = routing_metadata(line.keyring, session, row, key, as_of=job.now)
    rule = deciding_rule(metadata, book, day_of(job.now))
    if rule is None:
        return Outcome(
            became=MessageState.UNROUTED, code="route.no_rule", values={"book": book.digest}
        )
    if rule.off:
        values = {"rule": rule.id, "book": book.digest}
        return Outcome(became=MessageState.UNROUTED, code="route.rule_off", values=values)
    return ChosenRoute(route=route_by(rule, metadata), book=book.digest)


def record_route(settling: Settling[Message], found: Outcome | ChosenRoute) -> None:
    """Find the living unit: a passive one means its successor, or archive staff and an alarm."""
    if isinstance(found, Outcome):
        settling.move(found)
    else:
        settling.move(_outcome_of_route(settling.tx, found.route, found.book))


def _outcome_of_route(tx: Transaction, found: Route, book: str) -> Outcome:
    values = {"rule": found.rule, "book": book, "urgent": found.urgent}
    unit = active_unit_or_successor(tx, found.unit)
    if unit is None:
        return Outcome(became=MessageState.UNROUTED, code="unit.passive", values=values)
    at_once = found.release is Release.AT_ONCE
    return Outcome(
        became=MessageState.RELEASED if at_once else MessageState.ROUTED,
        values={**values, "unit": unit.id},
        rule=found.rule,
    )


def offer(settling: Settling[Message], found: None) -> None:
    """Open a delivery to the unit's case system, if the policy still permits it."""
    del found
    line, tx, row = settling.line, settling.tx, settling.job.row
    lock_only(tx, Message, row.id)
    system, earlier, late_word = tx.exec(
        _OFFER_QUERY, params={"row": row.id, "unit": row.unit}
    ).one()
    if late_word:
        raise WaitingForPeople("offer.waits_for_late_word")
    if system is None:
        settling.move(_unrouted_outcome("unit.no_case_system"))
        return
    policy = line.policies.current(tx)
    decision = permit(
        tx,
        policy,
        tx.now,
        capacity=capacity_of(system),
        action=Action.OFFER,
        subject=OfMessage(message_id=MessageId(row.id)),
        request=RequestFacts(),
    )
    if not decision.allowed:
        settling.move(_unrouted_outcome("offer.denied"))
        return
    settling.move(Outcome(became=MessageState.OFFERED, rule=decision.rule, policy=decision.digest))
    _open_delivery(tx, row, system, number=earlier + 1)


def _unrouted_outcome(code: str) -> Outcome:
    return Outcome(became=MessageState.UNROUTED, code=code, values={"unit": None})


def _open_delivery(tx: Transaction, row: Message, system: CaseSystem, *, number: int) -> None:
    delivery = Delivery(
        id=new_id(),
        message_id=row.id,
        number=number,
        case_system=system.id,
        state=DeliveryState.OPEN,
        offered_at=tx.now,
    )
    tx.add(delivery)
    tx.flush()
    if system.mode is Mode.WEBHOOK:
        queue_event(tx, delivery)
    if system.mode is Mode.BY_HAND:
        open_task(
            tx,
            kind=TaskKind.COLLECT,
            subject=row.id,
            message_id=row.id,
            unit=row.unit,
        )


def check_erasable(line: Line, job: Job[Message]) -> None:
    """Raise `Unavailable` (`clock.…`) while the clock is in doubt."""
    row = job.row
    if row.registered_at is None and row.refused_at is None:
        raise PolicyError("erase.undecided", "neither registered nor refused by two")
    check_clock(line, OrgNumber(row.organisation))


def erase(settling: Settling[Message], found: None) -> None:
    """Remove the package and destroy the data key; the row stays as a tombstone. Safe to repeat.

    Under the row's lock, so that no late word comes between the last look and the erasing. Whether
    it is due is asked again: it was claimed by an earlier reading of the clock.
    """
    del found
    line, tx, row = settling.line, settling.tx, settling.job.row
    lock_only(tx, Message, row.id)
    if has_open_task(tx, TaskKind.LATE_WORD, row.id):
        raise WaitingForPeople("erase.waits_for_late_word")
    if erasure_due_at(line, row) > tx.now:
        raise NotDue("erase.not_due")
    if not line.erasure_pace.take(line.terms.erasures_per_hour):
        raise WaitingForPeople("erase.pace")
    settling.move(
        Outcome(
            became=MessageState.ERASED,
            values={
                "object_name": None,
                "sealed_envelope": None,
                "sealed_metadata": None,
                "sealed_archive": None,
                "sealed_documents": None,
                "sealed_reference": None,
                "documents_hash": None,
                "erased_at": tx.now,
            },
        )
    )
    _destroy_content(line, tx, row)


def _destroy_content(line: Line, tx: Transaction, row: Message) -> None:
    message_id = row.id
    if row.object_name is not None:
        line.vault.remove(row.object_name)
    key = tx.get_one(WrappedKey, message_id)
    key.kek_id, key.wrapped, key.destroyed_at = None, None, tx.now
    named = table_of(MessageReference)
    tx.execute(sa.delete(named).where(named.c.message_id == message_id))
    for salt in tx.exec(select(AuditSalt).where(col(AuditSalt.message_id) == message_id)):
        salt.salt = b""
    for delivery in tx.exec(select(Delivery).where(col(Delivery.message_id) == message_id)):
        delivery.sealed_text = None
