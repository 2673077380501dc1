"""Reads rows of a directory strictly.

An error names the file, the line, what was read and what is allowed.

A value is repeated in a refusal only where it looks like an id or a word of ours, so that nobody's
name stands in an error.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Final

from inbox.days import end_of_day, read_day, start_of_day
from inbox.directory.format.phrases import DIRECTORY_PHRASES
from inbox.directory.format.rows import (
    COLUMNS_BY_KIND,
    EXACTLY_ONE_OF,
    NEVER_REPEATED,
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
from inbox.strict.phrases import READER_PHRASES, Said
from inbox.strict.refusal import FileFamily, ReadPosition
from inbox.strict.source_text import odd_sign_in

_SAFE_TO_QUOTE: Final = re.compile(r"(?=.*[a-z])[a-z0-9_.:-]{1,40}")


def directory_position(file: str) -> ReadPosition:
    """The beginning of a file of the directory."""
    return ReadPosition(file=file, family=FileFamily.DIRECTORY)


def quote_if_safe(read: object) -> Said:
    """What was read, as it is only if it may be repeated in an error."""
    if isinstance(read, bool | date):
        return str(read).lower()
    if isinstance(read, str):
        looks = _SAFE_TO_QUOTE.fullmatch(read) is not None
        return read if looks else DIRECTORY_PHRASES("text_of_length", count=len(read))
    if read is None:
        return DIRECTORY_PHRASES("nothing")
    return DIRECTORY_PHRASES("another_type", type=type(read).__name__)


def columns_of(kind: RowKind) -> tuple[str, ...]:
    """All columns that a row of this kind may have."""
    names = tuple(column.name for column in COLUMNS_BY_KIND[kind])
    return names if kind is RowKind.REFERENCE else (*names, *PERIOD_COLUMNS)


def read_row(kind: RowKind, read: Mapping[str, object], here: ReadPosition) -> DirectoryRow:
    """Read one row; `here` is its position, from which the lines of its keys are found."""
    columns = columns_of(kind)
    for name in read:
        if name not in columns:
            place = here.at("", name)
            raise place.refuse("key", quote_if_safe(name), ", ".join(columns), names=columns)
    cells: dict[str, Cell] = {}
    for column in COLUMNS_BY_KIND[kind]:
        if column.name in read:
            place = here.at("", column.name)
            cells[column.name] = _cell(place, kind, column, read[column.name])
        elif column.required:
            allowed = DIRECTORY_PHRASES("required_column", kind=kind.value, column=column.name)
            raise here.refuse("missing", DIRECTORY_PHRASES("nothing"), allowed)
    since = _read_moment(here.at("", "from"), read.get("from"), last=False)
    until = _read_moment(here.at("", "until"), read.get("until"), last=True)
    said = {name: value for name, value in cells.items() if value is not False}
    row = DirectoryRow(kind=kind, cells=said, since=since, until=until, location=str(here))
    _check_row(here, row)
    return row


def _cell(place: ReadPosition, kind: RowKind, column: Column, value: object) -> Cell:
    if not column.accepts(value):
        if isinstance(value, str) and (odd := odd_sign_in(value)) is not None:
            raise place.refuse(*odd)
        name = f"{kind.value}.{column.name}"
        allowed = DIRECTORY_PHRASES("column", column=name, allowed=column.allowed)
        # A name or a national id is never repeated, whatever it looks like.
        is_name = column.name in NEVER_REPEATED and isinstance(value, str)
        read = DIRECTORY_PHRASES("a_text") if is_name else quote_if_safe(value)
        raise place.refuse("value", read, allowed, names=column.words)
    assert isinstance(value, str | bool)
    return value


def _read_moment(place: ReadPosition, value: object, *, last: bool) -> datetime | None:
    """Read a date or a time: for `from` a date means its beginning, for `until` its end."""
    if value is None:
        return None
    if isinstance(value, str):
        value = _parse_csv_moment(place, value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            read = DIRECTORY_PHRASES("time_without_zone")
            raise place.refuse("value", read, DIRECTORY_PHRASES("moment"))
        return value.astimezone(UTC)
    if isinstance(value, date):
        with suppress(OverflowError):
            return end_of_day(value) if last else start_of_day(value)
    raise place.refuse("value", quote_if_safe(value), DIRECTORY_PHRASES("moment"))


def _parse_csv_moment(place: ReadPosition, text: str) -> date | datetime:
    """Parse a date or time from CSV, in the same form as in TOML."""
    try:
        day = re.fullmatch(r"\d{4}-\d\d-\d\d", text)
        return read_day(text) if day else datetime.fromisoformat(text)
    except ValueError:
        raise place.refuse("value", quote_if_safe(text), DIRECTORY_PHRASES("moment")) from None


def _check_row(place: ReadPosition, row: DirectoryRow) -> None:
    if one_of := EXACTLY_ONE_OF.get(row.kind):
        given = [name for name in one_of if name in row.cells]
        if len(given) != 1:
            read = ", ".join(given) or DIRECTORY_PHRASES("none_of_them")
            raise place.refuse("value", read, DIRECTORY_PHRASES("one_of", names=", ".join(one_of)))
    if row.since is not None and row.until is not None and row.until <= row.since:
        raise place.refuse(
            "period", quote_if_safe(row.until), DIRECTORY_PHRASES("end_after_beginning")
        )
    if row.kind is RowKind.DELEGATION:
        if row.until is None:
            allowed = DIRECTORY_PHRASES("delegation_until")
            raise place.refuse("missing", DIRECTORY_PHRASES("nothing"), allowed)
        if row.cells["absent"] == row.cells["substitute"]:
            allowed = DIRECTORY_PHRASES("another_substitute")
            raise place.refuse("value", quote_if_safe(row.cells["absent"]), allowed)
    if row.kind is RowKind.CASE_SYSTEM:
        has_address = "webhook_url" in row.cells
        if has_address is not (row.cells["mode"] == Mode.WEBHOOK):
            allowed = DIRECTORY_PHRASES("url_with_webhook")
            raise place.refuse("value", quote_if_safe(row.cells["mode"]), allowed)


class DirectoryBuilder:
    """Collects rows as they are read, and refuses duplicates."""

    def __init__(self, organisation: OrgNumber, *, complete: bool) -> None:
        self._organisation, self._complete = organisation, complete
        self._rows: dict[RowKind, dict[RowKey, DirectoryRow]] = {}

    def declare_kind(self, kind: RowKind) -> None:
        """Record that the file lists this kind, even if it has no rows of it."""
        self._rows.setdefault(kind, {})

    def add(self, row: DirectoryRow, place: ReadPosition) -> None:
        """Add a row; raise `Invalid` if there is another row with the same key."""
        rows = self._rows.setdefault(row.kind, {})
        if row.key in rows:
            allowed = DIRECTORY_PHRASES("each_once", place=rows[row.key].location)
            raise place.refuse("twice", DIRECTORY_PHRASES("same_again"), allowed)
        rows[row.key] = row

    def build(self) -> Directory:
        """The directory with all collected rows."""
        return Directory(
            organisation=self._organisation, complete=self._complete, rows=dict(self._rows)
        )


def start_builder(
    place: ReadPosition, organisation: object, complete: object, *, complete_at: ReadPosition
) -> DirectoryBuilder:
    """Start a directory: read its organisation, and whether it is complete."""
    if not isinstance(complete, bool):
        allowed = DIRECTORY_PHRASES("column", column="complete", allowed="true, false")
        raise complete_at.refuse("value", quote_if_safe(complete), allowed)
    try:
        number = parse_org_number(organisation if isinstance(organisation, str) else "")
    except Invalid:
        number_allowed = READER_PHRASES("org_number")
        allowed = DIRECTORY_PHRASES("column", column="organisation", allowed=number_allowed)
        raise place.refuse("organisation", quote_if_safe(organisation), allowed) from None
    return DirectoryBuilder(number, complete=complete)
