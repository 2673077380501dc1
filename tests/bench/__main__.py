"""`python -m tests.bench`: every row on both databases; a table, and JSON for programs."""

import argparse
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final

from rich.console import Console

from tests import databases, postgres
from tests.bench.figure import Figure
from tests.bench.report import json_of, machine_of, table_of

ROWS: Final[Mapping[str, str]] = {
    "throughput": "messages a second through the line",
    "six_steps": "the same durable steps on a queue made for it",
    "custody": "a large package fetched, sealed, confirmed",
    "document": "one document out of a large package",
    "announced": "from announced to durable",
    "access": "a decision, and a page of the list",
    "start": "start, and idle",
}
"""Each is a module here with `figures(database, folder)` and, for `--quick`, `quick` as well."""
_WORK = Path("var/bench")
_WIDTH = 170


@dataclass(kw_only=True)
class Measured:
    """What was measured so far, and why something was not."""

    figures: list[Figure] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def take(self, row: str, work: str, database: str, folder: Path) -> None:
        """Measure one row on one database; a module that is not installed is said, not hidden."""
        try:
            module = import_module(f"tests.bench.{row}")
        except ModuleNotFoundError as error:
            self.missing.append(f"{row} (no module {error.name})")
            return
        measure = getattr(module, work, None)
        if measure is None:
            self.missing.append(f"{row} (has no {work})")
            return
        self.figures += measure(database, folder)


def measure(rows: Sequence[str], work: str, server: str | None, root: Path) -> Measured:
    """The rows on SQLite, and on PostgreSQL where a server is given."""
    measured = Measured()
    for row in rows:
        for kind in ("sqlite", "postgresql") if server else ("sqlite",):
            with _folder(root, f"{row}-{kind}") as folder:
                database = (
                    databases.postgres_database(server)
                    if server and kind == "postgresql"
                    else databases.sqlite_database(folder)
                )
                measured.take(row, work, database, folder)
    measured.missing = sorted(set(measured.missing))
    return measured


@contextmanager
def _folder(root: Path, name: str) -> Iterator[Path]:
    """A folder for one row, on the disk that is measured; what is in it goes afterwards."""
    folder = root / name
    folder.mkdir(mode=0o755, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def main(words: Sequence[str] | None = None) -> int:
    """Measure, show, write; 1 if a target is missed."""
    asked = _read(words)
    work = _WORK.resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        with postgres.server(durable=True) as server:
            rows = asked.only or list(ROWS)
            measured = measure(rows, "quick" if asked.quick else "figures", server, work)
        machine = machine_of(work)
    finally:
        shutil.rmtree(work)
    console = Console()
    console.width = max(console.width, _WIDTH)  # a table that is wrapped cannot be read
    console.print(table_of(measured.figures, measured.missing))
    asked.json.write_text(json_of(measured.figures, measured.missing, machine))
    return int(any(each.met is False for each in measured.figures))


def _read(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measure the line beside what it could cost, on SQLite and on PostgreSQL.",
        epilog="; ".join(f"{row}: {what}" for row, what in ROWS.items()),
    )
    parser.add_argument("--only", action="append", choices=list(ROWS), help="a row; repeatable")
    parser.add_argument("--quick", action="store_true", help="tiny numbers, to see that it works")
    parser.add_argument("--json", type=Path, default=Path("var/bench.json"), metavar="PATH")
    return parser.parse_args(words)


if __name__ == "__main__":
    raise SystemExit(main())
