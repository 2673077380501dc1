"""The rig does what the tests that use it rest on: processes die where told, and time is shared."""

import signal
from datetime import timedelta

from inbox.domain import MessageState
from tests.databases import SQLITE_SOON
from tests.faults.harness.line_process import LineProcess
from tests.faults.harness.outside_world import OutsideWorld
from tests.worlds import BEGIN


def offer_all(inside: LineProcess) -> None:
    """Take what waits and work until nothing is due."""
    inside.collect()
    inside.work()
    inside.clock.advance(timedelta(hours=1))


@SQLITE_SOON
def test_errand_runs_in_another_process_and_its_effects_are_recorded(
    outside: OutsideWorld,
) -> None:
    wire_id = outside.send()

    ran = outside.run(offer_all)

    assert ran.exit_code == 0
    assert outside.message(wire_id).state is MessageState.OFFERED
    assert outside.clock.now == BEGIN + timedelta(hours=1)
    order = ["after vault:store", "after arrival:stored/fetch", "before gateway:confirm"]
    assert [each for each in ran.effects if each in order] == order


@SQLITE_SOON
def test_process_is_killed_at_the_effect_given_by_die_at(outside: OutsideWorld) -> None:
    outside.send()
    outside.run(offer_all)  # The first contact with a gateway is noted once.
    wire_id = outside.send()
    points = outside.run(offer_all).effects
    assert outside.message(wire_id).state is MessageState.OFFERED
    outside.send()

    ran = outside.run(offer_all, die_at=points.index("before gateway:confirm") + 1)

    assert ran.exit_code == -signal.SIGKILL
    assert ran.effects[-1] == "before gateway:confirm"
    assert len(outside.gateway.queue()) == 1
