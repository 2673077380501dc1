"""A directory as a folder of CSV files, one a table: the same columns as the keys in TOML."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from inbox.directory.format.row_reader import Gathered, Place, begun, columns_of, read_row, shown
from inbox.directory.format.rows import SHAPE, Cell, Directory, Kind, Row
from inbox.directory.format.toml_file import period_cells, read_text

ABOUT: Final = "organisation.csv"
FILES: Final[Mapping[Kind, str]] = {
    Kind.CASE_SYSTEM: "case_systems.csv",
    Kind.UNIT: "units.csv",
    Kind.PERSON: "people.csv",
    Kind.CAPACITY: "capacities.csv",
    Kind.CLEARANCE: "clearances.csv",
    Kind.CONFLICT: "conflicts.csv",
    Kind.DELEGATION: "delegations.csv",
    Kind.REFERENCE: "references.csv",
}
_ABOUT_COLUMNS: Final = ("organisation", "complete")
_FLAGS: Final[Mapping[str, bool]] = {"true": True, "false": False}


def read_folder(folder: Path) -> Directory:
    """Read the directory from a folder; a missing file lists no rows of its kind."""
    known = {ABOUT, *FILES.values()}
    for path in sorted(folder.iterdir()):
        if path.name not in known:
            raise Place(file=path.name).refuse("file", shown(path.name), ", ".join(sorted(known)))
    gathered = _begun(folder)
    for kind, name in FILES.items():
        path = folder / name
        if path.exists():
            gathered.lists(kind)
            for place, cells in _lines(path, columns_of(kind)):
                read = {n: _typed(kind, n, text) for n, text in cells.items() if text}
                gathered.add(read_row(kind, read, {"": place}), place)
    return gathered.directory()


def _begun(folder: Path) -> Gathered:
    path = folder / ABOUT
    place = Place(file=ABOUT)
    if not path.exists():
        raise place.refuse(
            "file", "no such file", f"{ABOUT} with the columns {', '.join(_ABOUT_COLUMNS)}"
        )
    rows = list(_lines(path, _ABOUT_COLUMNS))
    if len(rows) != 1:
        raise place.refuse("value", f"{len(rows)} rows", "one row")
    at, cells = rows[0]
    complete = cells.get("complete") or "false"
    return begun(at, cells.get("organisation"), _FLAGS.get(complete, complete), complete_at=at)


def _lines(path: Path, known: tuple[str, ...]) -> Iterator[tuple[Place, dict[str, str]]]:
    """Each row of a CSV file, with its line.

    The first line names columns; each of them is known, and once.
    """
    text = read_text(Place(file=path.name), path.read_bytes())
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = next(reader, [])
        for name in names:
            if name not in known or names.count(name) > 1:
                raise Place(file=path.name, line=1).refuse("key", shown(name), ", ".join(known))
        for cells in reader:
            place = Place(file=path.name, line=reader.line_num)
            if len(cells) != len(names):
                raise place.refuse("value", f"{len(cells)} cells", f"{len(names)}, as in line 1")
            yield place, dict(zip(names, cells, strict=True))
    except csv.Error:
        place = Place(file=path.name, line=reader.line_num)
        raise place.refuse("csv", "what is not CSV", "commas between, quotes around") from None


def _typed(kind: Kind, name: str, text: str) -> object:
    """The value of a cell: a boolean if the column is one, otherwise text."""
    takes_flag = any(column.name == name and column.fits is None for column in SHAPE[kind])
    return _FLAGS.get(text, text) if takes_flag else text


def write_folder(folder: Path, directory: Directory) -> None:
    """Write the directory as CSV files that `read_folder` can read; replaces existing files."""
    folder.mkdir(parents=True, exist_ok=True)
    about = [(str(directory.organisation), _text(directory.complete))]
    _write(folder / ABOUT, _ABOUT_COLUMNS, about)
    for kind, name in FILES.items():
        rows = directory.rows.get(kind)
        if rows is None:
            (folder / name).unlink(missing_ok=True)
            continue
        columns = columns_of(kind)
        _write(folder / name, columns, [_cells(rows[key], columns) for key in sorted(rows)])


def _cells(row: Row, columns: tuple[str, ...]) -> tuple[str, ...]:
    cells = {name: _text(value) for name, value in row.cells.items()} | dict(period_cells(row))
    return tuple(cells.get(name, "") for name in columns)


def _text(value: Cell) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def _write(path: Path, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
