"""The active capacities of a person at a point in time.

This is the only list of capacities that a person can act in.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlmodel import col

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import OrgNumber, PersonId, UnitId
from inbox.tables import CapacityRow, Person, Unit
from inbox.tables.periods import active_on


def active_capacities_of(session: Session, on: datetime, person: str) -> tuple[Capacity, ...]:
    """The active capacities of a person, in units that are active too.

    Each capacity is returned as if after a strong sign-in.

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
            *(active_on(kind, on) for kind in (CapacityRow, Unit, Person)),
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
