"""What need to know costs where there is much: a decision, a page, and who can."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inbox.access import Action, Capacity, OfMessage, Policy, Role, permit
from inbox.access.listing import Listed, page
from inbox.access.recheck import Recheck
from inbox.access.whoever import who_can
from inbox.message import MessageId, MessageState, OrgNumber, PersonId, UnitId
from inbox.tables import Capacity as CapacityRow
from inbox.tables import Message, table_of
from tests.bench.figure import Figure, Of, Target, in_turn, name_of
from tests.bench.filled import Extent, fill
from tests.bench.house import furnish, line_at
from tests.worlds import OURS, install

PAGE = 50
_TABLE = table_of(Message)
_PERCENT = 100


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much mail and how many people there are, and how often is asked."""

    extent: Extent
    runs: int


FULL = Size(extent=Extent(messages=100_000, people=5_000, units=200, grants=20_000), runs=1_000)
TINY = Size(extent=Extent(messages=200, people=60, units=6, grants=40), runs=3)
LISTS = (
    (
        "a page of the list for a handler",
        Role.HANDLER,
        Action.LIST,
        Target(at_most=1.5, of=Of.RATIO),
    ),
    ("a page of the list for a leader", Role.LEADER, Action.LIST, Target(at_most=12, of=Of.RATIO)),
    ("a page to distribute for an archivist", Role.ARCHIVIST, Action.ROUTE, None),
)


def figures(database: str, folder: Path) -> list[Figure]:
    """100 000 messages, 5 000 people in 200 units, 20 000 grants."""
    return measured(database, folder, FULL)


def quick(database: str, folder: Path) -> list[Figure]:
    """A handful, to see that it works."""
    return measured(database, folder, TINY)


def measured(database: str, folder: Path, size: Size) -> list[Figure]:
    """Milliseconds, each in a transaction that is open already."""
    furnish(folder)
    with line_at(database, folder) as line:
        install(line.store, line.keyring)
        fill(line, size.extent)
        with line.store.reading() as (session, now):
            asking = Asking(session, now, line.policies.current(session))
            return [
                *_decisions(asking, name_of(database), size),
                *_pages(asking, name_of(database), size),
                _who_can(asking, name_of(database), size),
            ]


def _decisions(asking: "Asking", database: str, size: Size) -> list[Figure]:
    found = []
    for action in (Action.OPEN, Action.LIST):
        ask = partial(asking.decided, action)
        ask(), asking.keyed()
        ours, keyed = in_turn(ask, asking.keyed, size.runs)
        what = f"a decision by a handler: {action}"
        found += [
            _figure(what, database, ours, keyed, Target(at_most=3, of=Of.RATIO)),
            _figure(
                f"{what}, 99th percentile",
                database,
                (quantiles(ours, n=_PERCENT)[-1],),
                (median(keyed),),
                Target(at_most=5, of=Of.RATIO),
            ),
        ]
    return found


def _figure(
    what: str,
    database: str,
    ours: tuple[float, ...],
    beside: tuple[float, ...],
    target: Target | None,
) -> Figure:
    return Figure(
        what=what,
        database=database,
        unit="ms",
        ours=ours,
        beside=beside,
        beside_what="the row by its key",
        target=target,
    )


def _pages(asking: "Asking", database: str, size: Size) -> list[Figure]:
    found = []
    for what, role, action, target in LISTS:
        ask = asking.paging(role, action)
        ask(), asking.unfiltered()
        ours, newest = in_turn(ask, asking.unfiltered, size.runs // 5 or 1)
        found.append(
            Figure(
                what=what,
                database=database,
                unit="ms",
                ours=ours,
                beside=newest,
                beside_what=f"the newest {PAGE} unfiltered",
                target=target,
            )
        )
    return found


def _who_can(asking: "Asking", database: str, size: Size) -> Figure:
    asking.who_can()
    return Figure(
        what=f"who can open a message ({size.extent.people} people)",
        database=database,
        unit="ms",
        ours=tuple(asking.who_can() for _ in range(min(size.runs, 20))),
        target=Target(at_most=1_000),
    )


class Asking:
    """People who ask about the mail of their own unit, another one each time."""

    def __init__(self, session: Session, now: datetime, policy: Policy) -> None:
        self._session, self._now, self._policy = session, now, policy
        self._chance = random.Random(3)  # noqa: S311 - which ones does not matter
        self._mail = dict[str, list[str]]()
        for message_id, unit in session.execute(_waiting()):
            self._mail.setdefault(unit, []).append(message_id)
        self._handlers = [one for one in self._acting(Role.HANDLER) if one.unit in self._mail]

    def _acting(self, role: Role) -> Sequence[Capacity]:
        rows = self._session.exec(select(CapacityRow).where(col(CapacityRow.role) == role)).all()
        return [_capacity(row, role) for row in rows]

    def _message(self, unit: str) -> MessageId:
        return MessageId(self._chance.choice(self._mail[unit]))

    def decided(self, action: Action) -> float:
        """Ask whether a handler may do this to a message."""
        handler = self._chance.choice(self._handlers)
        subject = OfMessage(message_id=self._message(str(handler.unit)))
        began = time.perf_counter()
        permit(
            self._session, self._policy, self._now, capacity=handler, action=action, subject=subject
        )
        return since(began)

    def keyed(self) -> float:
        """Only read the row."""
        message_id = self._message(self._chance.choice(list(self._mail)))
        began = time.perf_counter()
        self._session.execute(sa.select(_TABLE).where(_TABLE.c.id == message_id)).one()
        return since(began)

    def paging(self, role: Role, action: Action) -> Callable[[], float]:
        """The newest that somebody in this role may do this to."""
        people, no_recheck = self._acting(role), Recheck(0)

        def ask() -> float:
            who = self._chance.choice(people)
            began = time.perf_counter()
            page(
                self._session,
                self._policy,
                self._now,
                capacity=who,
                action=action,
                recheck=no_recheck,
                at_most=PAGE,
            )
            return since(began)

        return ask

    def unfiltered(self) -> float:
        """The newest of all, the same columns."""
        began = time.perf_counter()
        self._session.execute(_NEWEST).all()
        return since(began)

    def who_can(self) -> float:
        """Everybody who can open a message."""
        message_id = self._message(self._chance.choice(list(self._mail)))
        began = time.perf_counter()
        who_can(
            self._session,
            self._policy,
            self._now,
            action=Action.OPEN,
            message_id=message_id,
        )
        return since(began)


def since(began: float) -> float:
    """Milliseconds."""
    return (time.perf_counter() - began) * 1000


_NEWEST: sa.Select[*tuple[Any, ...]] = (
    sa.select(*(_TABLE.c[name] for name in Listed._fields))
    .order_by(_TABLE.c.received_at.desc(), _TABLE.c.id.desc())
    .limit(PAGE)
)


def _waiting() -> sa.Select[tuple[str, str]]:
    """What waits for people of a unit."""
    waiting = (MessageState.ROUTED, MessageState.OFFERED, MessageState.RETURNED)
    return sa.select(_TABLE.c.id, _TABLE.c.unit).where(
        _TABLE.c.state.in_(waiting), _TABLE.c.unit.is_not(None)
    )


def _capacity(row: CapacityRow, role: Role) -> Capacity:
    return Capacity(
        id=row.id,
        role=role,
        organisation=OrgNumber(OURS),
        person=PersonId(row.person),
        unit=UnitId(row.unit),
    )
