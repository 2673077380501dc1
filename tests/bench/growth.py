"""What a page costs where there is ten times as much mail."""

import re
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from inbox.access import Role
from tests import databases
from tests.bench.access import FULL, LISTS, TINY, Asking, Size
from tests.bench.figure import Figure, Of, Target, in_turn, name_of
from tests.bench.filled import Extent, fill
from tests.bench.house import furnish, line_at
from tests.worlds import install

_TIMES = 10
_TARGETS = {Role.HANDLER: 1.3, Role.LEADER: 2.0}


def figures(database: str, folder: Path) -> list[Figure]:
    """1 000 000 messages beside 100 000, with ten times the people, units and grants."""
    return measured(database, folder, replace(FULL, runs=200))


def quick(database: str, folder: Path) -> list[Figure]:
    """Two handfuls."""
    return measured(database, folder, TINY)


def measured(database: str, folder: Path, size: Size) -> list[Figure]:
    """The large one is the database that is given; the small one stands beside it."""
    small = folder / "small"
    small.mkdir()
    with ExitStack() as stack:
        large = _asking(stack, database, folder, _more(size.extent))
        other = _asking(stack, _another(database, small), small, size.extent)
        found = []
        for what, role, action, _ in LISTS:
            many, few = large.paging(role, action), other.paging(role, action)
            many(), few()
            ours, beside = in_turn(many, few, size.runs)
            limit = _TARGETS.get(role)
            found.append(
                Figure(
                    what=f"{what}, of {_TIMES} times as much",
                    database=name_of(database),
                    unit="ms",
                    ours=ours,
                    beside=beside,
                    beside_what=f"of {size.extent.messages} messages",
                    target=None if limit is None else Target(at_most=limit, of=Of.RATIO),
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


def _asking(stack: ExitStack, database: str, folder: Path, extent: Extent) -> Asking:
    furnish(folder)
    line = stack.enter_context(line_at(database, folder))
    install(line.store, line.keyring)
    fill(line, extent)
    session, now = stack.enter_context(line.store.reading())
    return Asking(session, now, line.policies.current(session))
