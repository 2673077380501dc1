"""Reads rows of a directory strictly.

An error names the file, the line, what was read and what is allowed.

A value is repeated in a refusal only where it looks like an id or a word of ours, so that nobody's
name stands in an error.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from inbox.days import end_of_day, read_day, start_of_day
from inbox.directory.format.rows import (
    COLUMNS_BY_KIND,
    EXACTLY_ONE_OF,
    PERIOD_COLUMNS,
    Cell,
    Column,
    Directory,
    DirectoryRow,
    RowKey,
    RowKind,
)
from inbox.domain import Mode, OrgNumber, parse_org_number
from inbox.errors import Invalid

_SAFE_TO_QUOTE: Final = re.compile(r"(?=.*[a-z])[a-z0-9_.:-]{1,40}")
_MOMENT_FORMAT: Final = "a day as 2026-01-31, or a time with its zone as 2026-01-31T08:00:00Z"


@dataclass(frozen=True, kw_only=True)
class FileLine:
    """A line of a file, for error messages."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}" if self.line else self.file

    def refuse(self, code: str, read: str, allowed: str) -> Invalid:
        """The error to raise; `read` describes what was read: see `quote_if_safe`."""
        return Invalid(f"directory.{code}", f"{self}: read {read}; allowed: {allowed}")


def quote_if_safe(read: object) -> str:
    """What was read, quoted only if it may be repeated in an error."""
    if isinstance(read, bool | date):
        return str(read).lower()
    if isinstance(read, str):
        looks = _SAFE_TO_QUOTE.fullmatch(read) is not None
        return f"«{read}»" if looks else f"a text of {len(read)} characters"
    return "nothing" if read is None else f"a value of another type ({type(read).__name__})"


def columns_of(kind: RowKind) -> tuple[str, ...]:
    """All columns that a row of this kind may have."""
    names = tuple(column.name for column in COLUMNS_BY_KIND[kind])
    return names if kind is RowKind.REFERENCE else (*names, *PERIOD_COLUMNS)


def read_row(
    kind: RowKind, read: Mapping[str, object], places: Mapping[str, FileLine]
) -> DirectoryRow:
    """Read one row; `places` has the line of each key, and under "" the line of the row."""
    here = places[""]
    for name in read:
        if name not in columns_of(kind):
            raise places.get(name, here).refuse(
                "key", quote_if_safe(name), ", ".join(columns_of(kind))
            )
    cells: dict[str, Cell] = {}
    for column in COLUMNS_BY_KIND[kind]:
        if column.name in read:
            place = places.get(column.name, here)
            cells[column.name] = _cell(place, kind, column, read[column.name])
        elif column.required:
            raise here.refuse("missing", "nothing", f"{kind.value} has a {column.name}")
    since = _read_moment(places.get("from", here), read.get("from"), last=False)
    until = _read_moment(places.get("until", here), read.get("until"), last=True)
    said = {name: value for name, value in cells.items() if value is not False}
    row = DirectoryRow(kind=kind, cells=said, since=since, until=until, location=str(here))
    _check_row(here, row)
    return row


def _cell(place: FileLine, kind: RowKind, column: Column, value: object) -> Cell:
    if not column.accepts(value):
        what = f"{kind.value}.{column.name}: {column.allowed}"
        # A name is never repeated, whatever it looks like.
        is_name = column.name == "name" and isinstance(value, str)
        read = "a text" if is_name else quote_if_safe(value)
        raise place.refuse("value", read, what)
    assert isinstance(value, str | bool)
    return value


def _read_moment(place: FileLine, value: object, *, last: bool) -> datetime | None:
    """Read a date or a time: for `from` a date means its beginning, for `until` its end."""
    if value is None:
        return None
    if isinstance(value, str):
        value = _parse_csv_moment(place, value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise place.refuse("value", "a time without a zone", _MOMENT_FORMAT)
        return value.astimezone(UTC)
    if isinstance(value, date):
        with suppress(OverflowError):
            return end_of_day(value) if last else start_of_day(value)
    raise place.refuse("value", quote_if_safe(value), _MOMENT_FORMAT)


def _parse_csv_moment(place: FileLine, text: str) -> date | datetime:
    """Parse a date or time from CSV, in the same form as in TOML."""
    try:
        day = re.fullmatch(r"\d{4}-\d\d-\d\d", text)
        return read_day(text) if day else datetime.fromisoformat(text)
    except ValueError:
        raise place.refuse("value", quote_if_safe(text), _MOMENT_FORMAT) from None


def _check_row(place: FileLine, row: DirectoryRow) -> None:
    if one_of := EXACTLY_ONE_OF.get(row.kind):
        given = [name for name in one_of if name in row.cells]
        if len(given) != 1:
            read = " and ".join(given) or "none of them"
            raise place.refuse("value", read, f"exactly one of {', '.join(one_of)}")
    if row.since is not None and row.until is not None and row.until <= row.since:
        raise place.refuse("period", quote_if_safe(row.until), "an end after the beginning")
    if row.kind is RowKind.DELEGATION:
        if row.until is None:
            raise place.refuse("missing", "nothing", "a delegation has an until")
        if row.cells["absent"] == row.cells["substitute"]:
            raise place.refuse(
                "value", quote_if_safe(row.cells["absent"]), "somebody else as substitute"
            )
    if row.kind is RowKind.CASE_SYSTEM:
        has_address = "webhook_url" in row.cells
        if has_address is not (row.cells["mode"] == Mode.WEBHOOK):
            raise place.refuse(
                "value", quote_if_safe(row.cells["mode"]), "a webhook_url with webhook alone"
            )


class DirectoryBuilder:
    """Collects rows as they are read, and refuses duplicates."""

    def __init__(self, organisation: OrgNumber, *, complete: bool) -> None:
        self._organisation, self._complete = organisation, complete
        self._rows: dict[RowKind, dict[RowKey, DirectoryRow]] = {}

    def declare_kind(self, kind: RowKind) -> None:
        """Record that the file lists this kind, even if it has no rows of it."""
        self._rows.setdefault(kind, {})

    def add(self, row: DirectoryRow, place: FileLine) -> None:
        """Add a row; raise `Invalid` if there is another row with the same key."""
        rows = self._rows.setdefault(row.kind, {})
        if row.key in rows:
            first = rows[row.key].location
            raise place.refuse("twice", "the same again", f"each once; it stands at {first}")
        rows[row.key] = row

    def build(self) -> Directory:
        """The directory with all collected rows."""
        return Directory(
            organisation=self._organisation, complete=self._complete, rows=dict(self._rows)
        )


def start_builder(
    place: FileLine, organisation: object, complete: object, *, complete_at: FileLine
) -> DirectoryBuilder:
    """Start a directory: read its organisation, and whether it is complete."""
    if not isinstance(complete, bool):
        raise complete_at.refuse("value", quote_if_safe(complete), "complete: true, false")
    try:
        number = parse_org_number(organisation if isinstance(organisation, str) else "")
    except Invalid:
        allowed = "organisation: an organisation number, nine digits that fit together"
        raise place.refuse("organisation", quote_if_safe(organisation), allowed) from None
    return DirectoryBuilder(number, complete=complete)
