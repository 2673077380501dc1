"""A flood with a very large message in the middle: the small ones go on, and all end well."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests import databases
from tests.faults.harness import outside_world
from tests.faults.harness.outside_world import OutsideWorld
from tests.faults.outage.case_system_world import CaseSystemWorld, case_systems_around
from tests.faults.outage.message_flood import (
    MIB,
    Held,
    flood_of,
    pops,
    put_large,
    small,
    write_large,
)


@pytest.fixture
def town(outside: OutsideWorld) -> Iterator[CaseSystemWorld]:
    """Case systems around a line that others work on."""
    with case_systems_around(outside) as made:
        yield made


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Path]:
    """Where a large package is kept for as long as the test takes."""
    yield tmp_path / "large.asice"
    for each in (*tmp_path.glob("*large.asice"), *(tmp_path / "vault").rglob("*.*")):
        each.unlink()


@pytest.mark.long
def test_small_messages_are_registered_while_more_large_transfers_than_slots_are_stalled(
    outside: OutsideWorld, spool: Path
) -> None:
    with case_systems_around(outside) as town:
        _stand_still(town, outside, spool, large=3, others=50, slots=(3, 2))


@pytest.mark.long
def test_small_messages_are_registered_while_a_large_transfer_is_stalled(
    tmp_path: Path, spool: Path
) -> None:
    url = databases.sqlite_database(tmp_path)
    with (
        outside_world.outside_world(url, tmp_path) as outside,
        case_systems_around(outside) as town,
    ):
        _stand_still(town, outside, spool, large=1, others=2, slots=(1, 1))


def _stand_still(
    town: CaseSystemWorld,
    outside: OutsideWorld,
    spool: Path,
    *,
    large: int,
    others: int,
    slots: tuple[int, int],
) -> None:
    still = [Held(spool.with_name(f"{number}-{spool.name}")) for number in range(large)]
    for number, each in enumerate(still):
        write_large(town, each.path, (34 + number) * MIB)
    held = [put_large(town, each) for each in still]
    early = [small(town) for _ in range(others)]

    with flood_of(town, outside, *still, small=slots[0], long=slots[1]) as flood:
        flood.until(lambda: all(pops(town, each) for each in held), 60)
        late = [small(town) for _ in range(others)]
        flood.until(lambda: set(early + late) <= town.registered().keys(), 120)
        assert set(held) & town.registered().keys() == set()
        for each in still:
            each.free.set()
        flood.until(flood.answered, 120, hurry=timedelta(milliseconds=200))
        flood.end()

    town.check_one_of_each()


@pytest.mark.long
def test_message_is_fetched_once_while_the_gateway_delays_the_first_byte(
    town: CaseSystemWorld, outside: OutsideWorld, spool: Path
) -> None:
    silent = Held(spool, at=0)
    write_large(town, spool, MIB)
    held = put_large(town, silent)

    with flood_of(town, outside, silent) as flood:
        flood.until(lambda: pops(town, held) == 1, 60)
        flood.jumped = timedelta(minutes=4, seconds=50)  # it may be silent for five
        due_later = small(town)
        flood.until(lambda: due_later in town.registered(), 60)
        assert pops(town, held) == 1
        silent.free.set()
        flood.until(flood.answered, 60)
        flood.end()

    town.check_one_of_each()


@pytest.mark.long
def test_small_messages_overtake_a_gigabyte_message_with_bounded_memory(
    town: CaseSystemWorld, outside: OutsideWorld, spool: Path
) -> None:
    write_large(town, spool, 1000 * MIB)
    for _ in range(500):
        small(town)
    large = put_large(town, spool)
    behind = {small(town) for _ in range(500)}

    with flood_of(town, outside) as flood:
        flood.until(flood.answered, 1500)
        peak = flood.peak_bytes()
        flood.end()

    offered = town.offered()
    began = next(seen.at for seen in town.world.gateway.journal if seen.message_id == large)
    took = offered[large] - began
    during = {each for each, at in offered.items() if began < at < offered[large]}
    longest = longest_wait([began, *(offered[each] for each in during), offered[large]])
    print(  # noqa: T201 - the figures of `make long`
        f"large: {took}; meanwhile {len(during)} small ones were offered, {len(during & behind)} of"
        f" them from behind it; longest wait {longest}; peak {peak / MIB:.0f} MiB"
    )
    town.check_one_of_each()
    assert pops(town, large) == 1
    assert len(during) >= 100
    assert during & behind
    assert longest < took / 4
    assert peak < 256 * MIB


def longest_wait(moments: Iterable[datetime]) -> timedelta:
    """The longest time between two of them that follow each other."""
    return max(later - sooner for sooner, later in pairwise(sorted(moments)))
