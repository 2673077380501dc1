"""Reads the times and dates that senders write, which follow ISO 8601 only loosely."""

import re
from datetime import UTC, date, datetime

from inbox.days import OSLO, day_of

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_instant(text: str | None) -> datetime | None:
    """The instant in UTC, or None when it cannot be read.

    A time without a zone is Norwegian (reference §3.1); of a fraction with more than six digits
    the rest is dropped.
    """
    try:
        instant = datetime.fromisoformat((text or "").strip())
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=OSLO)
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_date(text: str | None) -> date | None:
    """The day of an `xs:date` or `xs:dateTime`, which may carry a zone; None if there is none.

    A date is the day that is written, whatever its zone; a time with a zone is an instant, and its
    day is the one in Norway.
    """
    found = _DATE.match((text or "").strip())
    try:
        written = date.fromisoformat(found.group()) if found else None
    except ValueError:
        return None
    instant = read_instant(text) if written is not None and "T" in (text or "") else None
    return written if instant is None else day_of(instant)
