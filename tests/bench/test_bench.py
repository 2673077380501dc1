"""The benchmark measures every row, and tells a slow part as a missed target."""

import json
from collections.abc import Iterable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from time import sleep

import pytest
from rich.console import Console

from inbox.line import Line
from inbox.vault import FolderVault, StoredObject
from tests.bench import custody, custody_delay
from tests.bench.__main__ import ROWS, Measured, measure
from tests.bench.figure import Figure, Of, Target, in_turn
from tests.bench.report import json_of, machine_of, table_of
from tests.databases import sqlite_database

HERE = Path(__file__).parent
LATER = {"six_steps", "engines"}
"""Measured where `make bench` has installed what it is measured beside."""
_HELD_UP = 0.5


class _GreedyVault(FolderVault):
    """Takes half a second over an object, and all of 300 MB."""

    def store(self, name: str, chunks: Iterable[bytes], key: bytes) -> StoredObject:
        sleep(_HELD_UP)
        held = b"x" * 300_000_000
        try:
            return super().store(name, chunks, key)
        finally:
            del held


def greedy(line: Line) -> Line:
    """The line with that vault, in whichever process has it."""
    assert isinstance(line.vault, FolderVault)
    return replace(line, vault=_GreedyVault(line.vault._folder))


def _shown(measured: Measured) -> str:
    console = Console(width=300, file=StringIO())
    console.print(table_of(measured.figures, measured.missing))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def _figure(*ours: float, beside: tuple[float, ...] = (), target: Target | None = None) -> Figure:
    return Figure(what="a", database="-", unit="s", ours=ours, beside=beside, target=target)


def _check_every_row(measured: Measured, folder: Path, kinds: set[str]) -> None:
    """Table and JSON have each row on each database, and no figure is missing."""
    text = _shown(measured)
    told = json.loads(json_of(measured.figures, measured.missing, machine_of(folder)))
    for part in (
        "through the line, 4 at work",
        "fetched, sealed, confirmed",
        "most memory of the process that took it",
        "to its first byte",
        "99th percentile",
        "a decision by a handler: open",
        "a decision by a handler: list",
        "a page of the list",
        "start to ready",
        "resident memory",
        "processor time",
    ):
        rows = [row for row in told["figures"] if part in row["what"]]
        assert {row["database"] for row in rows} == kinds, part
        assert all(row["runs"] == len(row["ours_runs"]) > 0 for row in rows), part
        assert part in " ".join(text.split()), part
    assert {
        row["database"] for row in told["figures"] if "verdict on a package" in row["what"]
    } == {"-"}
    memory = [row for row in told["figures"] if row["what"].startswith("most memory")]
    assert all(row["met"] is True for row in memory)
    assert {row.partition(" ")[0] for row in told["not_measured"]} <= LATER


@pytest.mark.long
def test_benchmark_measures_shows_and_writes_every_row_on_sqlite(tmp_path: Path) -> None:
    *_, (_, measured) = measure(list(ROWS), "quick", None, tmp_path)

    _check_every_row(measured, tmp_path, {"SQLite"})


@pytest.mark.long
def test_benchmark_measures_every_row_on_both_databases(
    tmp_path: Path, postgres_server: str
) -> None:
    *_, (_, measured) = measure(list(ROWS), "quick", postgres_server, tmp_path)

    _check_every_row(measured, tmp_path, {"SQLite", "PostgreSQL"})


def test_every_benchmark_module_with_figures_is_a_row() -> None:
    measuring = {path.stem for path in HERE.glob("*.py") if "\ndef figures(" in path.read_text()}

    assert {"custody", "access", "start"} <= measuring
    assert measuring <= set(ROWS)
    assert set(ROWS) - measuring <= LATER


def test_benchmark_row_that_cannot_be_measured_is_shown_as_missing(tmp_path: Path) -> None:
    ((_, measured),) = measure(["nothing_of_the_kind"], "quick", None, tmp_path)

    assert measured.figures == []
    assert "nothing_of_the_kind (No module named" in _shown(measured)


def test_benchmark_reports_a_slow_and_greedy_vault_as_missed_targets(tmp_path: Path) -> None:
    folder = tmp_path / "row"
    folder.mkdir()
    one = custody.Size(documents=1, document_bytes=10_000, runs=1)

    figures = custody.measured(sqlite_database(folder), folder, one, greedy)

    time, memory = figures
    assert time.middle > _HELD_UP
    assert (time.met, memory.met) == (False, False)
    assert _shown(Measured(figures=figures)).count("NO") == 2
    told = json.loads(json_of(figures, [], {}))
    assert told["missed_targets"] == [f"{time.what} (SQLite)", f"{memory.what} (SQLite)"]


@pytest.mark.long
def test_benchmark_measures_announced_messages_waiting_for_a_slow_vault(tmp_path: Path) -> None:
    load = custody_delay.Load(messages=4, each_second=20, package_bytes=10_000, poll_seconds=0.1)

    (wait,) = custody_delay.measured(sqlite_database(tmp_path), tmp_path, load, greedy)

    assert wait.middle > _HELD_UP


def test_in_turn_alternates_the_measured_step_with_the_step_beside() -> None:
    order = list[str]()

    def step(name: str) -> float:
        order.append(name)
        return float(len(order))

    ours, beside = in_turn(lambda: step("ours"), lambda: step("beside"), 2)

    assert order == ["beside", "ours", "beside", "ours"]
    assert (ours, beside) == ((2.0, 4.0), (1.0, 3.0))


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (_figure(3, 1, 2), None),
        (_figure(3, 1, 2, target=Target(at_most=2)), True),
        (_figure(3, 1, 2, target=Target(at_most=1.9)), False),
        (_figure(3, 9, beside=(2, 6), target=Target(at_most=1.5, of=Of.RATIO)), True),
        (_figure(3, 9, beside=(2, 6), target=Target(at_most=1.4, of=Of.RATIO)), False),
        (_figure(3, 9, beside=(2, 6), target=Target(at_most=2, of=Of.MORE)), True),
        (_figure(3, 9, beside=(2, 6), target=Target(at_most=1.9, of=Of.MORE)), False),
        (_figure(3, target=Target(at_most=100, of=Of.RATIO)), False),
    ],
)
def test_figure_meets_its_target_by_the_median(
    figure: Figure,
    met: bool | None,  # noqa: FBT001 - a case of the table
) -> None:
    assert figure.met is met


def test_figure_ratio_compares_runs_next_to_each_other_in_time() -> None:
    drifting = _figure(1.1, 30, 1100, beside=(1, 10, 1000))

    assert drifting.ratio == pytest.approx(1.1)


@pytest.mark.parametrize(("ours", "beside"), [((), ()), ((1.0, 2.0), (1.0,))])
def test_figure_without_runs_or_with_unequal_runs_raises_value_error(
    ours: tuple[float, ...], beside: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match="a: "):
        _figure(*ours, beside=beside)
