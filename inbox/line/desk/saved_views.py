"""Saved views: a person's own filters over a queue, closed values only; an address, never words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import col, select

from inbox.access.question import Capacity
from inbox.domain import new_id
from inbox.errors import Invalid, NotFound
from inbox.line import Line
from inbox.line.desk.queue_filters import Queue, QueueFilters, filters_from_text
from inbox.store import Transaction
from inbox.tables import SavedViewRow, table_of

MOST_VIEWS: Final = 20


@dataclass(frozen=True, kw_only=True)
class SavedView:
    """A queue and its filters, as a person has saved them."""

    id: str
    queue: Queue
    filters: QueueFilters
    saved_at: datetime


def saved_views(line: Line, capacity: Capacity) -> tuple[SavedView, ...]:
    """The views that the person has saved, the oldest first."""
    with line.store.reading() as tx:
        return _views_of(tx, capacity)


def save_view(line: Line, capacity: Capacity, queue: Queue, filters: QueueFilters) -> SavedView:
    """Save a view; the same one is saved once. Raises `Invalid` for a view too many."""
    if capacity.person is None:
        raise NotFound
    with line.store.transaction() as tx:
        views = _views_of(tx, capacity)
        for view in views:
            if (view.queue, view.filters) == (queue, filters):
                return view
        if len(views) >= MOST_VIEWS:
            raise Invalid("view.too_many", f"a person has at most {MOST_VIEWS}")
        row = SavedViewRow(
            id=new_id(),
            person=capacity.person,
            queue=queue.value,
            filters=filters.as_text(),
            saved_at=tx.now,
        )
        tx.add(row)
        return _view(row)


def remove_view(line: Line, capacity: Capacity, view_id: str) -> None:
    """Remove one of the person's own views. Raises `NotFound` for any other."""
    rows = table_of(SavedViewRow)
    with line.store.transaction() as tx:
        own = sa.and_(rows.c.id == view_id, rows.c.person == capacity.person)
        removed = tx.execute(sa.delete(rows).where(own).returning(rows.c.id)).all()
        if not removed:
            raise NotFound


def _views_of(tx: Transaction, capacity: Capacity) -> tuple[SavedView, ...]:
    found = tx.exec(
        select(SavedViewRow)
        .where(col(SavedViewRow.person) == capacity.person)
        .order_by(col(SavedViewRow.saved_at), col(SavedViewRow.id))
    )
    return tuple(map(_view, found))


def view_of(view_id: str, queue: str, filters: str, saved_at: datetime) -> SavedView:
    """The view that the columns of a row stand for."""
    return SavedView(
        id=view_id, queue=Queue(queue), filters=filters_from_text(filters), saved_at=saved_at
    )


def _view(row: SavedViewRow) -> SavedView:
    return view_of(row.id, row.queue, row.filters, row.saved_at)
