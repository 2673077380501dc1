"""People who ask about mail, another one each time, and what that is measured beside."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inbox.access import Action, Capacity, OfMessage, Policy, Role, permit
from inbox.access.lists.pages import ListedMessage, fetch_page
from inbox.access.lists.recheck import Recheck
from inbox.access.review.who_can import who_can
from inbox.domain import MessageId, MessageState, OrgNumber, PersonId, UnitId
from inbox.tables import CapacityRow, Message, Unit, table_of
from tests.worlds import OURS

PAGE = 50
WARM = 20
"""How often something is asked before it counts: PostgreSQL plans a statement anew the first ten
times on each connection, and then keeps a plan."""
_TABLE = table_of(Message)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A page, and those who ask for it: alike, for whose unit shares its mail sees far more."""

    what: str
    role: Role
    action: Action
    shares: bool | None = None
    """Whether their unit shares what nobody has; None: some do."""
    at_most: float | None = None
    """The target, beside the newest unfiltered."""
    of_more_at_most: float | None = None
    """The target, beside the same page of a tenth of everything."""


KINDS = (
    Kind(
        what="a page of the list for a handler",
        role=Role.HANDLER,
        action=Action.LIST,
        shares=False,
        at_most=1.5,
        of_more_at_most=1.3,
    ),
    Kind(
        what="a page of the list for a handler whose unit shares",
        role=Role.HANDLER,
        action=Action.LIST,
        shares=True,
        at_most=1.5,
        of_more_at_most=1.3,
    ),
    Kind(
        what="a page of the list for a leader",
        role=Role.LEADER,
        action=Action.LIST,
        at_most=12,
        of_more_at_most=2,
    ),
    Kind(what="a page to distribute for an archivist", role=Role.ARCHIVIST, action=Action.ROUTE),
)


class Asking:
    """Each question takes milliseconds, in a transaction that is open already."""

    def __init__(self, session: Session, now: datetime, policy: Policy) -> None:
        self._session, self._now, self._policy = session, now, policy
        self._chance = random.Random(3)  # noqa: S311 - which ones does not matter
        self._mail = dict[str, list[str]]()
        for message_id, unit in session.execute(_waiting()):
            self._mail.setdefault(unit, []).append(message_id)
        self._handlers = [one for one in self._acting(Role.HANDLER) if one.unit in self._mail]

    def _acting(self, role: Role, *, shares: bool | None = None) -> Sequence[Capacity]:
        found = (
            select(CapacityRow)
            .join(Unit, col(Unit.id) == col(CapacityRow.unit))
            .where(col(CapacityRow.role) == role)
        )
        if shares is not None:
            found = found.where(col(Unit.shares_unassigned).is_(shares))
        return [_capacity(row, role) for row in self._session.exec(found)]

    def _message(self, unit: str) -> MessageId:
        return MessageId(self._chance.choice(self._mail[unit]))

    def decided(self, action: Action) -> float:
        """Ask whether a handler may do this to a message of the own unit."""
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

    def paging(self, kind: Kind) -> Callable[[], float]:
        """The newest that one of these may do this to, ready to be measured."""
        people, no_recheck = self._acting(kind.role, shares=kind.shares), Recheck(0)

        def ask() -> float:
            who = self._chance.choice(people)
            began = time.perf_counter()
            fetch_page(
                self._session,
                self._policy,
                self._now,
                capacity=who,
                action=kind.action,
                recheck=no_recheck,
                at_most=PAGE,
            )
            return since(began)

        for _ in range(WARM):
            ask()
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
    sa.select(*(_TABLE.c[name] for name in ListedMessage._fields))
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
