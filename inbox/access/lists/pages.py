"""Listing: pages, counts, facets and search, all through the filter that the policy's rules are.

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
from inbox.access.facts.lookup import facts_of_request, values_of
from inbox.access.facts.parameters import PERSON
from inbox.access.lists.cursor import Place, read_place
from inbox.access.lists.filters import branches_of
from inbox.access.lists.recheck import Recheck
from inbox.access.lists.search import Query, values_of_query
from inbox.access.lists.statements import Kind, Listing, joined, statement_of
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, Given
from inbox.domain import HoldCause, MessageId, MessageState, OrgNumber, Service, UnitId
from inbox.errors import Invalid
from inbox.tables import Message, Note, table_of

LONGEST_PAGE: Final = 500


class Listed(NamedTuple):
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


_SEALED: Final[Mapping[Action, tuple[str, ...]]] = {
    Action.ROUTE: ("sealed_metadata",),
    Action.LIST: ("sealed_metadata", "sealed_archive"),
}
"""`route` shows what routing may see, `list` the titles too, every other action neither."""
_PLAIN: Final = tuple(name for name in Listed._fields if name not in Listed._field_defaults)
_EVERYTHING: Final = Query()
_NO_GIVEN: Final = Given()


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page, newest first, and the cursor of the next page; None on the last page."""

    rows: tuple[Listed, ...]
    cursor: str | None


@dataclass(frozen=True, kw_only=True)
class Facets:
    """Counts by state, by unit and by shielding; values without messages are left out."""

    states: Mapping[MessageState, int]
    units: Mapping[UnitId | None, int]
    shieldings: Mapping[str | None, int]


def visible(
    policy: Policy,
    capacity: Capacity,
    now: datetime,
    action: Action,
    given: Given | None = None,
) -> Select[str]:
    """A SELECT of the ids of all messages on which this capacity may perform this action.

    `now` is the database's time of the transaction that the SELECT runs in: never keep it longer.
    """
    given = given or Given()
    branches = branches_of(policy, action, capacity.role, facts_of_request(capacity, given))
    ids = joined(branches, table_of(Message).c.id)
    return sa.select(ids.c.id).params(values_of(now, capacity, given))


def notes(capacity: Capacity, now: datetime, message_id: str) -> Select[Note]:
    """The notes on a message whose own shielding the person is cleared for, the oldest first.

    Whether this capacity may have notes on the message at all is asked before: `note`.
    """
    return (
        sa.select(Note)
        .where(
            col(Note.message_id) == message_id, relationship.cleared(PERSON, col(Note.shielding))
        )
        .order_by(col(Note.number))
        .params(values_of(now, capacity, _NO_GIVEN))
    )


def page(  # noqa: PLR0913 - whose list, of what, from where
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    action: Action,
    recheck: Recheck,
    query: Query = _EVERYTHING,
    after: str | None = None,
    at_most: int = 50,
    given: Given = _NO_GIVEN,
) -> Page:
    """The newest on which this capacity may do this, after a cursor; one statement, and rechecks.

    Raises:
        Invalid: the cursor is none of ours, or the page is too long.
        Unavailable: a list has differed from a decision in this process.
    """
    recheck.check_trusted()
    if not 1 <= at_most <= LONGEST_PAGE:
        raise Invalid("list.at_most", f"a page has 1 to {LONGEST_PAGE} rows")
    place = None if after is None else read_place(after)
    asked = _Asked(policy, now, capacity, action, given, query)
    shown = (*_PLAIN, *_SEALED.get(action, ()))
    found = asked.page(session, shown, place, at_most + 1)
    rows = tuple(_with_living_hold(now, Listed(*row)) for row in found[:at_most])
    recheck.check(
        session,
        policy,
        now,
        capacity=capacity,
        action=action,
        given=given,
        listed=[row.id for row in rows],
    )
    more = len(found) > at_most
    last = Place(at=rows[-1].received_at, id=rows[-1].id).as_text() if more else None
    return Page(rows=rows, cursor=last)


def _with_living_hold(now: datetime, row: Listed) -> Listed:
    if row.held_until is None or row.held_until > now:
        return row
    return row._replace(held_for=None, held_until=None)


def count(  # noqa: PLR0913 - as `page`
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    action: Action,
    recheck: Recheck,
    query: Query = _EVERYTHING,
    given: Given = _NO_GIVEN,
) -> int:
    """The number of messages on which this capacity may perform the action.

    Raises `Unavailable` as `page` does.
    """
    recheck.check_trusted()
    asked = _Asked(policy, now, capacity, action, given, query)
    return int(asked.rows(session, Kind.COUNT)[0][0])


def facets(  # noqa: PLR0913 - as `page`
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    action: Action,
    recheck: Recheck,
    query: Query = _EVERYTHING,
    given: Given = _NO_GIVEN,
) -> Facets:
    """The same count by each property that a person can narrow a list by.

    Raises `Unavailable` as `page` does.
    """
    recheck.check_trusted()
    asked = _Asked(policy, now, capacity, action, given, query)
    states: dict[MessageState, int] = defaultdict(int)
    units: dict[UnitId | None, int] = defaultdict(int)
    shieldings: dict[str | None, int] = defaultdict(int)
    for state, unit, shielding, number in asked.rows(session, Kind.FACETS):
        states[state] += number
        units[unit] += number
        shieldings[shielding] += number
    return Facets(states=dict(states), units=dict(units), shieldings=dict(shieldings))


@dataclass(frozen=True)
class _Asked:
    """A list request: whose list, and which messages."""

    policy: Policy
    now: datetime
    capacity: Capacity
    action: Action
    given: Given
    query: Query

    def page(
        self, session: Session, shown: tuple[str, ...], place: Place | None, at_most: int
    ) -> list[list[Any]]:
        """The newest rows, after a cursor if there is one."""
        if place is None:
            return self.rows(session, Kind.PAGE, shown, at_most=at_most)
        after = {"after_at": place.at, "after_id": place.id}
        return self.rows(session, Kind.NEXT, shown, at_most=at_most, **after)

    def rows(
        self, session: Session, kind: Kind, shown: tuple[str, ...] = (), **values: object
    ) -> list[list[Any]]:
        """The rows that the database returns for a statement of this kind."""
        sought = values_of_query(self.query)
        listing = Listing(
            policy=self.policy,
            action=self.action,
            role=self.capacity.role,
            requested=frozenset(facts_of_request(self.capacity, self.given).items()),
            shape=frozenset(sought),
            kind=kind,
            shown=shown,
        )
        statement = statement_of(listing, session.get_bind().dialect)
        bound = values_of(self.now, self.capacity, self.given) | sought | values
        return statement.rows(session, bound)
