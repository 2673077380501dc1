"""On a database older than what was signed of it mail is taken into custody, and nothing else."""

import os
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Action, Role
from inbox.domain import ArrivalState, MessageState
from inbox.errors import Unavailable
from inbox.line import Job
from inbox.line.moves import case_system, unit
from inbox.line.people_lists import ListRequest, count, page
from inbox.line.queue import claim
from inbox.line.stations import advance
from inbox.line.upkeep.gap import compare_and_report
from inbox.line.upkeep.orphans import KEPT_ASIDE, SETTLED_AFTER, clean_vault
from inbox.tables import Arrival, AuditEntry, AuditGapRow, Message, Outbox
from inbox.worker import Worker
from tests.health.readiness import readiness_of
from tests.line.old_database import (
    case_system_capacity,
    checkpoint_file,
    sign_more_than_is_there,
    states,
)
from tests.worker_thread import work_once
from tests.worlds import World

DAY = timedelta(days=1)


def _worker(world: World) -> Worker:
    return Worker(world.line, poll_seconds=1, checkpoints=checkpoint_file(world))


def _rounds(world: World, worker: Worker, days: int = 20) -> None:
    """Everything that a worker does, day after day."""
    for _ in range(days):
        world.collect()
        worker._checkpoint()
        worker._clean()
        worker._scrub()
        worker._handle_leavers()
        for _ in range(10):
            work_once(worker)
        world.clock.advance(DAY)


def _audit_count(world: World, event: bytes) -> int:
    with world.line.store.reading() as tx:
        return sum(event in leaf for leaf in tx.exec(select(AuditEntry.leaf)))


def _lived_in(world: World) -> None:
    """Mail in every state: offered by event, to be pulled, with a person, to be answered."""
    for title in ("Melding om barnevern", "Om sakkyndig", "Om en elev", "Ingen regel"):
        world.send(title)
    done = world.send("Om sakkyndig")
    world.collect()
    world.work()
    system = case_system_capacity(world, "fag")
    delivery = world.delivery(world.message(done).id)
    case_system.acknowledge_registered(world.line, system, delivery.id, reference="2026/000123-1")


@pytest.mark.parametrize(
    ("more", "code"), [(5, "audit.cut"), (0, "audit.fork"), (-3, "audit.fork")]
)
def test_worker_on_an_older_database_takes_custody_and_leaves_everything_else_as_it_is(
    small_world: World, more: int, code: str
) -> None:
    _lived_in(small_world)
    signed = sign_more_than_is_there(small_world, more)
    worker = _worker(small_world)
    worker._checkpoint()
    before = states(small_world)
    wire_id = small_world.send()

    _rounds(small_world, worker)

    message = small_world.message(wire_id)
    assert message.state is MessageState.RECEIVED
    assert small_world.arrival(wire_id).state is ArrivalState.STORED
    after = {
        name: [row for row in rows if row[0] != message.id]
        for name, rows in states(small_world).items()
    }
    assert after == before
    assert checkpoint_file(small_world).read_text() == signed
    assert readiness_of(small_world.line)["audit"] == code


def test_older_database_opens_one_task_and_writes_one_entry_before_those_of_intake(
    small_world: World,
) -> None:
    sign_more_than_is_there(small_world)
    small_world.send()
    worker = _worker(small_world)

    worker._checkpoint()
    _rounds(small_world, worker, days=3)

    with small_world.line.store.reading() as tx:
        gap = tx.exec(select(AuditGapRow)).one()
        leaves = tx.exec(select(AuditEntry.leaf).order_by(col(AuditEntry.seq))).all()
    assert small_world.open_tasks(gap.id) == {"audit_gap"}
    assert gap.signed_size == gap.size + 5
    found = [b'"event":"log:gap_found"' in leaf for leaf in leaves]
    assert found.count(True) == 1
    assert found.index(True) == gap.size
    assert all(b"arrival:" not in leaf for leaf in leaves[: gap.size])


def _hand_back(world: World) -> None:
    kari = world.person("kari", Role.LEADER, "skole")
    message = next(m for m in world.messages() if m.unit == "skole")
    unit.hand_back(
        world.line, kari, message.id, expected_version=message.version, reason="Ikke var"
    )


def _of_people(look: Callable[..., object], action: Action) -> Callable[[World], object]:
    def ask(world: World) -> object:
        anne = world.person("anne", Role.ARCHIVIST, "desk")
        return look(world.line, ListRequest(capacity=anne, action=action))

    return ask


def _of_case_system(move: Callable[..., object], **given: str) -> Callable[[World], object]:
    def ask(world: World) -> object:
        message = next(
            m for m in world.messages() if m.unit == "ppt" and m.state is MessageState.OFFERED
        )
        capacity = case_system_capacity(world, "fag")
        return move(world.line, capacity, world.delivery(message.id).id, **given)

    return ask


@pytest.mark.parametrize(
    "ask",
    [
        _of_people(page, Action.LIST),
        _of_people(page, Action.ROUTE),
        _of_people(count, Action.LIST),
        _hand_back,
        lambda world: case_system.deliveries(world.line, case_system_capacity(world, "fag")),
        _of_case_system(case_system.collect),
        _of_case_system(case_system.acknowledge_accepted),
        _of_case_system(case_system.acknowledge_registered, reference="2026/000124-1"),
        _of_case_system(case_system.acknowledge_refused, code="odd", text=""),
    ],
)
def test_people_and_case_systems_are_shown_nothing_of_an_older_database(
    small_world: World, ask: Callable[[World], object]
) -> None:
    _lived_in(small_world)
    for person, role, where in (("anne", Role.ARCHIVIST, "desk"), ("kari", Role.LEADER, "skole")):
        small_world.person(person, role, where)
    sign_more_than_is_there(small_world)
    before = states(small_world)

    compare_and_report(small_world.line, checkpoint_file(small_world))

    with pytest.raises(Unavailable, match=r"audit\.cut.*at least 5 are missing.*inbox restore"):
        ask(small_world)
    assert states(small_world) == before


def test_job_that_was_claimed_before_the_comparison_goes_no_further(small_world: World) -> None:
    _lived_in(small_world)
    sign_more_than_is_there(small_world)
    small_world.clock.advance(DAY)
    job: Job[Outbox] | None = claim(small_world.line, Outbox)
    assert job is not None

    compare_and_report(small_world.line, checkpoint_file(small_world))
    advance(small_world.line, job)

    with small_world.line.store.reading() as tx:
        row = tx.get_one(Outbox, job.row.id)
    assert (row.state, row.code, row.leased_until) == (job.row.state, "audit.cut", None)


def test_worker_goes_on_when_the_newest_database_is_back(small_world: World) -> None:
    worker = _worker(small_world)
    wire_id = small_world.send()
    signed = sign_more_than_is_there(small_world)
    worker._checkpoint()
    small_world.collect()
    while work_once(worker):
        pass
    assert small_world.gateway.queue()

    checkpoint_file(small_world).write_text("")
    with small_world.line.store.transaction() as tx:
        tx.delete(tx.exec(select(AuditGapRow)).one())
    worker._checkpoint()
    small_world.clock.advance(timedelta(hours=1))
    while work_once(worker):
        pass

    assert small_world.message(wire_id).state is MessageState.OFFERED
    assert small_world.arrival(wire_id).state is ArrivalState.CONFIRMED
    assert not small_world.gateway.queue()
    assert signed not in checkpoint_file(small_world).read_text() != ""


def test_process_goes_on_holding_still_when_the_checkpoint_file_is_removed(
    small_world: World,
) -> None:
    """So does it for a process whose own file ends before."""
    sign_more_than_is_there(small_world)
    _worker(small_world)._checkpoint()

    checkpoint_file(small_world).unlink()

    gap = compare_and_report(small_world.line, checkpoint_file(small_world))
    assert gap is not None
    assert gap.code == "audit.cut"


def test_comparison_passes_over_forged_and_torn_checkpoints_and_those_of_another_log(
    small_world: World,
) -> None:
    _worker(small_world)._checkpoint()
    signed = checkpoint_file(small_world).read_text()
    more = sign_more_than_is_there(small_world)[len(signed) :]
    forged = more.replace("\n\n", "\n\n", 1).replace("test\n", "other\n")

    checkpoint_file(small_world).write_text(signed + forged + more[: len(more) // 2])

    assert compare_and_report(small_world.line, checkpoint_file(small_world)) is None


def _age(world: World) -> None:
    for path in (world.folder / "vault").rglob("*.*"):
        os.utime(path, (world.clock.now.timestamp(), world.clock.now.timestamp()))


def _orphan(world: World) -> None:
    key, _ = world.line.keyring.new_data_key()
    world.line.vault.store("0rphan.1", [b"left by a crash"], key.object_key())
    _age(world)


def _aside(world: World) -> list[str]:
    return [path.name for path in (world.folder / "vault").glob("aside/*")]


def test_orphan_is_not_touched_in_the_first_day_of_a_process(small_world: World) -> None:
    _orphan(small_world)
    small_world.clock.advance(30 * DAY)

    assert clean_vault(small_world.line, running_for=SETTLED_AFTER - timedelta(seconds=1)) == 0

    assert [name for name, _ in small_world.line.vault.names()] == ["0rphan.1"]


def test_orphan_is_moved_aside_and_removed_days_later(small_world: World) -> None:
    _orphan(small_world)
    small_world.clock.advance(2 * DAY)
    assert clean_vault(small_world.line, running_for=SETTLED_AFTER) == 1
    assert _aside(small_world) == ["0rphan.1"]
    _age(small_world)

    small_world.clock.advance(KEPT_ASIDE - timedelta(hours=1))
    clean_vault(small_world.line, running_for=SETTLED_AFTER)
    assert _aside(small_world) == ["0rphan.1"]
    small_world.clock.advance(timedelta(hours=2))
    clean_vault(small_world.line, running_for=SETTLED_AFTER)

    assert _aside(small_world) == []
    assert list(small_world.line.vault.names()) == []


def test_object_set_aside_is_put_back_when_a_row_names_it(small_world: World) -> None:
    wire_id = small_world.send()
    small_world.collect()
    small_world.work()
    _age(small_world)
    name = small_world.message(wire_id).object_name
    _name_object(small_world, wire_id, None)
    small_world.clock.advance(2 * DAY)
    assert clean_vault(small_world.line, running_for=SETTLED_AFTER) == 1

    _name_object(small_world, wire_id, name)

    assert clean_vault(small_world.line, running_for=timedelta(0)) == 1
    assert [each for each, _ in small_world.line.vault.names()] == [name]


def _name_object(world: World, wire_id: str, name: str | None) -> None:
    with world.line.store.transaction() as tx:
        tx.get_one(Message, world.message(wire_id).id).object_name = name


def test_orphans_stay_where_they_are_while_a_process_holds_still(small_world: World) -> None:
    _orphan(small_world)
    sign_more_than_is_there(small_world)
    compare_and_report(small_world.line, checkpoint_file(small_world))
    small_world.clock.advance(30 * DAY)

    assert clean_vault(small_world.line, running_for=30 * DAY) == 0

    assert [name for name, _ in small_world.line.vault.names()] == ["0rphan.1"]
    assert claim(small_world.line, Arrival) is None
