"""Reads rows strictly: a refusal says file, line, what was read and what is allowed.

A value is repeated in a refusal only where it looks like an id or a word of ours, so that nobody's
name stands in an error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from inbox.directory.format.rows import (
    ALTERNATIVES,
    PERIOD,
    SHAPE,
    Cell,
    Column,
    Directory,
    Key,
    Kind,
    Row,
    beginning,
    ending,
)
from inbox.domain import Mode, OrgNumber, parse_org_number
from inbox.errors import Invalid

_LOOKS_LIKE_OURS: Final = re.compile(r"(?=.*[a-z])[a-z0-9_.:-]{1,40}")
_MOMENT: Final = "a day as 2026-01-31, or a time with its zone as 2026-01-31T08:00:00Z"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A line of a file, for error messages."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}" if self.line else self.file

    def refuse(self, code: str, read: str, allowed: str) -> Invalid:
        """The error to raise; `read` describes what was read: see `shown`."""
        return Invalid(f"directory.{code}", f"{self}: read {read}; allowed: {allowed}")


def shown(read: object) -> str:
    """What was read, quoted only if it may be repeated in an error."""
    if isinstance(read, bool | date):
        return str(read).lower()
    if isinstance(read, str):
        looks = _LOOKS_LIKE_OURS.fullmatch(read) is not None
        return f"«{read}»" if looks else f"a text of {len(read)} characters"
    return "nothing" if read is None else f"a value of another type ({type(read).__name__})"


def columns_of(kind: Kind) -> tuple[str, ...]:
    """All columns that a row of this kind may have."""
    names = tuple(column.name for column in SHAPE[kind])
    return names if kind is Kind.REFERENCE else (*names, *PERIOD)


def read_row(kind: Kind, read: Mapping[str, object], places: Mapping[str, Place]) -> Row:
    """Read one row; `places` has the line of each key, and under "" the line of the row."""
    here = places[""]
    for name in read:
        if name not in columns_of(kind):
            raise places.get(name, here).refuse("key", shown(name), ", ".join(columns_of(kind)))
    cells: dict[str, Cell] = {}
    for column in SHAPE[kind]:
        if column.name in read:
            place = places.get(column.name, here)
            cells[column.name] = _cell(place, kind, column, read[column.name])
        elif column.required:
            raise here.refuse("missing", "nothing", f"{kind.value} has a {column.name}")
    since = _moment(places.get("from", here), read.get("from"), last=False)
    until = _moment(places.get("until", here), read.get("until"), last=True)
    said = {name: value for name, value in cells.items() if value is not False}
    row = Row(kind=kind, cells=said, since=since, until=until, place=str(here))
    _check_row(here, row)
    return row


def _cell(place: Place, kind: Kind, column: Column, value: object) -> Cell:
    if not column.takes(value):
        what = f"{kind.value}.{column.name}: {column.allowed}"
        # A name is never repeated, whatever it looks like.
        is_name = column.name == "name" and isinstance(value, str)
        read = "a text" if is_name else shown(value)
        raise place.refuse("value", read, what)
    assert isinstance(value, str | bool)
    return value


def _moment(place: Place, value: object, *, last: bool) -> datetime | None:
    """Read a date or a time: for `from` a date means its beginning, for `until` its end."""
    if value is None:
        return None
    if isinstance(value, str):
        value = _written(place, value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise place.refuse("value", "a time without a zone", _MOMENT)
        return value.astimezone(UTC)
    if isinstance(value, date):
        return ending(value) if last else beginning(value)
    raise place.refuse("value", shown(value), _MOMENT)


def _written(place: Place, text: str) -> date | datetime:
    """Parse a date or time from CSV, in the same form as in TOML."""
    try:
        day = re.fullmatch(r"\d{4}-\d\d-\d\d", text)
        return date.fromisoformat(text) if day else datetime.fromisoformat(text)
    except ValueError:
        raise place.refuse("value", shown(text), _MOMENT) from None


def _check_row(place: Place, row: Row) -> None:
    if one_of := ALTERNATIVES.get(row.kind):
        given = [name for name in one_of if name in row.cells]
        if len(given) != 1:
            read = " and ".join(given) or "none of them"
            raise place.refuse("value", read, f"exactly one of {', '.join(one_of)}")
    if row.since is not None and row.until is not None and row.until <= row.since:
        raise place.refuse("period", shown(row.until), "an end after the beginning")
    if row.kind is Kind.DELEGATION:
        if row.until is None:
            raise place.refuse("missing", "nothing", "a delegation has an until")
        if row.cells["absent"] == row.cells["substitute"]:
            raise place.refuse("value", shown(row.cells["absent"]), "somebody else as substitute")
    if row.kind is Kind.CASE_SYSTEM:
        has_address = "webhook_url" in row.cells
        if has_address is not (row.cells["mode"] == Mode.WEBHOOK):
            raise place.refuse(
                "value", shown(row.cells["mode"]), "a webhook_url with webhook alone"
            )


class Gathered:
    """Collects rows as they are read, and refuses duplicates."""

    def __init__(self, organisation: OrgNumber, *, complete: bool) -> None:
        self._organisation, self._complete = organisation, complete
        self._rows: dict[Kind, dict[Key, Row]] = {}

    def lists(self, kind: Kind) -> None:
        """Record that the file lists this kind, even if it has no rows of it."""
        self._rows.setdefault(kind, {})

    def add(self, row: Row, place: Place) -> None:
        """Add a row; raise `Invalid` if there is another row with the same key."""
        rows = self._rows.setdefault(row.kind, {})
        if row.key in rows:
            first = rows[row.key].place
            raise place.refuse("twice", "the same again", f"each once; it stands at {first}")
        rows[row.key] = row

    def directory(self) -> Directory:
        """The directory with all collected rows."""
        return Directory(
            organisation=self._organisation, complete=self._complete, rows=dict(self._rows)
        )


def begun(place: Place, organisation: object, complete: object, *, complete_at: Place) -> Gathered:
    """Start a directory: read its organisation, and whether it is complete."""
    if not isinstance(complete, bool):
        raise complete_at.refuse("value", shown(complete), "complete: true, false")
    try:
        number = parse_org_number(organisation if isinstance(organisation, str) else "")
    except Invalid:
        allowed = "organisation: an organisation number, nine digits that fit together"
        raise place.refuse("organisation", shown(organisation), allowed) from None
    return Gathered(number, complete=complete)
