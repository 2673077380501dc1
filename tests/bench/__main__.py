"""`python -m tests.bench`: every row on both databases; a table, and JSON for programs."""

import argparse
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final

from rich.console import Console

from inbox.errors import InboxError
from tests import databases, postgres
from tests.bench.figure import Figure, name_of
from tests.bench.outcome import WrongOutcome
from tests.bench.report import json_of, machine_of, table_of
from tests.runs.watcher import watch_run, watched_folder

ROWS: Final[Mapping[str, str]] = {
    "throughput": "messages a second through the line",
    "six_steps": "the same durable steps on a queue made for it",
    "custody": "a large package fetched, sealed, confirmed",
    "document": "one document out of a large package",
    "package": "a package verified",
    "custody_delay": "from announced to durable",
    "access": "a decision, a page of the list, who can, and whom a policy touches",
    "engines": "casbin's step beside another engine, and the proof of all invariants",
    "pages": "pages of archive staff over HTTP, fifty people at once",
    "growth": "a page of ten times as much mail",
    "start": "start, and idle",
}
"""Each is a module here with `figures(database, folder)` and, for `--quick`, `quick` as well."""
_WORK = Path("var")
_WIDTH = 170


@dataclass(kw_only=True)
class Measured:
    """What was measured so far, why something was not, and what did not come about."""

    figures: list[Figure] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def take(self, row: str, work: str, database: str, folder: Path) -> None:
        """Measure one row on one database; a module that is not installed is said, not hidden."""
        try:
            module = import_module(f"tests.bench.{row}")
            figures: Callable[[str, Path], list[Figure]] = getattr(module, work)
        except (ModuleNotFoundError, AttributeError) as error:
            self.missing = sorted({*self.missing, f"{row} ({error})"})
            return
        try:
            self.figures += figures(database, folder)
        except (WrongOutcome, InboxError) as wrong:
            self.wrong.append(f"{row} on {name_of(database)} ({wrong})")


def measure(
    rows: Sequence[str], work: str, server: str | None, root: Path
) -> Iterator[tuple[str, Measured]]:
    """The rows on SQLite, and on PostgreSQL where a server is given; all so far, after each."""
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
            yield f"{row} on {kind}", measured


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
    """Measure, show, write; 1 if a target is missed or an outcome wrong. Written as it is done."""
    asked = _read(words)
    rows, work = asked.only or list(ROWS), "quick" if asked.quick else "figures"
    console = Console()
    console.width = max(console.width, _WIDTH)  # a table that is wrapped cannot be read
    _WORK.mkdir(exist_ok=True)
    measured = Measured()
    watch_run()
    with (
        watched_folder(_WORK / f"bench-{os.getpid()}") as folder,
        postgres.server(durable=True) as server,
    ):
        machine = machine_of(folder)
        for done, measured in measure(rows, work, server, folder):
            asked.json.write_text(
                json_of(measured.figures, measured.missing, machine, measured.wrong)
            )
            console.log(done)
    console.print(table_of(measured.figures, measured.missing, measured.wrong))
    return int(bool(measured.wrong) or any(each.met is False for each in measured.figures))


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
