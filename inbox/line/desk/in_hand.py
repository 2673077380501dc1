"""Who has a message in hand: a row for a quarter of an hour; it gives and takes no right."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col

from inbox.access.question import Capacity
from inbox.domain import MessageId, PersonId
from inbox.line import Line
from inbox.line.desk.queue_row import InHand
from inbox.store import Transaction
from inbox.tables import InHandRow, Person, table_of

HELD_FOR: Final = timedelta(minutes=15)
_ROWS: Final = table_of(InHandRow)


def note_in_hand(line: Line, capacity: Capacity, message_id: str) -> None:
    """Note that this person has the message in hand, or still has: one statement. Safe to repeat.

    For a page that has just been decided to be shown: nothing is decided here.
    """
    if capacity.person is not None:
        with line.store.transaction() as tx:
            _note(tx, message_id, capacity.person)


def _note(tx: Transaction, message_id: str, person: PersonId) -> None:
    until = tx.now + HELD_FOR
    on_sqlite = tx.get_bind().dialect.name == "sqlite"
    insert = (sqlite if on_sqlite else postgresql).insert(_ROWS)
    tx.execute(
        insert.values(
            message_id=message_id, person=person, since=tx.now, until=until
        ).on_conflict_do_update(
            index_elements=["message_id", "person"],
            set_={
                "until": until,
                # What had ended begins anew.
                "since": sa.case((_ROWS.c.until <= tx.now, tx.now), else_=_ROWS.c.since),
            },
        )
    )


def let_go(line: Line, capacity: Capacity, message_id: str) -> None:
    """Note that this person has it no longer. Safe to repeat; says nothing about the message.

    What has ended is removed on the way.
    """
    with line.store.transaction() as tx:
        tx.execute(sa.delete(_ROWS).where(_ROWS.c.until <= tx.now))
        tx.execute(
            sa.delete(_ROWS).where(
                _ROWS.c.message_id == message_id, _ROWS.c.person == capacity.person
            )
        )


def in_hand_of(
    tx: Transaction, message_ids: Collection[str]
) -> Mapping[MessageId, tuple[InHand, ...]]:
    """Who has each of these messages in hand now: for those who may see the messages."""
    rows = tx.execute(
        sa.select(
            _ROWS.c.message_id, _ROWS.c.person, col(Person.name), _ROWS.c.since, _ROWS.c.until
        )
        .join(Person, col(Person.id) == _ROWS.c.person)
        .where(_ROWS.c.message_id.in_(list(message_ids)), _ROWS.c.until > tx.now)
        .order_by(_ROWS.c.since, _ROWS.c.person)
    )
    found: defaultdict[MessageId, list[InHand]] = defaultdict(list)
    for message_id, person, name, since, until in rows:
        one = InHand(person=PersonId(person), name=name, since=since, until=until)
        found[MessageId(message_id)].append(one)
    return {message_id: tuple(several) for message_id, several in found.items()}
