"""Maintains the closure table of the unit tree: which unit is above which, and in which period."""

import sqlalchemy as sa
from sqlmodel import col, select

from inbox.directory.rules import units_above
from inbox.domain import OrgNumber, new_id
from inbox.store import Transaction
from inbox.tables import Unit, UnitAbove, table_of


def update_unit_closure(tx: Transaction, organisation: OrgNumber) -> None:
    """Update the closure table to match the parents of units.

    Entries that no longer hold are ended, not deleted.
    """
    units = tx.execute(
        select(col(Unit.id), col(Unit.parent)).where(col(Unit.organisation) == organisation)
    ).all()
    parents = {unit: parent for unit, parent in units if parent is not None}
    wanted = {(unit, over) for unit, _ in units for over in units_above(parents, unit)}
    table = table_of(UnitAbove)
    standing = {
        (unit, over): row_id
        for row_id, unit, over in tx.execute(
            sa.select(table.c.id, table.c.unit, table.c.above)
            .join(table_of(Unit), table_of(Unit).c.id == table.c.unit)
            .where(table.c.active_until.is_(None), col(Unit.organisation) == organisation)
        )
    }
    for pair, row_id in standing.items():
        if pair not in wanted:
            tx.execute(sa.update(table).where(table.c.id == row_id).values(active_until=tx.now))
    new = [
        {"id": new_id(), "unit": unit, "above": over, "active_from": tx.now, "active_until": None}
        for unit, over in sorted(wanted - standing.keys())
    ]
    if new:
        tx.execute(sa.insert(table), new)
