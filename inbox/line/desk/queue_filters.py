"""The queues by name, and what each is narrowed by: closed values, which stand in an address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl, urlencode

from inbox.access.lists.queue_search import Lateness, QueueSearch
from inbox.access.lists.queue_statements import QueueOrder
from inbox.domain import MessageState, OrgNumber, UnitId, parse_org_number
from inbox.errors import Invalid
from inbox.routing.rule_book import RuleBook

_M = MessageState
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,40}")
_YES: Final = "1"


class Queue(StrEnum):
    """The queues, by their names in an address."""

    DISTRIBUTE = "til-fordeling"
    QUARANTINE = "karantene"
    MISSED = "ikke-mottatt"
    """Arrivals: see `arrival_queue`."""
    APPROVE = "til-godkjenning"
    """Proposals: see `approval_queue`."""
    WITHOUT_RECEIPT = "uten-kvittering"
    WAITING = "venter-pa-fagsystem"
    RETURNED = "avvist-av-fagsystem"
    ON_HOLD = "pa-vent"
    DONE = "ferdig"


MESSAGE_QUEUES = tuple(each for each in Queue if each not in {Queue.MISSED, Queue.APPROVE})


@dataclass(frozen=True, kw_only=True)
class QueueFilters:
    """What a queue is narrowed by: closed values only, never words. All of them must match."""

    sender: OrgNumber | None = None
    group: str | None = None
    """A group of senders of the active rule book, by its short name."""
    channel: str | None = None
    unit: UnitId | None = None
    late: bool = False
    """Only what is past its deadline."""

    def as_query(self) -> Mapping[str, str]:
        """As the parameters of an address, without what does not narrow: see `read_filters`."""
        given = {
            "sender": self.sender,
            "group": self.group,
            "channel": self.channel,
            "unit": self.unit,
            "late": _YES if self.late else None,
        }
        return {name: value for name, value in given.items() if value is not None}

    def as_text(self) -> str:
        """As the query of an address, in one order."""
        return urlencode(self.as_query())


NO_FILTERS: Final = QueueFilters()


def read_filters(query: Mapping[str, str]) -> QueueFilters:
    """Read the parameters of an address, of which others may have more: those are left alone.

    Raises `Invalid` for a value that no link of ours has.
    """
    sender, late = query.get("sender"), query.get("late")
    named = {name: query[name] for name in ("group", "channel", "unit") if name in query}
    for name, value in named.items():
        if _NAME.fullmatch(value) is None:
            raise Invalid("queue.filter", f"{name}: not a name of ours")
    if late not in {None, _YES}:
        raise Invalid("queue.filter", "late: 1 or nothing")
    unit = named.get("unit")
    return QueueFilters(
        sender=None if sender is None else parse_org_number(sender),
        group=named.get("group"),
        channel=named.get("channel"),
        unit=None if unit is None else UnitId(unit),
        late=late == _YES,
    )


def filters_from_text(text: str) -> QueueFilters:
    """Read what `QueueFilters.as_text` wrote."""
    return read_filters(dict(parse_qsl(text)))


@dataclass(frozen=True, kw_only=True)
class _QueueMeaning:
    """Which messages are in a queue."""

    states: tuple[MessageState, ...] = ()
    held: bool | None = None
    receipt_failed: bool | None = None
    order: QueueOrder = QueueOrder.OLDEST_FIRST


_MEANINGS: Final[Mapping[Queue, _QueueMeaning]] = {
    Queue.DISTRIBUTE: _QueueMeaning(states=(_M.UNROUTED,), held=False),
    Queue.QUARANTINE: _QueueMeaning(states=(_M.QUARANTINED,), held=False),
    Queue.WITHOUT_RECEIPT: _QueueMeaning(states=(_M.REGISTERED, _M.REFUSED), receipt_failed=True),
    Queue.WAITING: _QueueMeaning(states=(_M.RELEASED, _M.OFFERED)),
    Queue.RETURNED: _QueueMeaning(states=(_M.RETURNED,), held=False),
    Queue.ON_HOLD: _QueueMeaning(held=True),
    Queue.DONE: _QueueMeaning(
        states=(_M.REGISTERED, _M.REFUSED, _M.ANSWERED, _M.ERASED), order=QueueOrder.NEWEST_FIRST
    ),
}
"""The queues of messages. What is on hold stands in *På vent* until the hold ends, with its
deadline: a hold stops nothing, and hides nothing from anybody."""
COUNTED_STATES: Final = tuple(
    state for state in MessageState if state not in {_M.ANSWERED, _M.ERASED}
)
"""Of *Ferdig* there is no count: it grows for years, and nobody waits for it."""


def queues_of(state: MessageState, *, held: bool, receipt_failed: bool) -> tuple[Queue, ...]:
    """The queues that a message is in, of those that are counted."""
    return tuple(
        queue
        for queue, meaning in _MEANINGS.items()
        if queue is not Queue.DONE
        and (not meaning.states or state in meaning.states)
        and meaning.held in {None, held}
        and meaning.receipt_failed in {None, receipt_failed}
    )


def order_of(queue: Queue) -> QueueOrder:
    """Oldest first, but what is done newest first. Raises `Invalid` if it has no messages."""
    return _meaning(queue).order


def search_of(
    queue: Queue, filters: QueueFilters, lateness: Lateness, book: RuleBook | None
) -> QueueSearch:
    """The queue with its filters, as the lists search. Raises `Invalid` if it has no messages.

    A group that the active rule book does not name (any more) has nobody in it.
    """
    meaning = _meaning(queue)
    groups = {} if book is None else book.groups
    return QueueSearch(
        lateness=lateness,
        states=meaning.states,
        held=meaning.held,
        receipt_failed=meaning.receipt_failed,
        late=True if filters.late else None,
        sender=filters.sender,
        senders=None if filters.group is None else tuple(groups.get(filters.group, ())),
        channel=filters.channel,
        unit=filters.unit,
    )


def _meaning(queue: Queue) -> _QueueMeaning:
    if queue not in _MEANINGS:
        raise Invalid("queue.unknown", "it is no queue of messages")
    return _MEANINGS[queue]
