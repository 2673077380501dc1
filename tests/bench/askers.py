"""People who ask about mail, another one each time, and what that is measured beside."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from inbox.access import Action, Capacity, OfMessage, Policy, Role, permit
from inbox.access.lists.pages import ListedMessage, fetch_page
from inbox.access.lists.recheck import Recheck
from inbox.access.review.who_can import who_can
from inbox.domain import MessageId, MessageState, OrgNumber, PersonId, UnitId
from inbox.store import Transaction
from inbox.tables import CapacityRow, Message, Unit, table_of
from tests.bench.outcome import WrongOutcome, check_outcome
from tests.worlds import OURS

PAGE = 50
WARM = 20
"""How often something is asked before it counts: PostgreSQL plans a statement anew the first ten
times on each connection, and then keeps a plan."""
_TABLE = table_of(Message)
_CHECKED = 3
"""How many messages, or people, the answers are compared for before anything is measured."""


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

    def __init__(self, tx: Transaction, policy: Policy) -> None:
        self._session, self._now, self._policy = tx, tx.now, policy
        self.policy = policy
        self._chance = random.Random(3)  # noqa: S311 - which ones does not matter
        self._mail = dict[str, list[str]]()
        for message_id, unit in tx.execute(_waiting()):
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
        people = self._acting(kind.role, shares=kind.shares)

        def ask() -> float:
            who = self._chance.choice(people)
            began = time.perf_counter()
            self._page(who, kind.action)
            return since(began)

        self._check_pages(kind, people)
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
        self._able(Action.OPEN, message_id)
        return since(began)

    def check_decisions(self, action: Action) -> None:
        """Raise `WrongOutcome` unless a review finds just those handlers of a unit who may."""
        for unit in self._chance.sample(sorted(self._mail), min(_CHECKED, len(self._mail))):
            message_id = self._message(unit)
            able = self._able(action, message_id)
            for handler in (each for each in self._handlers if each.unit == unit):
                may = self._may(handler, action, message_id)
                check_outcome(f"may {action}", expected=handler.id in able, seen=may)

    def _check_pages(self, kind: Kind, people: Sequence[Capacity]) -> None:
        """Raise `WrongOutcome` unless pages have rows, and all of the newest that they must."""
        newest = [MessageId(row.id) for row in self._session.execute(_NEWEST)]
        rows = 0
        for who in self._chance.choices(people, k=_CHECKED * _CHECKED):
            page = self._page(who, kind.action)
            theirs = [each for each in newest if self._may(who, kind.action, each)]
            check_outcome(kind.what, expected=theirs, seen=page[: len(theirs)])
            rows += len(page)
        if not rows:
            raise WrongOutcome(f"{kind.what}: nobody sees a message")

    def _page(self, who: Capacity, action: Action) -> list[MessageId]:
        page = fetch_page(
            self._session,
            self._policy,
            self._now,
            capacity=who,
            action=action,
            recheck=_NO_RECHECK,
            at_most=PAGE,
        )
        return [row.id for row in page.rows]

    def _may(self, who: Capacity, action: Action, message_id: MessageId) -> bool:
        subject = OfMessage(message_id=message_id)
        return permit(
            self._session, self._policy, self._now, capacity=who, action=action, subject=subject
        ).allowed

    def _able(self, action: Action, message_id: MessageId) -> set[str]:
        able = who_can(self._session, self._policy, self._now, action=action, message_id=message_id)
        return {each.capacity for each in able}


def since(began: float) -> float:
    """Milliseconds."""
    return (time.perf_counter() - began) * 1000


_NO_RECHECK = Recheck(0)
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
