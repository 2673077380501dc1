"""Claim, settle, postpone: leases, fences and back-off, on both databases."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from inbox.domain import ArrivalState, MessageState
from inbox.errors import Conflict, IllegalMove
from inbox.gateway.http import DEFAULT_BOUNDS
from inbox.line import Terms
from inbox.line.queue import backoff, claim, postpone, renew_lease
from inbox.line.settle import Step, settle
from inbox.line.stations import advance, postpone_and_escalate
from inbox.simulator.http.faults import Does, Fault, On
from inbox.tables import Arrival, AuditEntry, Message, WrappedKey
from tests.worlds import World


def test_a_claimed_row_is_not_claimed_again_until_its_lease_has_passed(world: World) -> None:
    world.send()
    world.collect()

    first = claim(world.line, Arrival)
    second = claim(world.line, Arrival)
    world.clock.advance(world.line.terms.lease + timedelta(seconds=1))
    third = claim(world.line, Arrival)

    assert first is not None
    assert second is None
    assert third is not None
    assert third.row.id == first.row.id


def test_a_worker_past_its_lease_settles_nothing(world: World) -> None:
    wire_id = world.send()
    world.collect()
    slow = claim(world.line, Arrival)
    assert slow is not None
    world.clock.advance(world.line.terms.lease + timedelta(seconds=1))
    world.work()

    assert advance(world.line, slow) is None

    assert world.arrival(wire_id).state is ArrivalState.CONFIRMED
    assert len(world.messages()) == 1


def test_a_lost_lease_cannot_be_renewed(world: World) -> None:
    world.send()
    world.collect()
    slow = claim(world.line, Arrival)
    assert slow is not None
    world.clock.advance(world.line.terms.lease + timedelta(seconds=1))
    assert claim(world.line, Arrival) is not None

    with pytest.raises(Conflict, match="lease.lost"):
        renew_lease(world.line, slow)


def test_row_with_a_renewed_lease_is_not_claimed_by_another_worker(world: World) -> None:
    world.send()
    world.collect()
    job = claim(world.line, Arrival)
    assert job is not None

    world.clock.advance(world.line.terms.lease - timedelta(seconds=1))
    renew_lease(world.line, job)
    world.clock.advance(timedelta(seconds=30))

    assert claim(world.line, Arrival) is None


def test_settle_refuses_a_move_missing_from_the_table_and_writes_nothing(world: World) -> None:
    wire_id = world.send()
    world.collect()
    world.work()
    message = world.message(wire_id)

    with pytest.raises(IllegalMove), world.line.store.transaction() as tx:
        settle(tx, Step(row=message, became=MessageState.ANSWERED, by="answer"))

    assert world.message(wire_id).state is MessageState.OFFERED


def test_opening_releasing_and_offering_each_write_an_audit_entry(world: World) -> None:
    wire_id = world.send()
    world.collect()
    world.work()
    message = world.message(wire_id)

    with world.line.store.reading() as tx:
        leaves = tx.exec(
            select(AuditEntry.leaf)
            .where(col(AuditEntry.message_id) == message.id)
            .order_by(col(AuditEntry.seq))
        ).all()

    events = [
        part for leaf in leaves for part in (b"opened", b"released", b"offered") if part in leaf
    ]
    assert events == [b"opened", b"released", b"offered"]


def test_postponed_row_returns_after_a_capped_growing_pause(world: World) -> None:
    world.send()
    world.collect()
    job = claim(world.line, Arrival)
    assert job is not None

    postpone(world.line, job, "gateway.unavailable")

    assert claim(world.line, Arrival) is None
    world.clock.advance(timedelta(seconds=6))
    again = claim(world.line, Arrival)
    assert again is not None
    assert again.row.attempts == 2
    assert again.row.code == "gateway.unavailable"
    assert backoff(world.line, 1) <= timedelta(seconds=5)
    assert timedelta(minutes=30) <= backoff(world.line, 1000) <= timedelta(hours=1)


def test_stuck_row_opens_one_task_that_closes_when_the_row_moves_on(world: World) -> None:
    wire_id = world.send()
    world.collect()
    world.gateway.stage(Fault(on=On.DELETE, does=Does.ANSWER_EMPTY, status=503))
    for _ in range(12):
        world.work()
        world.clock.advance(timedelta(hours=1))

    arrival = world.arrival(wire_id)
    assert arrival.state is ArrivalState.STORED
    assert world.open_tasks(arrival.id) == {"stuck"}

    world.gateway.calm()
    world.clock.advance(timedelta(hours=2))
    world.work()

    assert world.arrival(wire_id).state is ArrivalState.CONFIRMED
    assert world.open_tasks(arrival.id) == set()


def test_claim_follows_the_order_in_which_rows_became_due(world: World) -> None:
    first = world.send()
    world.collect()
    world.clock.advance(timedelta(seconds=1))
    second = world.send()
    world.collect()

    jobs = [claim(world.line, Arrival), claim(world.line, Arrival)]

    assert [job.row.wire_id for job in jobs if job] == [first, second]


def test_claim_finds_no_job_for_messages_that_wait_for_a_case_system(world: World) -> None:
    world.send()
    world.send()
    world.collect()
    world.work()
    world.clock.advance(timedelta(days=1))

    job = claim(world.line, Message)

    assert job is None


def test_postponing_a_row_that_moved_on_meanwhile_opens_no_stuck_task(world: World) -> None:
    """As after a commit whose answer was lost: the step was done, and its worker cannot know."""
    wire_id = world.send()
    world.collect()
    for _ in range(world.line.terms.escalate_after_attempts):
        job = claim(world.line, Arrival)
        assert job is not None
        world.clock.advance(timedelta(hours=1))
    assert job is not None
    advance(world.line, job)

    postpone_and_escalate(world.line, job, "database.unavailable")

    assert world.open_tasks(job.row.id) == set()
    assert world.arrival(wire_id).state is not ArrivalState.ANNOUNCED


def test_row_whose_key_is_unavailable_does_not_block_other_rows(world: World) -> None:
    bad = world.send()
    world.collect()
    world.clock.advance(timedelta(seconds=1))
    good = world.send()
    world.collect()
    with world.line.store.transaction() as tx:
        tx.get_one(WrappedKey, world.arrival(bad).id).kek_id = "20990101-abcdef"

    for _ in range(12):
        world.work()
        world.clock.advance(timedelta(hours=1))

    assert world.arrival(good).state is ArrivalState.CONFIRMED
    assert world.arrival(bad).state is ArrivalState.ANNOUNCED
    assert world.arrival(bad).code == "keys.unknown_kek"
    assert world.open_tasks(world.arrival(bad).id) == {"stuck"}


def test_default_lease_is_longer_than_the_gateway_transfer_read_timeout() -> None:
    assert Terms().lease > DEFAULT_BOUNDS.transfer_read + timedelta(seconds=30)
