"""The SQL statements that one message takes through the line, transaction by transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import event

from inbox.line import Line
from inbox.line.queue import claim
from inbox.line.stations import advance
from inbox.tables import Arrival, Message, Outbox
from tests.bench.neighbours import announce_all, furnished, still_line

_SHOWN = 150


@dataclass(kw_only=True)
class Transactions:
    """What each transaction executed, under what the line was doing; its BEGIN is not counted."""

    named: list[tuple[str, list[str]]] = field(default_factory=list)
    doing: str = ""

    def count(self, *, before: str | None = None) -> int:
        """How many statements; with `before`, until the line did that."""
        found = 0
        for name, statements in self.named:
            if name == before:
                break
            found += len(statements)
        return found

    def __str__(self) -> str:
        """All of them, to read when there are too many."""
        lines = [f"{self.count()} statements:"]
        for name, statements in self.named:
            lines.append(f"{name} ({len(statements)})")
            lines += [f"    {' '.join(each.split())[:_SHOWN]}" for each in statements]
        return "\n".join(lines)


def statements_of_a_message(url: str, folder: Path) -> Transactions:
    """Those of the second message: what a process reads once, it has read for the first."""
    furnished(url, folder)
    line = still_line(url, folder)
    announce_all(line, 2)
    _take_through(line, Transactions())
    with _noted(line) as transactions:
        _take_through(line, transactions)
    line.store.engine.dispose()
    return transactions


def _take_through(line: Line, transactions: Transactions) -> None:
    """Advance one message until its case system has the event, and nothing else."""
    for kind in (Arrival, Message, Outbox):
        transactions.doing = f"claim of {kind.__name__}"
        job: Any = claim(line, kind)
        assert job is not None, f"no {kind.__name__} is due: the message stands still"
        while job is not None:
            transactions.doing = f"{kind.__name__} {job.row.state}"
            job = advance(line, job)


@contextmanager
def _noted(line: Line) -> Iterator[Transactions]:
    """A statement with many rows is one: it is executed once for all of them, or in a loop."""
    found, engine = Transactions(), line.store.engine

    def begin(connection: object) -> None:
        del connection
        found.named.append((found.doing, []))

    def execute(*args: Any) -> None:
        if not args[2].startswith("BEGIN"):
            found.named[-1][1].append(args[2])

    event.listen(engine, "begin", begin, insert=True)
    event.listen(engine, "before_cursor_execute", execute)
    yield found
    event.remove(engine, "begin", begin)
    event.remove(engine, "before_cursor_execute", execute)
