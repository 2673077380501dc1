"""Pages, counts, facets and search over messages.

All are restricted by the filters that the policy's rules are translated to.

Denied is a filter that is false, never the absence of one. What is answered, and by how many
statements, depends on nothing that the capacity may not see: there is no total over all, and no
word of how much is hidden.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Select
from sqlalchemy.orm import Session
from sqlmodel import col

from inbox.access.facts import relationship
from inbox.access.facts.lookup import parameter_values, request_fact_values
from inbox.access.facts.parameters import PERSON
from inbox.access.lists.cursor import Cursor, read_cursor
from inbox.access.lists.filters import permit_branches
from inbox.access.lists.recheck import Recheck
from inbox.access.lists.search import MessageSearch, search_parameter_values
from inbox.access.lists.statements import StatementKey, StatementKind, prepared_statement, union_of
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, RequestFacts
from inbox.domain import HoldCause, MessageId, MessageState, OrgNumber, Service, UnitId
from inbox.errors import Invalid
from inbox.tables import Message, Note, table_of

MAX_PAGE_ROWS: Final = 500


class ListedMessage(NamedTuple):
    """A message in a list; sealed columns are filled only where the action may show them.

    What is sealed is there only where the action may show it.

    No dataclass: there are fifty on a page, and making those takes as long as finding them.
    """

    id: MessageId
    state: MessageState
    version: int
    code: str | None
    organisation: OrgNumber
    service: Service
    sender: OrgNumber | None
    sent_at: datetime | None
    received_at: datetime
    unit: UnitId | None
    shielding: str | None
    urgent: bool
    document_count: int | None
    total_bytes: int | None
    opened_at: datetime | None
    held_for: HoldCause | None
    held_until: datetime | None
    """Both None unless somebody has put it on hold, and the hold lasts."""
    sealed_metadata: bytes | None = None
    sealed_archive: bytes | None = None


_SEALED_COLUMNS: Final[Mapping[Action, tuple[str, ...]]] = {
    Action.ROUTE: ("sealed_metadata",),
    Action.LIST: ("sealed_metadata", "sealed_archive"),
}
"""`route` shows what routing may see, `list` the titles too, every other action neither."""
_PLAIN_COLUMNS: Final = tuple(
    name for name in ListedMessage._fields if name not in ListedMessage._field_defaults
)
_NO_SEARCH: Final = MessageSearch()
_NO_REQUEST_FACTS: Final = RequestFacts()


@dataclass(frozen=True, kw_only=True)
class ListedPage:
    """One page, newest first, and the cursor of the next page; None on the last page."""

    rows: tuple[ListedMessage, ...]
    cursor: str | None


@dataclass(frozen=True, kw_only=True)
class Facets:
    """Counts by state, by unit and by shielding; values without messages are left out."""

    states: Mapping[MessageState, int]
    units: Mapping[UnitId | None, int]
    shieldings: Mapping[str | None, int]


def permitted_message_ids(
    policy: Policy,
    capacity: Capacity,
    now: datetime,
    action: Action,
    request: RequestFacts | None = None,
) -> Select[str]:
    """A SELECT of the ids of all messages on which this capacity may perform this action.

    `now` is the database's time of the transaction that the SELECT runs in: never keep it longer.
    """
    request = request or RequestFacts()
    branches = permit_branches(
        policy, action, capacity.role, request_fact_values(capacity, request)
    )
    ids = union_of(branches, table_of(Message).c.id)
    return sa.select(ids.c.id).params(parameter_values(now, capacity, request))


def visible_notes(capacity: Capacity, now: datetime, message_id: str) -> Select[Note]:
    """The notes on a message, oldest first.

    Notes with a shielding that the person is not cleared for are left out.

    Whether this capacity may have notes on the message at all is asked before: `note`.
    """
    return (
        sa.select(Note)
        .where(
            col(Note.message_id) == message_id,
            relationship.is_cleared_for(PERSON, col(Note.shielding)),
        )
        .order_by(col(Note.number))
        .params(parameter_values(now, capacity, _NO_REQUEST_FACTS))
    )


def fetch_page(  # noqa: PLR0913 - whose list, of what, from where
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    action: Action,
    recheck: Recheck,
    query: MessageSearch = _NO_SEARCH,
    after: str | None = None,
    at_most: int = 50,
    request: RequestFacts = _NO_REQUEST_FACTS,
) -> ListedPage:
    """One page of the newest messages on which this capacity may perform the action.

    The page begins after a cursor. It is read by one statement, plus rechecks.

    Raises:
        Invalid: the cursor is not ours, or the page is too long.
        Unavailable: a list has differed from a decision in this process.
    """
    recheck.check_trusted()
    if not 1 <= at_most <= MAX_PAGE_ROWS:
        raise Invalid("list.at_most", f"a page has 1 to {MAX_PAGE_ROWS} rows")
    place = None if after is None else read_cursor(after)
    asked = _ListRequest(policy, now, capacity, action, request, query)
    shown = (*_PLAIN_COLUMNS, *_SEALED_COLUMNS.get(action, ()))
    found = asked.page(session, shown, place, at_most + 1)
    rows = tuple(_without_expired_hold(now, ListedMessage(*row)) for row in found[:at_most])
    recheck.check(
        session,
        policy,
        now,
        capacity=capacity,
        action=action,
        request=request,
        listed=[row.id for row in rows],
    )
    more = len(found) > at_most
    last = Cursor(at=rows[-1].received_at, id=rows[-1].id).as_text() if more else None
    return ListedPage(rows=rows, cursor=last)


def _without_expired_hold(now: datetime, row: ListedMessage) -> ListedMessage:
    if row.held_until is None or row.held_until > now:
        return row
    return row._replace(held_for=None, held_until=None)


def count_messages(  # noqa: PLR0913 - as `fetch_page`
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    action: Action,
    recheck: Recheck,
    query: MessageSearch = _NO_SEARCH,
    request: RequestFacts = _NO_REQUEST_FACTS,
) -> int:
    """The number of messages on which this capacity may perform the action.

    Raises `Unavailable` as `fetch_page` does.
    """
    recheck.check_trusted()
    asked = _ListRequest(policy, now, capacity, action, request, query)
    return int(asked.rows(session, StatementKind.COUNT)[0][0])


def count_facets(  # noqa: PLR0913 - as `fetch_page`
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    action: Action,
    recheck: Recheck,
    query: MessageSearch = _NO_SEARCH,
    request: RequestFacts = _NO_REQUEST_FACTS,
) -> Facets:
    """The same count by each property that a person can narrow a list by.

    Raises `Unavailable` as `fetch_page` does.
    """
    recheck.check_trusted()
    asked = _ListRequest(policy, now, capacity, action, request, query)
    states: dict[MessageState, int] = defaultdict(int)
    units: dict[UnitId | None, int] = defaultdict(int)
    shieldings: dict[str | None, int] = defaultdict(int)
    for state, unit, shielding, number in asked.rows(session, StatementKind.FACETS):
        states[state] += number
        units[unit] += number
        shieldings[shielding] += number
    return Facets(states=dict(states), units=dict(units), shieldings=dict(shieldings))


@dataclass(frozen=True)
class _ListRequest:
    """A list request: whose list, and which messages."""

    policy: Policy
    now: datetime
    capacity: Capacity
    action: Action
    request: RequestFacts
    query: MessageSearch

    def page(
        self, session: Session, shown: tuple[str, ...], place: Cursor | None, at_most: int
    ) -> list[list[Any]]:
        """The newest rows, after a cursor if there is one."""
        if place is None:
            return self.rows(session, StatementKind.FIRST_PAGE, shown, at_most=at_most)
        after = {"after_at": place.at, "after_id": place.id}
        return self.rows(session, StatementKind.NEXT_PAGE, shown, at_most=at_most, **after)

    def rows(
        self, session: Session, kind: StatementKind, shown: tuple[str, ...] = (), **values: object
    ) -> list[list[Any]]:
        """The rows that the database returns for a statement of this kind."""
        sought = search_parameter_values(self.query)
        listing = StatementKey(
            policy=self.policy,
            action=self.action,
            role=self.capacity.role,
            request_facts=frozenset(request_fact_values(self.capacity, self.request).items()),
            search_fields=frozenset(sought),
            kind=kind,
            columns=shown,
        )
        statement = prepared_statement(listing, session.get_bind().dialect)
        bound = parameter_values(self.now, self.capacity, self.request) | sought | values
        return statement.fetch(session, bound)
