"""Reads and writes a directory as one TOML file; an error names the line."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from inbox.days import day_of, is_midnight, last_day_before
from inbox.directory.format.row_reader import FileLine, quote_if_safe, read_row, start_builder
from inbox.directory.format.rows import COLUMNS_BY_KIND, Cell, Directory, DirectoryRow, RowKind

MAX_BYTES: Final = 64 * 1024 * 1024
_TOP_KEYS: Final = ("organisation", "complete", *(kind.value for kind in RowKind))
_HEADER = re.compile(r"\s*\[\[\s*([A-Za-z0-9_-]+)\s*\]\]")
_KEY = re.compile(r"\s*\"?([^\s\"=]+)\"?\s*=")


def read_directory(raw: bytes, *, file: str = "directory.toml") -> Directory:
    """Read the directory from a TOML file. Raises `Invalid`, which says where, and never a name."""
    text = read_text(FileLine(file=file), raw)
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.search(r"line (\d+)", str(error))
        place = FileLine(file=file, line=int(found[1]) if found else 0)
        raise place.refuse("toml", "what is not TOML", "TOML") from None
    return directory_of(table, file=file, text=text)


def read_text(place: FileLine, raw: bytes) -> str:
    """Decode UTF-8 without byte order mark, up to a maximum size."""
    if len(raw) > MAX_BYTES:
        raise place.refuse("too_large", f"{len(raw)} bytes", f"at most {MAX_BYTES} bytes")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise place.refuse("encoding", "a byte order mark", "UTF-8 without one")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileLine(file=place.file, line=line).refuse("toml", "bytes", "UTF-8") from None


def directory_of(
    table: Mapping[str, object], *, file: str = "directory", text: str = ""
) -> Directory:
    """Build the directory from a parsed TOML table.

    The parameter `text` is the source of the table, used to find line numbers.
    """
    lines = _KeyLines(file, text)
    for name in table:
        if name not in _TOP_KEYS:
            raise lines.top(name).refuse("key", quote_if_safe(name), ", ".join(_TOP_KEYS))
    gathered = start_builder(
        lines.top("organisation"),
        table.get("organisation"),
        table.get("complete", False),
        complete_at=lines.top("complete"),
    )
    for kind in RowKind:
        if kind.value not in table:
            continue
        gathered.declare_kind(kind)
        for index, read in enumerate(_tables(lines.top(kind.value), kind, table[kind.value])):
            places = lines.of_table(kind, index)
            gathered.add(read_row(kind, read, places), places[""])
    return gathered.build()


def _tables(place: FileLine, kind: RowKind, value: object) -> Iterator[Mapping[str, object]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise place.refuse("value", quote_if_safe(value), f"[[{kind.value}]], or {kind.value} = []")
    yield from value


class _KeyLines:
    """The lines of tables and keys, found in the text because `tomllib` does not report them."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._top: dict[str, FileLine] = {}
        self._tables: dict[str, list[dict[str, FileLine]]] = {}
        inside: dict[str, FileLine] = self._top
        for number, line in enumerate(text.split("\n"), 1):
            here = FileLine(file=file, line=number)
            if header := _HEADER.match(line):
                inside = {"": here}
                self._tables.setdefault(header[1], []).append(inside)
                self._top.setdefault(header[1], here)
            elif key := _KEY.match(line):
                inside.setdefault(key[1], here)

    def top(self, name: str) -> FileLine:
        """The line of a top-level key; if there is none, the file itself."""
        return self._top.get(name, FileLine(file=self._file))

    def of_table(self, kind: RowKind, index: int) -> Mapping[str, FileLine]:
        """The lines of the keys of a table; the key "" is the table itself."""
        tables = self._tables.get(kind.value, [])
        return tables[index] if index < len(tables) else {"": self.top(kind.value)}


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
