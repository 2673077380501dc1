"""A message as the people of its unit see it, and what this person may do to it now.

The title is shown to those who may list it. What is in it is read on its own, by `moves.content`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from inbox.access.lists.cursor import Cursor
from inbox.access.lists.pages import permitted_message_ids
from inbox.access.policy.vocabulary import Action, Decision
from inbox.access.question import Capacity, RequestFacts
from inbox.access.several import permitted_actions
from inbox.domain import MessageId
from inbox.errors import IntegrityError, NotFound
from inbox.keys import DataKey
from inbox.language import TextLanguage
from inbox.line import Line
from inbox.line.authorize import message_subject
from inbox.line.desk.message.facts import (
    EnvelopeFacts,
    OpenProposal,
    OpenTask,
    envelope_facts,
    proposals_of,
    tasks_of,
)
from inbox.line.desk.message.found import FoundMessage, find_message
from inbox.line.desk.message.history import HistoryLine, history_of
from inbox.line.desk.message.lamps import Lamps, SenderSees, lamps_of, sender_sees
from inbox.line.desk.message.marks import message_marks
from inbox.line.desk.message.verdict_sentence import verdict_details, verdict_sentence
from inbox.line.desk.message_view import OF_MESSAGES, Neighbours
from inbox.line.desk.placings import PlacedMessage
from inbox.line.desk.queue_row import QueueRow
from inbox.line.desk.queues import DeskReading, begin_reading
from inbox.line.people_lists import audit_shown, listing_snapshot, policy_without_duties
from inbox.line.proposals.quarantine_release import release_facts
from inbox.line.sealed_content import titles_in, unseal_json
from inbox.line.stations.erasure_dates import erasure_due_at
from inbox.line.unit_inbox.holdings import Holdings, holdings_of
from inbox.line.unit_inbox.lists import (
    NOT_NARROWED,
    ListFilters,
    UnitList,
    UnitSide,
    neighbours_in_list,
    row_in_unit,
    side_of_unit,
)
from inbox.line.unit_inbox.reasons import RowOfPolicy, deciding_row, nearest_rows

_CHOSEN_LATER: Final[Mapping[str, bool]] = {
    "target_in_unit": True,
    "target_cleared": True,
    "target_conflict": False,
    "target_is_self": False,
}
"""Of the person to whom something will be given: the form offers those for whom it holds."""


@dataclass(frozen=True, kw_only=True)
class UnitMessageView:
    """Everything on the page of a message for the people of its unit, but its content."""

    made_at: datetime
    row: QueueRow
    title: str | None = field(repr=False)
    """Of the first entry; None where there is none (any more), or it does not open."""
    case_title: str | None = field(repr=False)
    holdings: Holdings
    leaders: tuple[str, ...]
    """Names of the unit's leaders."""
    envelope: EnvelopeFacts
    verdict: str | None
    """One sentence, in the reader's language."""
    verdict_details: tuple[str, ...]
    history: tuple[HistoryLine, ...]
    lamps: Lamps
    sender_sees: SenderSees
    proposals: tuple[OpenProposal, ...]
    tasks: tuple[OpenTask, ...]
    neighbours: Neighbours | None
    same_as: tuple[MessageId, ...]
    """Earlier messages with the same documents that the capacity may see too."""
    decisions: Mapping[Action, Decision]
    """All actions on the message, as if after a strong sign-in and with all that a form asks for:
    what the page can offer. The deed is decided anew."""
    opens_by: RowOfPolicy | None
    """The row of the policy by which this person may read it; None if there is none."""
    missing: tuple[RowOfPolicy, ...]
    """The rows that come nearest, with what is missing; empty for somebody who may read it."""
    erased_at: datetime | None
    """When its content is to be erased; None while that is not known."""
    kept_for: timedelta
    """How long the content is kept after the kvittering."""
    side: UnitSide
    told: PlacedMessage | None
    """How another message stands, if it was asked for."""


def unit_message_view(  # noqa: PLR0913 - what a page is asked for
    line: Line,
    capacity: Capacity,
    message_id: str,
    *,
    language: TextLanguage = TextLanguage.NB,
    which: UnitList | None = None,
    filters: ListFilters = NOT_NARROWED,
    tell_of: str | None = None,
) -> UnitMessageView:
    """The message for this capacity, with its neighbours in the list it was reached from.

    Raises `NotFound` where there is none, or this capacity may not list it.
    """
    with listing_snapshot(line) as (tx, policy):
        free = policy_without_duties(policy, Action.LIST, capacity.role)
        visible = permitted_message_ids(free, capacity, tx.now, Action.LIST)
        found, told = find_message(tx, message_id, capacity, visible, tell_of)
        message = None if found is None else found.message
        decisions = permitted_actions(
            tx,
            policy,
            tx.now,
            capacity=replace(capacity, strong_auth=True),
            subject=message_subject(message_id),
            actions=OF_MESSAGES,
            request=_complete(release_facts(policy, message, ())),
            as_if=_CHOSEN_LATER,
        )
        lists = permitted_actions(
            tx,
            policy,
            tx.now,
            capacity=capacity,
            subject=message_subject(message_id),
            actions=(Action.LIST,),
        )[Action.LIST]
        if found is None or not lists.allowed:
            raise NotFound
        reading = begin_reading(line, tx, policy, capacity, Action.LIST)
        view = _view(reading, found, language, decisions, visible)
        place = Cursor(at=found.message.received_at, id=found.message.id)
        neighbours = None
        if which is not None:
            before, after = neighbours_in_list(reading, which, filters, place)
            neighbours = Neighbours(previous=before, next=after)
    if lists.duties and not audit_shown(line, capacity, Action.LIST, message_id):
        raise NotFound
    return replace(view, neighbours=neighbours, told=told)


def _complete(given: RequestFacts) -> RequestFacts:
    return replace(
        given, reason_given=True, reference_given=True, period_given=True, same_documents=True
    )


def _view(
    reading: DeskReading,
    found: FoundMessage,
    language: TextLanguage,
    decisions: Mapping[Action, Decision],
    visible: sa.Select[str],
) -> UnitMessageView:
    line, tx, capacity, message = reading.line, reading.tx, reading.capacity, found.message
    marks = message_marks(tx, message, visible, capacity.role)
    key = found.key(line)
    sealed, documents = found.unsealed(key)
    title, case_title = _titles(found, key)
    leaves = [each.leaf for each in marks["entry"] if each.leaf is not None]
    progress = found.progress(leaves)
    names = {each.id or "": each.text or "" for each in (*marks["archivist"], *marks["colleague"])}
    return UnitMessageView(
        made_at=tx.now,
        row=row_in_unit(reading, found.queued()),
        title=title,
        case_title=case_title,
        holdings=holdings_of(tx, capacity, [message.id])[MessageId(message.id)],
        leaders=tuple(each.text or "" for each in marks["leader"] if each.id == message.unit),
        envelope=envelope_facts(message, sealed, documents),
        verdict=verdict_sentence(message.verdict, language),
        verdict_details=verdict_details(message.verdict, language),
        history=history_of(leaves, names, viewer=capacity.id),
        lamps=lamps_of(progress),
        sender_sees=sender_sees(progress),
        proposals=proposals_of(marks["proposal"], capacity),
        tasks=tasks_of(marks["task"]),
        neighbours=None,
        same_as=tuple(MessageId(each.id or "") for each in marks["copy"]),
        decisions=decisions,
        opens_by=deciding_row(reading.policy, decisions[Action.OPEN], language),
        missing=nearest_rows(reading.policy, decisions[Action.OPEN], language),
        erased_at=None if message.answered_at is None else erasure_due_at(line, message),
        kept_for=line.terms.keep_content,
        side=side_of_unit(reading),
        told=None,
    )


def _titles(found: FoundMessage, key: DataKey | None) -> tuple[str | None, str | None]:
    if key is None:
        return None, None
    try:
        return titles_in(unseal_json(found.message, key, "sealed_archive") or {})
    except IntegrityError:
        return None, None
