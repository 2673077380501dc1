"""Killed before and after each effect of each row, the line goes on as if nothing had been."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path

import pytest

from inbox.domain import MOVES
from tests.databases import SQLITE_SOON
from tests.faults.harness.crash_points import EVERY
from tests.faults.harness.scenario_outcome import (
    baseline_outcome,
    check_each_gateway_call,
    judge,
    names_of,
)
from tests.faults.harness.scenario_supervisor import scenario_run

_FEW = (
    *("told", "returned, refused", "missed, given up"),
    "placed in a moment, undone again and again",
)
_SOME = (
    (
        *("after vault:store", "after message:offered/offer<RELEASED"),
        *("after gateway:send_receipt", "after message:placing/place<UNROUTED"),
    ),
    (
        *("after gateway:confirm", "after event:send", "after proposal:opened/refuse"),
        "before message:routed/place<PLACING",
    ),
)
"""One of each kind of row, half of them on each database; all of them on both take minutes."""
_NOT_OF_EVERY_ROW = {"before event:send"}
"""An event that is to fail once is never sent if its delivery is withdrawn before, after a kill."""


def _moves() -> set[str]:
    """Every move of the table, as `Mortal` writes it down."""
    return {
        f"{words.__name__.removesuffix('State').lower()}:{became.lower()}/{by}<{was}"
        for words, moves in MOVES.items()
        for by, steps in moves.items()
        for was, allowed in steps.items()
        for became in allowed
    }


def _as_unharmed(name: str, points: Collection[str]) -> str:
    """The point of an undisturbed run that this one is, with more in the same commit perhaps.

    From kill to kill days pass, so that a delivery is collected which people were told of: the
    commit ends their task too.
    """
    if name in points:
        return name
    moment, _, effects = name.partition(" ")
    parts = set(effects.split("+"))
    return next(
        (
            point
            for point in points
            if point.startswith(f"{moment} ") and set(point.partition(" ")[2].split("+")) <= parts
        ),
        name,
    )


@pytest.mark.long
def test_scenario_makes_every_move_in_the_moves_table() -> None:
    made = {step for step in baseline_outcome().steps if "<" in step}

    assert made == _moves()


@pytest.mark.long
def test_scenario_killed_at_every_effect_of_every_row_ends_like_an_undisturbed_run(
    database: str, tmp_path: Path
) -> None:
    with scenario_run(database, tmp_path) as told:
        check_each_gateway_call(told)
        told.tell(die=EVERY)

        assert judge(told, baseline_outcome().ends) == set()
        died = told.noted("deaths")
    assert len(died) == told.deaths == len(set(died))
    points = baseline_outcome().points
    deaths = Counter(_as_unharmed(name, points) for name in names_of(died).elements())
    assert set(points) <= set(deaths)
    assert set(points - deaths) <= _NOT_OF_EVERY_ROW


@SQLITE_SOON
def test_scenario_killed_at_sample_effects_ends_like_an_undisturbed_run(
    database: str, tmp_path: Path
) -> None:
    with scenario_run(database, tmp_path, _FEW) as told:
        check_each_gateway_call(told)
        points = _SOME[database.startswith("postgresql")]
        told.tell(die=";".join(points))

        assert judge(told, baseline_outcome(_FEW).ends) == set()
        assert set(names_of(told.noted("deaths"))) == set(points)
