"""What a person stands for on a day: the one list of the capacities that can be acted in."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlmodel import col

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import OrgNumber, PersonId, UnitId
from inbox.tables import Capacity as CapacityRow
from inbox.tables import Person, Unit
from inbox.tables.periods import lasts


def capacities_of(session: Session, on: datetime, person: str) -> tuple[Capacity, ...]:
    """Those that last, of a person and in units that do; each as after a strong sign-in.

    Nothing is proved by it: who says to be the person, or why it is asked, is the caller's matter.
    """
    found = session.execute(
        sa.select(
            col(CapacityRow.id),
            col(CapacityRow.role),
            col(CapacityRow.unit),
            col(Unit.organisation),
        )
        .select_from(CapacityRow)
        .join(Unit, col(Unit.id) == col(CapacityRow.unit))
        .join(Person, col(Person.id) == col(CapacityRow.person))
        .where(
            col(CapacityRow.person) == person,
            *(lasts(kind, on) for kind in (CapacityRow, Unit, Person)),
        )
        .order_by(col(CapacityRow.unit), col(CapacityRow.role), col(CapacityRow.id))
    )
    return tuple(
        Capacity(
            id=capacity_id,
            role=Role(role),
            organisation=OrgNumber(organisation),
            person=PersonId(person),
            unit=UnitId(unit),
            strong_auth=True,
        )
        for capacity_id, role, unit, organisation in found
    )
