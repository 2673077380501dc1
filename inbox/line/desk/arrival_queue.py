"""The queue *Ikke mottatt*: arrivals that never became ours, and one of them for a page."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import col, select

from inbox.access.lists.arrivals import ListedArrival, missed_arrivals
from inbox.access.lists.cursor import Cursor, read_cursor
from inbox.access.lists.pages import MAX_PAGE_ROWS, permitted_message_ids
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Decision
from inbox.access.question import Capacity, RequestFacts
from inbox.access.several import permitted_actions
from inbox.domain import ArrivalId, ArrivalState, OrgNumber, ProposalState
from inbox.errors import IntegrityError, Invalid, NotFound, PackageRejected
from inbox.keys import WrappedDataKey
from inbox.line import Line
from inbox.line.authorize import arrival_subject
from inbox.line.desk.deadlines import age_in_working_days
from inbox.line.desk.queue_row import sender_name
from inbox.line.desk.short_reference import short_reference_of
from inbox.line.people_lists import listing_snapshot, policy_without_duties
from inbox.package.envelope import Envelope, read_envelope
from inbox.store import Transaction
from inbox.tables import Arrival, Message, Proposal, WrappedKey

_LOOKED_AT: Final = 200
"""Of the newest mail of the senders on a page."""
_ACTIONS: Final = (Action.ROUTE, Action.REFETCH, Action.PROPOSE)


@dataclass(frozen=True, kw_only=True)
class ArrivalRow:
    """An arrival that was missed. Nothing that its envelope says of the sender is signed."""

    id: ArrivalId
    reference: str
    version: int
    state: ArrivalState
    code: str | None
    """Why it did not come."""
    channel: str
    announced_at: datetime
    age: int
    expires_at: datetime | None
    """When the gateway gives it up, where that is known."""
    misses: int
    sender: OrgNumber | None
    """None where no envelope is kept that can be read."""
    sender_name: str | None
    """Of whom this number is by mail that was registered; None where there is none to see."""
    process: str | None
    wire_id: str
    """The sender's own id of the message, to ask the sender by."""


@dataclass(frozen=True, kw_only=True)
class ArrivalQueuePage:
    """Arrivals, oldest first, and the cursor of the next page."""

    made_at: datetime
    rows: tuple[ArrivalRow, ...]
    cursor: str | None


@dataclass(frozen=True, kw_only=True)
class ArrivalView:
    """One arrival, with what this capacity may do to it."""

    made_at: datetime
    row: ArrivalRow
    decisions: Mapping[Action, Decision]
    """`refetch`, `propose`, `route`."""
    open_proposal: str | None
    """The id of an open proposal to give it up, if there is one."""


def arrival_page(
    line: Line, capacity: Capacity, *, after: str | None = None, at_most: int = 50
) -> ArrivalQueuePage:
    """One page of what was missed, oldest first, after a cursor. Raises as `queue_page` does."""
    if not 1 <= at_most <= MAX_PAGE_ROWS:
        raise Invalid("list.page_size", f"a page has 1 to {MAX_PAGE_ROWS} rows")
    place = None if after is None else read_cursor(after)
    with listing_snapshot(line) as (tx, policy):
        free = policy_without_duties(policy, Action.ROUTE, capacity.role)
        found = missed_arrivals(
            tx, free, tx.now, capacity=capacity, after=place, at_most=at_most + 1
        )
        shown = found[:at_most]
        rows = _rows(_Reading(line=line, tx=tx, policy=free, capacity=capacity), shown)
    last = Cursor(at=shown[-1].announced_at, id=shown[-1].id).as_text() if shown else None
    return ArrivalQueuePage(
        made_at=tx.now,
        rows=rows,
        cursor=last if len(found) > at_most else None,
    )


def arrival_view(line: Line, capacity: Capacity, arrival_id: str) -> ArrivalView:
    """One arrival. Raises `NotFound` where there is none or it is not this capacity's to see."""
    with listing_snapshot(line) as (tx, policy):
        decisions = permitted_actions(
            tx,
            policy,
            tx.now,
            capacity=capacity,
            subject=arrival_subject(arrival_id),
            actions=_ACTIONS,
            request=RequestFacts(reason_given=True),
        )
        if not decisions[Action.ROUTE].deny_unless_met(()).allowed:
            raise NotFound
        row = tx.get_one(Arrival, arrival_id)
        stored = tx.get(WrappedKey, arrival_id)
        proposal = tx.exec(
            select(Proposal.id).where(
                col(Proposal.subject_id) == arrival_id,
                col(Proposal.state) == ProposalState.OPEN,
                col(Proposal.expires_at) > tx.now,
            )
        ).first()
        listed = ListedArrival(
            **{
                name: getattr(row, name)
                for name in ListedArrival._fields
                if name not in {"kek_id", "wrapped"}
            },
            kek_id=None if stored is None else stored.kek_id,
            wrapped=None if stored is None else stored.wrapped,
        )
        free = policy_without_duties(policy, Action.ROUTE, capacity.role)
        [seen] = _rows(_Reading(line=line, tx=tx, policy=free, capacity=capacity), [listed])
        return ArrivalView(
            made_at=tx.now,
            row=seen,
            decisions=decisions,
            open_proposal=proposal,
        )


def envelope_of(line: Line, arrival: ListedArrival) -> Envelope | None:
    """The envelope of an arrival; None where none is kept that can be read."""
    if arrival.sealed_envelope is None or arrival.kek_id is None or arrival.wrapped is None:
        return None
    try:
        key = line.keyring.unwrap(WrappedDataKey(kek_id=arrival.kek_id, wrapped=arrival.wrapped))
        return read_envelope(
            key.unseal(
                arrival.sealed_envelope, table="arrival", column="sealed_envelope", row=arrival.id
            )
        )
    except (IntegrityError, PackageRejected):
        return None


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """What the rows of a page share; the policy is that without duties."""

    line: Line
    tx: Transaction
    policy: Policy
    capacity: Capacity


def _rows(reading: _Reading, arrivals: Sequence[ListedArrival]) -> tuple[ArrivalRow, ...]:
    """The rows, with the names of their senders: one statement for all."""
    envelopes = [envelope_of(reading.line, each) for each in arrivals]
    names = _known_names(reading, {each.sender for each in envelopes if each is not None})
    return tuple(
        _row(arrival, envelope, names, reading.tx.now)
        for arrival, envelope in zip(arrivals, envelopes, strict=True)
    )


def _known_names(
    reading: _Reading, senders: Collection[OrgNumber | None]
) -> Mapping[OrgNumber, str]:
    """What certificates call these senders, by mail that this capacity may know of."""
    visible = permitted_message_ids(reading.policy, reading.capacity, reading.tx.now, Action.ROUTE)
    found = reading.tx.exec(
        select(Message.sender, Message.verdict)
        .where(
            col(Message.organisation) == reading.capacity.organisation,
            col(Message.sender).in_(sorted(each for each in senders if each is not None)),
            col(Message.registered_at).is_not(None),
            col(Message.id).in_(visible),
        )
        .order_by(col(Message.registered_at).desc())
        .limit(_LOOKED_AT)
    ).all()
    names = ((OrgNumber(sender or ""), verdict) for sender, verdict in reversed(found))
    said = ((sender, sender_name(verdict, sender)) for sender, verdict in names)
    return {sender: name for sender, name in said if name is not None}


def _row(
    arrival: ListedArrival,
    envelope: Envelope | None,
    names: Mapping[OrgNumber, str],
    now: datetime,
) -> ArrivalRow:
    sender = None if envelope is None else envelope.sender
    return ArrivalRow(
        id=arrival.id,
        reference=short_reference_of(arrival.id),
        version=arrival.version,
        state=arrival.state,
        code=arrival.code,
        channel=arrival.channel,
        announced_at=arrival.announced_at,
        age=age_in_working_days(arrival.announced_at, now),
        expires_at=arrival.expires_at,
        misses=arrival.misses,
        sender=sender,
        sender_name=None if sender is None else names.get(sender),
        process=None if envelope is None else envelope.process,
        wire_id=arrival.wire_id,
    )
