"""What a station is: one function that acts, and one that writes what came of it.

The first runs outside any transaction: it reads, calls one neighbour at most, and may be repeated.
The second runs in one transaction: it moves the row once, and writes what follows from that.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple

from inbox.line import Job, Line, Outcome, R
from inbox.line.queue import settle_outcome
from inbox.store import Transaction


@dataclass(kw_only=True)
class Settling(Generic[R]):
    """A row that a station has worked on, in the transaction that writes what came of it."""

    line: Line
    job: Job[R]
    tx: Transaction
    following: Job[R] | None = field(default=None, init=False)
    """The row's next job, its lease kept, if its next station is due."""

    def move(self, outcome: Outcome) -> None:
        """Set the row's new state, with its audit entry; what follows is written after it."""
        self.following = settle_outcome(self.line, self.job, outcome, self.tx)


class Station(NamedTuple):
    """A station; `Any`, because each has rows of its own kind and findings of its own."""

    act: Callable[[Line, Job[Any]], Any]
    settle: Callable[[Settling[Any], Any], None]


def move_only(settling: Settling[R], outcome: Outcome) -> None:
    """The second function of a station whose row is all that it writes."""
    settling.move(outcome)


def no_effect(line: Line, job: Job[R]) -> None:
    """The first function of a station that does everything in its transaction."""
    del line, job
