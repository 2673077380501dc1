"""Which unit receives mail on a given day: an inactive unit is replaced by its successor."""

from inbox.domain import UnitId
from inbox.routing.rule_book import RuleBook
from inbox.store import Transaction
from inbox.tables import Unit
from inbox.tables.periods import is_active_on


def active_unit_or_successor(tx: Transaction, unit_id: str) -> Unit | None:
    """The unit if it is active, otherwise the first active one in its chain of successors.

    Returns None if there is none.
    """
    seen = set[str]()
    unit = tx.get(Unit, unit_id)
    while unit is not None and not is_active_on(unit, tx.now):
        seen.add(unit.id)
        follows = unit.successor
        unit = None if follows is None or follows in seen else tx.get(Unit, follows)
    return unit


def receiving_units(tx: Transaction, book: RuleBook) -> dict[UnitId, Unit]:
    """For each unit that the rules name, the active unit that receives its mail.

    Units without one are left out.
    """
    found = {name: active_unit_or_successor(tx, name) for name in book.units}
    return {
        name: unit
        for name, unit in found.items()
        if unit is not None and unit.organisation == book.organisation
    }
