"""Pages, neighbours and counts of queues, restricted by the filters of the policy's rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy.orm import Session

from inbox.access.facts.lookup import parameter_values, request_fact_values
from inbox.access.lists.cursor import Cursor, read_cursor
from inbox.access.lists.pages import MAX_PAGE_ROWS
from inbox.access.lists.queue_search import QueueSearch, queue_parameter_values
from inbox.access.lists.queue_statements import (
    QueueOrder,
    QueueStatement,
    QueueStatementKey,
    prepared_queue_statement,
)
from inbox.access.lists.recheck import Recheck
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, RequestFacts
from inbox.domain import HoldCause, MessageId, MessageState, OrgNumber, Service, UnitId
from inbox.errors import Invalid

_NOTHING_GIVEN: Final = RequestFacts()


class QueuedMessage(NamedTuple):
    """A message of a queue: what routing may see of it, and the key of its sealed part."""

    id: MessageId
    state: MessageState
    version: int
    code: str | None
    organisation: OrgNumber
    service: Service
    channel: str
    sender: OrgNumber | None
    received_at: datetime
    unit: UnitId | None
    unit_name: str | None
    rule: str | None
    urgent: bool
    worked_at: datetime | None
    held_for: HoldCause | None
    held_until: datetime | None
    verdict: str | None
    sealed_metadata: bytes | None
    kek_id: str | None
    wrapped: bytes | None


_TITLES: Final = "sealed_archive"
_MORE_COLUMNS: Final[Mapping[Action, tuple[str, ...]]] = {
    Action.ROUTE: (),
    Action.LIST: (_TITLES,),
}
"""`route` shows what routing may see, `list` the titles too; of other actions there is no queue."""


@dataclass(frozen=True, kw_only=True)
class QueuedPage:
    """One page in the queue's order, and the cursor of the next; None on the last page."""

    rows: tuple[QueuedMessage, ...]
    cursor: str | None
    titles: Mapping[MessageId, bytes | None]
    """The sealed part that has the titles, of each row; empty unless the action is `list`."""


@dataclass(frozen=True, kw_only=True)
class QueueReader:
    """Reads queues for one capacity in one transaction, by the rules about one action."""

    session: Session
    policy: Policy
    now: datetime
    capacity: Capacity
    action: Action
    recheck: Recheck

    def page(
        self, query: QueueSearch, order: QueueOrder, *, after: str | None, at_most: int
    ) -> QueuedPage:
        """One page, read by one statement, plus rechecks.

        Raises `Invalid` for a cursor that is not ours or a page that is too long, and
        `Unavailable` once a list of this process was wrong.
        """
        self.recheck.check_trusted()
        if not 1 <= at_most <= MAX_PAGE_ROWS:
            raise Invalid("list.page_size", f"a page has 1 to {MAX_PAGE_ROWS} rows")
        place = None if after is None else read_cursor(after)
        columns = (*QueuedMessage._fields, *_MORE_COLUMNS[self.action])
        found = self._page_rows(query, order, columns, place, at_most + 1)
        shown = [dict(zip(columns, row, strict=True)) for row in found[:at_most]]
        titles = {row["id"]: row.pop(_TITLES) for row in shown if _TITLES in row}
        rows = tuple(QueuedMessage(**row) for row in shown)
        self.recheck.check(
            self.session,
            self.policy,
            self.now,
            capacity=self.capacity,
            action=self.action,
            request=_NOTHING_GIVEN,
            listed=[row.id for row in rows],
        )
        more = len(found) > at_most
        last = Cursor(at=rows[-1].received_at, id=rows[-1].id).as_text() if more else None
        return QueuedPage(rows=rows, cursor=last, titles=titles)

    def first_after(
        self, query: QueueSearch, order: QueueOrder, place: Cursor | None
    ) -> MessageId | None:
        """The first message of the queue, or the first after a place."""
        self.recheck.check_trusted()
        found = self._page_rows(query, order, ("id",), place, 1)
        return MessageId(found[0][0]) if found else None

    def neighbours(
        self, query: QueueSearch, order: QueueOrder, place: Cursor
    ) -> tuple[MessageId | None, MessageId | None]:
        """The message before a place in the queue and the one after it, by one statement."""
        self.recheck.check_trusted()
        values = {"after_at": place.at, "after_id": place.id, "at_most": 1}
        found = dict(self._fetch(query, QueueStatement.NEIGHBOURS, order, (), **values))
        return found.get("before"), found.get("after")

    def counts(self, query: QueueSearch, by: Sequence[str]) -> list[list[Any]]:
        """For each group its values, how many messages it has, and when the oldest came."""
        self.recheck.check_trusted()
        return self._fetch(query, QueueStatement.COUNTS, QueueOrder.OLDEST_FIRST, tuple(by))

    def _page_rows(
        self,
        query: QueueSearch,
        order: QueueOrder,
        columns: tuple[str, ...],
        place: Cursor | None,
        at_most: int,
    ) -> list[list[Any]]:
        if place is None:
            return self._fetch(query, QueueStatement.FIRST_PAGE, order, columns, at_most=at_most)
        after = {"after_at": place.at, "after_id": place.id}
        return self._fetch(
            query, QueueStatement.NEXT_PAGE, order, columns, at_most=at_most, **after
        )

    def _fetch(
        self,
        query: QueueSearch,
        kind: QueueStatement,
        order: QueueOrder,
        columns: tuple[str, ...],
        **values: object,
    ) -> list[list[Any]]:
        sought = queue_parameter_values(query)
        given = request_fact_values(self.capacity, _NOTHING_GIVEN)
        key = QueueStatementKey(
            policy=self.policy,
            action=self.action,
            role=self.capacity.role,
            request_facts=frozenset(given.items()),
            fields=frozenset(sought),
            kind=kind,
            order=order,
            columns=columns,
        )
        statement = prepared_queue_statement(key, self.session.get_bind().dialect)
        bound = parameter_values(self.now, self.capacity, _NOTHING_GIVEN) | sought | values
        return statement.fetch(self.session, bound)
