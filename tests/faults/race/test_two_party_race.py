"""Two at the same message: one wins, the other is told clearly, and nothing is half done."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests import databases, worlds
from tests.faults.race import message_builders, race_outcome
from tests.faults.race.move_pairs import PAIRS
from tests.faults.race.two_party_race import two_sides
from tests.faults.race.worker_process import ignore_the_fence, ignore_the_lock
from tests.worlds import World

_SAMPLE = ("withdraw, registered", "undo, place when due", "place, place")
_TIMES = 100


@pytest.fixture
def raced(world: World) -> Iterator[World]:
    """A world whose content is due for erasure soon."""
    world.line = replace(
        world.line, terms=replace(world.line.terms, keep_content=message_builders.KEPT)
    )
    yield world
    assert race_outcome.of_audit(world) == []
    assert race_outcome.of_senders(world) == []


def _forced(world: World, database: str, pair: str) -> list[str]:
    with two_sides(world, database) as sides:
        return race_outcome.Judge(world, PAIRS[pair], sides).forced()


@pytest.fixture
def postgres_world(postgres_server: str, tmp_path: Path) -> Iterator[tuple[World, str]]:
    """A world where two can really be at it at once, and the address of its database."""
    url = databases.postgres_database(postgres_server)
    with worlds.world(url, tmp_path) as made:
        yield made, url


@pytest.mark.parametrize("pair", _SAMPLE)
def test_sample_pair_ends_in_serial_order_or_clear_conflict_when_one_party_is_held(
    postgres_world: tuple[World, str], pair: str
) -> None:
    assert _forced(*postgres_world, pair) == []


@pytest.mark.long
@pytest.mark.parametrize("pair", PAIRS)
def test_every_pair_ends_in_serial_order_or_clear_conflict_when_one_party_is_held(
    raced: World, database: str, pair: str
) -> None:
    assert _forced(raced, database, pair) == []


@pytest.mark.long
@pytest.mark.parametrize("pair", PAIRS)
def test_every_pair_ends_in_serial_order_or_clear_conflict_when_both_act_at_once(
    raced: World, database: str, pair: str
) -> None:
    with two_sides(raced, database) as sides:
        judge = race_outcome.Judge(raced, PAIRS[pair], sides)

        assert judge.unforced(_TIMES, seed=len(pair)) == []


# Tests of the tests: a line with a planted fault is found


@pytest.mark.long
def test_race_judge_detects_a_disabled_version_fence(postgres_world: tuple[World, str]) -> None:
    world, url = postgres_world
    with two_sides(world, url) as honest, two_sides(world, url, spoil=ignore_the_fence) as sides:
        found = race_outcome.Judge(world, PAIRS["withdraw, offer"], sides, honest).forced()

    assert found != []


@pytest.mark.long
@pytest.mark.parametrize("pair", ["propose, propose", "take, place", "late word, offer"])
def test_race_judge_detects_missing_row_locks(postgres_world: tuple[World, str], pair: str) -> None:
    world, url = postgres_world
    with two_sides(world, url, spoil=ignore_the_lock) as sides:
        found = race_outcome.Judge(world, PAIRS[pair], sides).forced()

    assert found != []
