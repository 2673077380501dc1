"""A message as somebody sees it who distributes mail, and what this person may do to it now.

The content is locked, and the page says what would open it. What others did with the content
(opened it, wrote notes, gave access) is not here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from inbox.access.facts.registry import ACTION_SUBJECTS
from inbox.access.lists.cursor import Cursor
from inbox.access.lists.pages import permitted_message_ids
from inbox.access.policy.vocabulary import Action, Decision
from inbox.access.question import Capacity, OfMessage
from inbox.access.several import permitted_actions
from inbox.days import day_of
from inbox.domain import MessageId, OrgNumber, PersonId, UnitId
from inbox.errors import NotFound
from inbox.keys import DataKey
from inbox.language import TextLanguage
from inbox.line import Line
from inbox.line.authorize import message_subject
from inbox.line.desk.message.facts import (
    EnvelopeFacts,
    OpenProposal,
    OpenTask,
    UnitChoice,
    envelope_facts,
    proposals_of,
    tasks_of,
    units_of,
)
from inbox.line.desk.message.found import FoundMessage, find_message
from inbox.line.desk.message.history import HistoryLine, history_of
from inbox.line.desk.message.lamps import Lamps, SenderSees, lamps_of, sender_sees
from inbox.line.desk.message.marks import MessageMark, message_marks
from inbox.line.desk.message.verdict_sentence import verdict_details, verdict_sentence
from inbox.line.desk.placings import PlacedMessage
from inbox.line.desk.queue_filters import NO_FILTERS, Queue, QueueFilters
from inbox.line.desk.queue_row import InHand, QueueRow, RowContext, queue_row
from inbox.line.desk.queues import (
    DeskReading,
    QueueCount,
    begin_reading,
    counts_of,
    neighbours_of,
)
from inbox.line.desk.saved_views import SavedView
from inbox.line.desk.suggestion import Suggestion, past_placements, suggestion_for
from inbox.line.people_lists import audit_shown, listing_snapshot, policy_without_duties
from inbox.line.proposals.quarantine_release import release_facts
from inbox.line.sealed_content import metadata_of, reference_hashes, references_of
from inbox.routing.route import RoutingExplanation, explain_route

OF_MESSAGES: Final = tuple(action for action in Action if OfMessage in ACTION_SUBJECTS[action])


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Which message comes before and after it in the queue that the page was reached from."""

    previous: MessageId | None
    next: MessageId | None


@dataclass(frozen=True, kw_only=True)
class MessageView:
    """Everything on the page of a message for a distributor."""

    made_at: datetime
    row: QueueRow
    """As in a queue: reference, age, deadline, sender, unit, rule, state, hold, in hand."""
    envelope: EnvelopeFacts
    verdict: str | None
    """One sentence, in the reader's language; None while nothing has been checked."""
    verdict_details: tuple[str, ...]
    explanation: RoutingExplanation | None
    """Why the rules put it here, with the nearest misses; None where there are none to ask."""
    units: tuple[UnitChoice, ...]
    suggestion: Suggestion | None
    history: tuple[HistoryLine, ...]
    lamps: Lamps
    sender_sees: SenderSees
    proposals: tuple[OpenProposal, ...]
    tasks: tuple[OpenTask, ...]
    neighbours: Neighbours | None
    same_as: tuple[MessageId, ...]
    """Earlier messages with the same documents that the capacity may see too."""
    decisions: Mapping[Action, Decision]
    """All actions on the message, decided from one SELECT, as if after a strong sign-in and with a
    reason given: what the page can offer. The deed is decided anew."""
    counts: Mapping[Queue, QueueCount]
    """Of all queues, for the navigation."""
    views: tuple[SavedView, ...]
    """What the person has saved, for the navigation."""
    told: PlacedMessage | None
    """How another message stands, if it was asked for."""


def message_view(  # noqa: PLR0913 - what a page is asked for
    line: Line,
    capacity: Capacity,
    message_id: str,
    *,
    language: TextLanguage = TextLanguage.NB,
    queue: Queue | None = None,
    filters: QueueFilters = NO_FILTERS,
    tell_of: str | None = None,
) -> MessageView:
    """The message for this capacity, with its neighbours in the queue it was reached from.

    Raises `NotFound` where there is none, or this capacity may not distribute it.
    """
    with listing_snapshot(line) as (tx, policy):
        free = policy_without_duties(policy, Action.ROUTE, capacity.role)
        visible = permitted_message_ids(free, capacity, tx.now, Action.ROUTE)
        found, told = find_message(tx, message_id, capacity, visible, tell_of)
        message = None if found is None else found.message
        decisions = permitted_actions(
            tx,
            policy,
            tx.now,
            capacity=replace(capacity, strong_auth=True),
            subject=message_subject(message_id),
            actions=OF_MESSAGES,
            request=replace(release_facts(policy, message, ()), same_documents=True),
        )
        routes = decisions[Action.ROUTE]
        if found is None or not routes.allowed:
            raise NotFound
        reading = begin_reading(line, tx, policy, capacity)
        view = _View(reading, found, language, decisions, visible, told).made(queue, filters)
    if routes.duties and not audit_shown(line, capacity, Action.ROUTE, message_id):
        raise NotFound
    return view


@dataclass(frozen=True)
class _View:
    """Puts a view together from what was read."""

    reading: DeskReading
    found: FoundMessage
    language: TextLanguage
    decisions: Mapping[Action, Decision]

    visible: sa.Select[str]
    told: PlacedMessage | None

    def made(self, queue: Queue | None, filters: QueueFilters) -> MessageView:
        """The view; the message is this capacity's to see."""
        reading, message = self.reading, self.found.message
        tx = reading.tx
        marks = message_marks(tx, message, self.visible, reading.capacity.role)
        key = self.found.key(reading.line)
        sealed, documents = self.found.unsealed(key)
        suggestion = self._suggestion()
        leaves = [each.leaf for each in marks["entry"] if each.leaf is not None]
        progress = self.found.progress(leaves)
        archivists = {each.id or "": each.text or "" for each in marks["archivist"]}
        return MessageView(
            made_at=tx.now,
            row=self._row(marks["in_hand"]),
            envelope=envelope_facts(message, sealed, documents),
            verdict=verdict_sentence(message.verdict, self.language),
            verdict_details=verdict_details(message.verdict, self.language),
            explanation=self._explanation(key, marks) if sealed else None,
            units=units_of(marks),
            suggestion=suggestion,
            history=history_of(leaves, archivists),
            lamps=lamps_of(progress),
            sender_sees=sender_sees(progress),
            proposals=proposals_of(marks["proposal"], reading.capacity),
            tasks=tasks_of(marks["task"]),
            neighbours=None if queue is None else self._neighbours(queue, filters),
            same_as=tuple(MessageId(each.id or "") for each in marks["copy"]),
            decisions=self.decisions,
            counts=counts_of(reading),
            views=reading.views,
            told=self.told,
        )

    def _row(self, in_hand: Sequence[MessageMark]) -> QueueRow:
        reading, queued = self.reading, self.found.queued()
        held = tuple(
            InHand(
                person=PersonId(each.id or ""),
                name=each.text or "",
                since=each.at or reading.tx.now,
                until=each.until or reading.tx.now,
            )
            for each in in_hand
        )
        context = RowContext(
            line=reading.line,
            now=reading.tx.now,
            terms=reading.terms,
            book=reading.book,
            mostly_to={},
            in_hand={queued.id: held},
        )
        return queue_row(context, queued)

    def _suggestion(self) -> Suggestion | None:
        reading, message = self.reading, self.found.message
        sender = None if message.sender is None else OrgNumber(message.sender)
        placements = past_placements(reading.tx, reading.free, reading.capacity, [sender])
        found = placements.get(sender, ()) if sender else ()
        return suggestion_for(sender, found, reading.recent)

    def _explanation(
        self, key: DataKey | None, marks: Mapping[str, Sequence[MessageMark]]
    ) -> RoutingExplanation | None:
        """Why the active rules put it where it is, by what is known of sender and case now."""
        line, message, book = self.reading.line, self.found.message, self.reading.book
        if book is None or key is None:
            return None
        known = {each.id: each.text for each in marks["reference"]}
        hashes = reference_hashes(line.keyring, references_of(message, key))
        unit = next((known[each] for each in hashes if each in known), None)
        first = next((each.at for each in marks["first_registered"]), None)
        metadata = metadata_of(
            message,
            key,
            sender_known=unit is not None or (first is not None and first <= message.received_at),
            known_unit=None if unit is None else UnitId(unit),
        )
        return explain_route(metadata, book, day_of(message.received_at))

    def _neighbours(self, queue: Queue, filters: QueueFilters) -> Neighbours:
        message = self.found.message
        place = Cursor(at=message.received_at, id=message.id)
        previous, following = neighbours_of(self.reading, queue, filters, place)
        return Neighbours(previous=previous, next=following)
