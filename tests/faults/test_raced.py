"""Two at the same message: one wins, the other is told clearly, and nothing is half done."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults import scenes, verdicts
from tests.faults.pairs import PAIRS
from tests.faults.races import two_sides
from tests.worlds import World

_SAMPLE = (
    "withdraw, registered",
    "propose, propose",
    "late word, offer",
    "resend, accept the failure",
)
_TIMES = 100


@pytest.fixture
def raced(world: World) -> Iterator[World]:
    """A world whose content is due for erasure soon."""
    world.line = replace(world.line, terms=replace(world.line.terms, keep_content=scenes.KEPT))
    yield world
    assert verdicts.of_audit(world) == []
    assert verdicts.of_senders(world) == []


def _forced(world: World, database: str, pair: str) -> list[str]:
    with two_sides(world, database) as sides:
        return verdicts.Judge(world, PAIRS[pair], sides).forced()


@pytest.mark.parametrize("pair", _SAMPLE)
def test_whoever_is_held_one_of_two_wins(raced: World, database: str, pair: str) -> None:
    assert _forced(raced, database, pair) == []


@pytest.mark.long
@pytest.mark.parametrize("pair", sorted(PAIRS.keys() - set(_SAMPLE)))
def test_whoever_is_held_one_of_any_two_wins(raced: World, database: str, pair: str) -> None:
    assert _forced(raced, database, pair) == []


@pytest.mark.long
@pytest.mark.parametrize("pair", PAIRS)
def test_of_two_that_come_at_once_one_wins(raced: World, database: str, pair: str) -> None:
    with two_sides(raced, database) as sides:
        judge = verdicts.Judge(raced, PAIRS[pair], sides)

        assert judge.unforced(_TIMES, seed=len(pair)) == []
