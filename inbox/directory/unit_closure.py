"""Maintains the closure table of the unit tree: which unit is above which, and in which period."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inbox.directory.rules import above
from inbox.domain import OrgNumber, new_id
from inbox.tables import Unit, UnitAbove, table_of


def keep_tree(session: Session, now: datetime, organisation: OrgNumber) -> None:
    """Make the closure say what the parents say; what no longer holds keeps its row and ends."""
    units = session.execute(
        select(col(Unit.id), col(Unit.parent)).where(col(Unit.organisation) == organisation)
    ).all()
    parents = {unit: parent for unit, parent in units if parent is not None}
    wanted = {(unit, over) for unit, _ in units for over in above(parents, unit)}
    table = table_of(UnitAbove)
    standing = {
        (unit, over): row_id
        for row_id, unit, over in session.execute(
            sa.select(table.c.id, table.c.unit, table.c.above)
            .join(table_of(Unit), table_of(Unit).c.id == table.c.unit)
            .where(table.c.active_until.is_(None), col(Unit.organisation) == organisation)
        )
    }
    for pair, row_id in standing.items():
        if pair not in wanted:
            session.execute(sa.update(table).where(table.c.id == row_id).values(active_until=now))
    new = [
        {"id": new_id(), "unit": unit, "above": over, "active_from": now, "active_until": None}
        for unit, over in sorted(wanted - standing.keys())
    ]
    if new:
        session.execute(sa.insert(table), new)
