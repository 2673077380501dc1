"""Whether a unit may be given mail on a day: people and units become passive, never deleted."""

from datetime import datetime

from sqlmodel import Session

from inbox.tables import Unit


def is_living(unit: Unit, now: datetime) -> bool:
    """Whether its period has begun and not ended."""
    return unit.active_from <= now and (unit.active_until is None or now < unit.active_until)


def unit_for_mail(session: Session, unit_id: str, now: datetime) -> Unit | None:
    """The unit, or the one that follows a passive one; None where neither lives."""
    unit = session.get(Unit, unit_id)
    if unit is not None and not is_living(unit, now) and unit.successor is not None:
        unit = session.get(Unit, unit.successor)
    return unit if unit is not None and is_living(unit, now) else None
