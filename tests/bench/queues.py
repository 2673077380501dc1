"""What the queues of an archivist cost, beside the newest messages unfiltered."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlmodel import col, select

from inbox.access import Action, Capacity, Policy, Role
from inbox.access.lists.cursor import Cursor
from inbox.access.lists.queue_pages import QueueReader
from inbox.access.lists.queue_statements import QueueOrder
from inbox.access.lists.recheck import Recheck
from inbox.domain import OrgNumber, PersonId, UnitId
from inbox.line import Line
from inbox.line.desk.queue_filters import NO_FILTERS, Queue, order_of, search_of
from inbox.line.desk.queues import desk_side
from inbox.line.desk.unit_terms import UnitTermsTable
from inbox.store import Transaction
from inbox.tables import CapacityRow, Message
from tests.bench.askers import PAGE, WARM, since
from tests.bench.outcome import WrongOutcome
from tests.worlds import OURS

SHOWN: Final = (Queue.DISTRIBUTE, Queue.WAITING, Queue.DONE)
MOST: Final = 3
"""The target, beside the newest unfiltered."""


@dataclass(frozen=True, kw_only=True)
class QueueAsking:
    """An archivist who asks for queues, in a transaction that is open already."""

    tx: Transaction
    policy: Policy

    def archivist(self) -> Capacity:
        """The first archivist; the mail is all of that organisation."""
        row = self.tx.exec(
            select(CapacityRow).where(col(CapacityRow.role) == Role.ARCHIVIST)
        ).first()
        if row is None:
            raise WrongOutcome("nobody distributes mail")
        return Capacity(
            id=row.id,
            role=Role.ARCHIVIST,
            organisation=OrgNumber(OURS),
            person=PersonId(row.person),
            unit=UnitId(row.unit),
        )

    def paging(self, queue: Queue) -> Callable[[], float]:
        """A page of a queue from anywhere in it, ready to be measured."""
        reader = QueueReader(
            session=self.tx,
            policy=self.policy,
            now=self.tx.now,
            capacity=self.archivist(),
            action=Action.ROUTE,
            recheck=Recheck(0),
        )
        search = search_of(queue, NO_FILTERS, UnitTermsTable().lateness(self.tx.now), None)
        order = order_of(queue)
        chance = random.Random(3)  # noqa: S311 - which ones does not matter
        times = self.tx.exec(
            select(Message.received_at, Message.id).where(col(Message.state).in_(search.states))
        ).all()
        places = [None, *(Cursor(at=at, id=found) for at, found in times)]

        def ask() -> float:
            place = chance.choice(places)
            began = time.perf_counter()
            reader.page(
                search, order, after=None if place is None else place.as_text(), at_most=PAGE
            )
            return since(began)

        page = reader.page(search, order, after=None, at_most=PAGE)
        if [row.received_at for row in page.rows] != sorted(
            (row.received_at for row in page.rows), reverse=order is QueueOrder.NEWEST_FIRST
        ):
            raise WrongOutcome("a queue is out of order")
        for _ in range(WARM):
            ask()
        return ask


def counting(line: Line, capacity: Capacity) -> Callable[[], float]:
    """The counts of all queues, ready to be measured."""

    def ask() -> float:
        began = time.perf_counter()
        desk_side(line, capacity)
        return since(began)

    for _ in range(WARM):
        ask()
    return ask
