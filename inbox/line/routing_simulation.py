"""How other routing rules would have routed recent mail, in counts that reveal no single message.

A group is the messages that went one way and would have gone one way. Only groups of ten or more
are counted, and of smaller ones what the person may list anyway: whatever else a small group holds,
also nothing, everything that is answered is the same.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import load_only
from sqlmodel import Session, col

from inbox.access import permit
from inbox.access.lists.pages import permitted_message_ids
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Effect
from inbox.access.question import Capacity, OfInstallation
from inbox.days import day_of
from inbox.domain import MessageState, Metadata, UnitId
from inbox.errors import NotPermitted
from inbox.keys import DataKey, Keyring, WrappedDataKey
from inbox.line.counterparty import first_registered_by_sender, known_units
from inbox.line.mail_units import active_unit_or_successor
from inbox.line.sealed_content import metadata_of, references_of
from inbox.routing.route import route
from inbox.routing.rule_book import RuleBook
from inbox.store import Transaction
from inbox.tables import Message
from inbox.tables import WrappedKey as WrappedKeyRow

SMALLEST_GROUP: Final = 10
"""The smallest group that is counted for somebody who may not list its messages."""
_PAGE: Final = 200
_RULE_ACTIONS: Final = (
    Action.ROUTE_EDIT,
    Action.ROUTE_APPROVE,
    Action.POLICY_EDIT,
    Action.POLICY_APPROVE,
)
"""A capacity that may do one of these sees the counts of the whole organisation."""
_NOT_ROUTED_YET: Final = (MessageState.RECEIVED, MessageState.QUARANTINED, MessageState.OPENED)
_COLUMNS: Final = (
    *("id", "organisation", "channel", "service", "sender", "sent_at", "received_at"),
    *("document_count", "total_bytes", "sealed_metadata", "unit", "rule"),
)
_Query = sa.Select[Message, str | None, bytes | None, bool]
_QueryRow = sa.Row[Message, str | None, bytes | None, bool]


@dataclass(frozen=True, kw_only=True)
class RoutingResult:
    """The result of routing a message: the rule and the unit.

    Both are None if a person must place it.
    """

    rule: str | None
    unit: str | None


NOT_ROUTED: Final = RoutingResult(rule=None, unit=None)
BeforeAndAfter = tuple[RoutingResult, RoutingResult]
"""How it went, how it would go."""
GroupCounts = Mapping[BeforeAndAfter, int]
"""What may be shown: every group with its number; what is not here is fewer than ten."""


@dataclass(kw_only=True)
class _Tally:
    all: Counter[BeforeAndAfter] = field(default_factory=Counter)
    listed: Counter[BeforeAndAfter] = field(default_factory=Counter)

    def disclosable(self) -> GroupCounts:
        counted = {
            group: number if number >= SMALLEST_GROUP else self.listed[group]
            for group, number in self.all.items()
        }
        return {group: number for group, number in counted.items() if number}


@dataclass(frozen=True, kw_only=True)
class SimulationRequest:
    """A simulation request: whose mail, since when, by which rules.

    `on` is the day whose rules apply.
    """

    capacity: Capacity
    book: RuleBook
    since: datetime
    on: date | None = None


def simulate(
    keyring: Keyring, tx: Transaction, policy: Policy, request: SimulationRequest
) -> GroupCounts:
    """Route again every message that has been routed since the given time, a page at a time.

    Nothing is written.

    Those who rule on rules count all mail of their organisation, others what they may `route`.
    Raises `NotPermitted` for a capacity that may do neither.
    """

    @cache
    def living(unit: str) -> str | None:
        found = active_unit_or_successor(tx, unit)
        return None if found is None else found.id

    query = _query(tx, policy, request)
    senders = first_registered_by_sender(tx, request.capacity.organisation)
    tally = _Tally()
    for page in _pages(tx, query):
        for row, metadata, is_listed in _with_metadata(keyring, tx, page, senders):
            found = route(metadata, request.book, request.on or day_of(row.received_at))
            went = RoutingResult(rule=row.rule, unit=row.unit)
            goes = (
                NOT_ROUTED
                if found is None
                else RoutingResult(rule=found.rule, unit=living(found.unit))
            )
            tally.all[went, goes] += 1
            tally.listed[went, goes] += is_listed
    return tally.disclosable()


def _query(tx: Transaction, policy: Policy, question: SimulationRequest) -> _Query:
    capacity = question.capacity
    listed = permitted_message_ids(policy, capacity, tx.now, Action.LIST).subquery()
    query = (
        sa.select(
            Message,
            col(WrappedKeyRow.kek_id),
            col(WrappedKeyRow.wrapped),
            listed.c.id.is_not(None),
        )
        .join(WrappedKeyRow, col(WrappedKeyRow.id) == col(Message.id))
        .outerjoin(listed, listed.c.id == col(Message.id))
        .where(
            col(Message.organisation) == capacity.organisation,
            col(Message.received_at) >= question.since,
            col(Message.state).not_in(_NOT_ROUTED_YET),
            col(Message.sealed_metadata).is_not(None),
            col(WrappedKeyRow.kek_id).is_not(None),
            col(WrappedKeyRow.wrapped).is_not(None),
        )
        .options(load_only(*(getattr(Message, name) for name in _COLUMNS)))
        .execution_options(yield_per=_PAGE)
    )
    if _may_see_all_counts(tx, policy, capacity):
        return query
    if not any(
        rule.effect is Effect.ALLOW and rule.applies_to(Action.ROUTE, capacity.role)
        for rule in policy.rules
    ):
        raise NotPermitted("not_permitted", "simulate")
    routed = permitted_message_ids(policy, capacity, tx.now, Action.ROUTE).subquery()
    return query.join(routed, routed.c.id == col(Message.id))


def _may_see_all_counts(tx: Transaction, policy: Policy, capacity: Capacity) -> bool:
    return any(
        permit(
            tx, policy, tx.now, capacity=capacity, action=action, subject=OfInstallation()
        ).allowed
        for action in _RULE_ACTIONS
    )


def _pages(session: Session, query: _Query) -> Iterator[Sequence[_QueryRow]]:
    for page in session.execute(query).partitions():
        for row, _, _, _ in page:
            session.expunge(row)
        yield page


def _with_metadata(
    keyring: Keyring,
    session: Session,
    page: Sequence[_QueryRow],
    senders: Mapping[str, datetime],
) -> Iterator[tuple[Message, Metadata, bool]]:
    """The messages of a page with what routing may see of them."""
    keys = {
        row.id: keyring.unwrap(WrappedDataKey(kek_id=kek_id, wrapped=wrapped))
        for row, kek_id, wrapped, _ in page
        if kek_id is not None and wrapped is not None
    }
    known = known_units(
        keyring, session, [(row, references_of(row, keys[row.id])) for row, _, _, _ in page]
    )
    for row, _, _, is_listed in page:
        yield row, _metadata(row, keys[row.id], known.get(row.id), senders), is_listed


def _metadata(
    row: Message, key: DataKey, unit: UnitId | None, senders: Mapping[str, datetime]
) -> Metadata:
    first = senders.get(row.sender or "")
    return metadata_of(
        row,
        key,
        sender_known=unit is not None or (first is not None and first <= row.received_at),
        known_unit=unit,
    )
