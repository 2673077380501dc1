"""What need to know costs where there is much: a decision, and a page of the list."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inbox.access import Action, Capacity, OfMessage, Policy, Role, permit
from inbox.access.listing import visible
from inbox.message import MessageId, MessageState, OrgNumber, PersonId, UnitId
from inbox.tables import Capacity as CapacityRow
from inbox.tables import Message, table_of
from tests.bench.figure import Figure, in_turn, name_of
from tests.bench.filled import Extent, fill
from tests.bench.house import furnish, line_at
from tests.worlds import OURS, install

_PAGE = 50
_TABLE = table_of(Message)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much mail and how many people there are, and how often is asked."""

    extent: Extent
    runs: int


FULL = Size(extent=Extent(messages=100_000, people=5_000, units=200), runs=100)
TINY = Size(extent=Extent(messages=200, people=60, units=6), runs=3)


def figures(database: str, folder: Path) -> list[Figure]:
    """100 000 messages, 5 000 people in 200 units."""
    return measured(database, folder, FULL)


def quick(database: str, folder: Path) -> list[Figure]:
    """A handful, to see that it works."""
    return measured(database, folder, TINY)


def measured(database: str, folder: Path, size: Size) -> list[Figure]:
    """Milliseconds, each in a transaction that is open already."""
    furnish(folder)
    name = name_of(database)
    there = f"{size.extent.messages} messages, {size.extent.people} people"
    with line_at(database, folder) as line:
        install(line.store, line.keyring)
        fill(line, size.extent)
        with line.store.reading() as (session, now):
            asking = _Asking(session, now, line.policies.current(session))
            asking.decided(Action.OPEN), asking.keyed(), asking.listed(), asking.unfiltered()
            opened = in_turn(partial(asking.decided, Action.OPEN), asking.keyed, size.runs)
            shown = in_turn(partial(asking.decided, Action.LIST), asking.keyed, size.runs)
            page = in_turn(asking.listed, asking.unfiltered, size.runs)
    key, newest = "the row by its key", f"the newest {_PAGE} unfiltered"
    listed = f"a page of the list for a handler, newest {_PAGE} ({there})"
    return [
        _figure(f"a decision by a handler: open ({there})", name, key, opened),
        _figure(f"a decision by a handler: list ({there})", name, key, shown),
        _figure(listed, name, newest, page),
    ]


def _figure(
    what: str, database: str, beside: str, taken: tuple[tuple[float, ...], tuple[float, ...]]
) -> Figure:
    ours, other = taken
    return Figure(
        what=what, database=database, unit="ms", ours=ours, beside=other, beside_what=beside
    )


class _Asking:
    """Handlers who ask about the mail of their own unit, another one each time."""

    def __init__(self, session: Session, now: datetime, policy: Policy) -> None:
        self._session, self._now, self._policy = session, now, policy
        self._chance = random.Random(3)  # noqa: S311 - which ones does not matter
        self._handlers = [_acting(row) for row in _handlers(session)]
        self._mail = dict[str, list[str]]()
        for message_id, unit in session.execute(_waiting()):
            self._mail.setdefault(unit, []).append(message_id)
        self._handlers = [each for each in self._handlers if each.unit in self._mail]

    def _one(self) -> tuple[Capacity, MessageId]:
        handler = self._chance.choice(self._handlers)
        return handler, MessageId(self._chance.choice(self._mail[str(handler.unit)]))

    def decided(self, action: Action) -> float:
        """Ask whether a handler may do this to a message."""
        handler, message_id = self._one()
        subject, began = OfMessage(message_id=message_id), time.perf_counter()
        permit(
            self._session, self._policy, self._now, capacity=handler, action=action, subject=subject
        )
        return _since(began)

    def keyed(self) -> float:
        """Only read the row."""
        _, message_id = self._one()
        began = time.perf_counter()
        self._session.execute(sa.select(_TABLE).where(_TABLE.c.id == message_id)).one()
        return _since(began)

    def listed(self) -> float:
        """The newest that a handler may see."""
        handler, _ = self._one()
        began = time.perf_counter()
        theirs = visible(self._policy, handler, self._now, Action.LIST)
        self._session.execute(_newest().where(_TABLE.c.id.in_(theirs))).all()
        return _since(began)

    def unfiltered(self) -> float:
        """The newest of all."""
        began = time.perf_counter()
        self._session.execute(_newest()).all()
        return _since(began)


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _newest() -> sa.Select[Any]:
    return sa.select(_TABLE).order_by(_TABLE.c.received_at.desc(), _TABLE.c.id.desc()).limit(_PAGE)


def _waiting() -> sa.Select[tuple[str, str]]:
    """What waits for people of a unit."""
    waiting = (MessageState.ROUTED, MessageState.OFFERED, MessageState.RETURNED)
    return sa.select(_TABLE.c.id, _TABLE.c.unit).where(
        _TABLE.c.state.in_(waiting), _TABLE.c.unit.is_not(None)
    )


def _handlers(session: Session) -> Sequence[CapacityRow]:
    return session.exec(select(CapacityRow).where(col(CapacityRow.role) == Role.HANDLER)).all()


def _acting(row: CapacityRow) -> Capacity:
    return Capacity(
        id=row.id,
        role=Role.HANDLER,
        organisation=OrgNumber(OURS),
        person=PersonId(row.person),
        unit=UnitId(row.unit),
    )
