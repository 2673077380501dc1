"""Reads `docs/faults.md`: the rows that people read are the rows that the tests drive from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from inbox.simulator.http.faults import fault_of

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "faults.md"
_CELLS = 5
_NUMBER = re.compile(r"[A-Z]+[0-9]+")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that goes wrong."""

    number: str
    wrong: str
    means: str
    """How it is brought about; for the gateway the simulator's own sentences."""
    comes_to: str
    tests: tuple[str, ...]
    """`path::name` of the tests that show it."""

    @property
    def sentences(self) -> list[str]:
        """What stands in backticks among the means."""
        return re.findall(r"`([^`]+)`", self.means)


def read_rows(text: str) -> list[Row]:
    """Every table row whose first cell is a number such as G7, in order."""
    rows = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if len(cells) == _CELLS and _NUMBER.fullmatch(cells[0]):
            number, wrong, means, comes_to, shown = cells
            tests = tuple(re.findall(r"`([^`]+)`", shown))
            rows.append(
                Row(number=number, wrong=wrong, means=means, comes_to=comes_to, tests=tests)
            )
    return rows


def rows() -> list[Row]:
    """The rows of the page."""
    return read_rows(PAGE.read_text("utf-8"))


def rows_for(test: str) -> list[Row]:
    """The rows that a test shows."""
    return [row for row in rows() if any(each.endswith("::" + test) for each in row.tests)]


def on_both_databases(rows: Sequence[Row], *, sample: Sequence[tuple[str, str]]) -> list[object]:
    """Each row on both databases; what is not in the sample is long."""
    return [
        pytest.param(
            row,
            database,
            id=f"{row.number}-{database}",
            marks=[] if (row.number, database) in sample else pytest.mark.long,
        )
        for row in rows
        for database in ("sqlite", "postgresql")
    ]


def are_sentences(row: Row) -> bool:
    """Whether the simulator understands all of it."""
    for sentence in row.sentences:
        fault_of(sentence)
    return bool(row.sentences)
