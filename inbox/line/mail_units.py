"""Whether a unit may be given mail on a day: people and units become passive, never deleted."""

from datetime import datetime

from sqlmodel import Session

from inbox.domain import UnitId
from inbox.routing.rule_book import RuleBook
from inbox.tables import Unit
from inbox.tables.periods import is_lasting


def unit_for_mail(session: Session, unit_id: str, now: datetime) -> Unit | None:
    """The unit, or the first that lives of those that follow a passive one; None if none does."""
    seen = set[str]()
    unit = session.get(Unit, unit_id)
    while unit is not None and not is_lasting(unit, now):
        seen.add(unit.id)
        follows = unit.successor
        unit = None if follows is None or follows in seen else session.get(Unit, follows)
    return unit


def takers(session: Session, book: RuleBook, now: datetime) -> dict[UnitId, Unit]:
    """Who takes the mail of each unit that the rules know; without those of which nobody does."""
    found = {name: unit_for_mail(session, name, now) for name in book.units}
    return {
        name: unit
        for name, unit in found.items()
        if unit is not None and unit.organisation == book.organisation
    }
