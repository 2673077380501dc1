"""Whether a unit may be given mail on a day: people and units become passive, never deleted."""

from datetime import datetime

from inbox.tables import Unit


def is_living(unit: Unit, now: datetime) -> bool:
    """Whether its period has begun and not ended."""
    return unit.active_from <= now and (unit.active_until is None or now < unit.active_until)
