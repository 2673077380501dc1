"""What a page costs where there is ten times as much mail."""

import re
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from inbox.line import Line
from tests import databases
from tests.bench.access import FULL, TINY, Size
from tests.bench.askers import KINDS, Asking
from tests.bench.figure import Figure, Target, in_turn, name_of
from tests.bench.installation import furnish, line_at
from tests.bench.mail_filler import Extent, come_to_rest, fill
from tests.worlds import install

_TIMES = 10


def figures(database: str, folder: Path) -> list[Figure]:
    """1 000 000 messages beside 100 000, with ten times the people, units and grants."""
    return measured(database, folder, replace(FULL, runs=200))


def quick(database: str, folder: Path) -> list[Figure]:
    """Two handfuls."""
    return measured(database, folder, TINY)


def measured(database: str, folder: Path, size: Size) -> list[Figure]:
    """The large one is the database that is given; the small one stands beside it.

    Those who ask are alike in both: who sees a page and who sees one message are not compared.
    """
    small = folder / "small"
    small.mkdir()
    with ExitStack() as stack:
        lines = [
            _filled(stack, database, folder, _more(size.extent)),
            _filled(stack, _another(database, small), small, size.extent),
        ]
        for line in lines:
            come_to_rest(line)  # The first has waited for the second.
        large, other = (_asking(stack, line) for line in lines)
        found = []
        for kind in KINDS:
            ours, beside = in_turn(large.paging(kind), other.paging(kind), size.runs)
            found.append(
                Figure(
                    what=f"{kind.what}, of {_TIMES} times as much",
                    database=name_of(database),
                    unit="ms",
                    ours=ours,
                    beside=beside,
                    beside_what=f"of {size.extent.messages} messages",
                    target=Target.of_ratio(kind.of_more_at_most),
                )
            )
        return found


def _more(extent: Extent) -> Extent:
    return Extent(
        messages=extent.messages * _TIMES,
        people=extent.people * _TIMES,
        units=extent.units * _TIMES,
        grants=extent.grants * _TIMES,
    )


def _another(database: str, folder: Path) -> str:
    """Another database of the same kind, with the schema and nothing in it."""
    if database.startswith("sqlite"):
        return databases.sqlite_database(folder)
    return databases.postgres_database(re.sub(r"/t[0-9a-f]{32}\?", "/postgres?", database))


def _filled(stack: ExitStack, database: str, folder: Path, extent: Extent) -> Line:
    furnish(folder)
    line = stack.enter_context(line_at(database, folder))
    install(line.store, line.keyring)
    fill(line, extent)
    return line


def _asking(stack: ExitStack, line: Line) -> Asking:
    tx = stack.enter_context(line.store.reading())
    return Asking(tx, line.policies.current(tx))
