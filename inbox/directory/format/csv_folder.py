"""Reads and writes a directory as a folder of CSV files.

There is one file for each kind of row, with the same columns as the keys in TOML.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from inbox.directory.format.phrases import DIRECTORY_PHRASES
from inbox.directory.format.row_reader import (
    DirectoryBuilder,
    columns_of,
    directory_position,
    quote_if_safe,
    read_row,
    start_builder,
)
from inbox.directory.format.rows import COLUMNS_BY_KIND, Cell, Directory, DirectoryRow, RowKind
from inbox.directory.format.toml_file import MAX_BYTES, period_cells
from inbox.strict.phrases import READER_PHRASES
from inbox.strict.refusal import ReadPosition
from inbox.strict.source_text import odd_sign_in, read_text

ORGANISATION_FILE: Final = "organisation.csv"
CSV_FILES: Final[Mapping[RowKind, str]] = {
    RowKind.CASE_SYSTEM: "case_systems.csv",
    RowKind.UNIT: "units.csv",
    RowKind.PERSON: "people.csv",
    RowKind.CAPACITY: "capacities.csv",
    RowKind.CLEARANCE: "clearances.csv",
    RowKind.CONFLICT: "conflicts.csv",
    RowKind.DELEGATION: "delegations.csv",
    RowKind.REFERENCE: "references.csv",
    RowKind.IDENTITY: "identities.csv",
}
_ORGANISATION_COLUMNS: Final = ("organisation", "complete")
_FLAGS: Final[Mapping[str, bool]] = {"true": True, "false": False}


def read_folder(folder: Path) -> Directory:
    """Read the directory from a folder; a missing file lists no rows of its kind."""
    known = sorted({ORGANISATION_FILE, *CSV_FILES.values()})
    for path in sorted(folder.iterdir()):
        if path.name not in known:
            place = directory_position(path.name)
            raise place.refuse("file", quote_if_safe(path.name), ", ".join(known), names=known)
    gathered = _start_builder(folder)
    for kind, name in CSV_FILES.items():
        path = folder / name
        if path.exists():
            gathered.declare_kind(kind)
            for place, cells in _csv_rows(path, columns_of(kind)):
                read = {n: _cell_value(kind, n, text) for n, text in cells.items() if text}
                gathered.add(read_row(kind, read, place), place)
    return gathered.build()


def _start_builder(folder: Path) -> DirectoryBuilder:
    path = folder / ORGANISATION_FILE
    place = directory_position(ORGANISATION_FILE)
    if not path.exists():
        columns = ", ".join(_ORGANISATION_COLUMNS)
        allowed = DIRECTORY_PHRASES("file_with_columns", file=ORGANISATION_FILE, columns=columns)
        raise place.refuse("file", DIRECTORY_PHRASES("no_such_file"), allowed)
    rows = list(_csv_rows(path, _ORGANISATION_COLUMNS))
    if len(rows) != 1:
        read = READER_PHRASES("rows", count=len(rows))
        raise place.refuse("value", read, DIRECTORY_PHRASES("one_row"))
    at, cells = rows[0]
    complete = cells.get("complete") or "false"
    return start_builder(
        at, cells.get("organisation"), _FLAGS.get(complete, complete), complete_at=at
    )


def _csv_rows(path: Path, known: tuple[str, ...]) -> Iterator[tuple[ReadPosition, dict[str, str]]]:
    """Each row of a CSV file, with its line.

    The first line names columns; each of them is known, and once.
    """
    file = directory_position(path.name)
    text = read_text(file, path.read_bytes(), max_bytes=MAX_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = next(reader, [])
        for name in names:
            if name not in known or names.count(name) > 1:
                place = file.at_line(1)
                _check_signs(place, [name])
                raise place.refuse("key", quote_if_safe(name), ", ".join(known), names=known)
        for cells in reader:
            place = file.at_line(reader.line_num)
            if len(cells) != len(names):
                _check_signs(place, cells)
                allowed = DIRECTORY_PHRASES("cells_as_in_line_1", count=len(names))
                raise place.refuse("value", DIRECTORY_PHRASES("cells", count=len(cells)), allowed)
            yield place, dict(zip(names, cells, strict=True))
    except csv.Error:
        place = file.at_line(reader.line_num)
        read, allowed = DIRECTORY_PHRASES("not_csv"), DIRECTORY_PHRASES("csv")
        raise place.refuse("csv", read, allowed) from None


def _check_signs(place: ReadPosition, cells: Iterable[str]) -> None:
    """Name what a spreadsheet wrote, where the cells are not as they must be."""
    for cell in cells:
        odd = odd_sign_in(cell)
        if odd is not None and odd.code == "semicolon":
            raise place.refuse("semicolon", odd.read, READER_PHRASES("commas_between_cells"))
        if odd is not None:
            raise place.refuse(*odd)


def _cell_value(kind: RowKind, name: str, text: str) -> object:
    """The value of a cell: a boolean if the column is one, otherwise text."""
    takes_flag = any(
        column.name == name and column.is_valid is None for column in COLUMNS_BY_KIND[kind]
    )
    return _FLAGS.get(text, text) if takes_flag else text


def write_folder(folder: Path, directory: Directory) -> None:
    """Write the directory as CSV files that `read_folder` can read; replaces existing files."""
    folder.mkdir(parents=True, exist_ok=True)
    about = [(str(directory.organisation), _text(directory.complete))]
    _write(folder / ORGANISATION_FILE, _ORGANISATION_COLUMNS, about)
    for kind, name in CSV_FILES.items():
        rows = directory.rows.get(kind)
        if rows is None:
            (folder / name).unlink(missing_ok=True)
            continue
        columns = columns_of(kind)
        _write(folder / name, columns, [_cells(rows[key], columns) for key in sorted(rows)])


def _cells(row: DirectoryRow, columns: tuple[str, ...]) -> tuple[str, ...]:
    cells = {name: _text(value) for name, value in row.cells.items()} | dict(period_cells(row))
    return tuple(cells.get(name, "") for name in columns)


def _text(value: Cell) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def _write(path: Path, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
