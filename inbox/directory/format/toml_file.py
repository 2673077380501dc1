"""Reads and writes a directory as one TOML file; an error names the line."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from inbox.days import day_of, is_midnight, last_day_before
from inbox.directory.format.phrases import DIRECTORY_PHRASES
from inbox.directory.format.row_reader import (
    directory_position,
    quote_if_safe,
    read_row,
    start_builder,
)
from inbox.directory.format.rows import COLUMNS_BY_KIND, Cell, Directory, DirectoryRow, RowKind
from inbox.strict.refusal import ReadPosition
from inbox.strict.toml_tables import read_toml

MAX_BYTES: Final = 64 * 1024 * 1024
_TOP_KEYS: Final = ("organisation", "complete", *(kind.value for kind in RowKind))


def read_directory(raw: bytes, *, file: str = "directory.toml") -> Directory:
    """Read the directory from a TOML file. Raises `Invalid`, which says where, and never a name."""
    place, table = read_toml(directory_position(file), raw, max_bytes=MAX_BYTES)
    return _directory_at(place, table)


def directory_of(table: Mapping[str, object], *, file: str = "directory") -> Directory:
    """Build the directory from a table that is in no file."""
    return _directory_at(directory_position(file), table)


def _directory_at(place: ReadPosition, table: Mapping[str, object]) -> Directory:
    for name in table:
        if name not in _TOP_KEYS:
            here = _top(place, name)
            raise here.refuse("key", quote_if_safe(name), ", ".join(_TOP_KEYS), names=_TOP_KEYS)
    gathered = start_builder(
        _top(place, "organisation"),
        table.get("organisation"),
        table.get("complete", False),
        complete_at=_top(place, "complete"),
    )
    for kind in RowKind:
        if kind.value not in table:
            continue
        gathered.declare_kind(kind)
        for index, read in enumerate(_tables(_top(place, kind.value), kind, table[kind.value])):
            here = place.at("", kind.value, index)
            gathered.add(read_row(kind, read, here), here)
    return gathered.build()


def _top(place: ReadPosition, name: str) -> ReadPosition:
    """The position of a top-level key, or of the first of its tables."""
    here, first = place.at("", name), place.at("", name, 0)
    return here if here.line is not None else first


def _tables(place: ReadPosition, kind: RowKind, value: object) -> Iterator[Mapping[str, object]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        allowed = DIRECTORY_PHRASES("table_or_none", kind=kind.value)
        raise place.refuse("value", quote_if_safe(value), allowed)
    yield from value


def directory_text(directory: Directory) -> str:
    """The directory as TOML text that `read_directory` reads back unchanged.

    Deterministic: sorted by what names a row.
    """
    parts = [f"organisation = {_toml_value(directory.organisation)}"]
    parts.append(f"complete = {_toml_value(directory.complete)}")
    parts += [f"{kind.value} = []" for kind in RowKind if directory.rows.get(kind) == {}]
    for kind in RowKind:
        rows = directory.rows.get(kind, {})
        for key in sorted(rows):
            cells = "\n".join(f"{name} = {text}" for name, text in _cells(rows[key]))
            parts.append(f"\n[[{kind.value}]]\n{cells}")
    return "\n".join(parts) + "\n"


def _cells(row: DirectoryRow) -> Iterator[tuple[str, str]]:
    for column in COLUMNS_BY_KIND[row.kind]:
        if column.name in row.cells:
            yield column.name, _toml_value(row.cells[column.name])
    yield from period_cells(row)


def period_cells(row: DirectoryRow) -> Iterator[tuple[str, str]]:
    """The cells `from` and `until` as text; whole days are written as dates."""
    if row.since is not None:
        whole = is_midnight(row.since)
        yield "from", day_of(row.since).isoformat() if whole else _moment_text(row.since)
    if row.until is not None:
        whole = is_midnight(row.until)
        last = last_day_before(row.until)
        yield "until", last.isoformat() if whole else _moment_text(row.until)


def _moment_text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _toml_value(value: Cell) -> str:
    return str(value).lower() if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)
