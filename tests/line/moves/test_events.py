"""An operator has a case system told of a delivery again; nobody else, and never of one over."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.directory import import_agreed
from inbox.directory.format.toml_file import read_directory
from inbox.domain import DeliveryState, OutboxState, new_id
from inbox.errors import Conflict, NotFound
from inbox.line.case_systems import capacity_of
from inbox.line.moves import case_system, events, unit
from inbox.tables import CapacityRow, CaseSystem, Delivery, Message, Outbox, Person, Unit
from tests.faults.race.two_party_race import Moment, Side, run_with_first_held, two_sides
from tests.rows import audited
from tests.worlds import World

OPERATOR = b"""
organisation = "910075918"
[[person]]
id = "odd"
name = "Odd Drift"
[[capacity]]
person = "odd"
unit = "desk"
role = "operator"
"""


def odd(world: World) -> Capacity:
    with world.line.store.transaction() as tx:
        import_agreed(world.line, tx, read_directory(OPERATOR), approved_by="anne+bjorn")
    return world.person("odd", Role.OPERATOR, "desk")


def offered(world: World, title: str = "Melding om barnevern") -> tuple[Message, Delivery]:
    wire_id = world.send(title)
    world.collect()
    world.work()
    message = world.message(wire_id)
    return message, world.delivery(message.id)


def events_of(world: World, delivery: Delivery) -> list[Outbox]:
    with world.line.store.reading() as tx:
        query = select(Outbox).where(col(Outbox.delivery_id) == delivery.id)
        return list(tx.exec(query.order_by(col(Outbox.created_at), col(Outbox.id))))


def heard(world: World, delivery: Delivery) -> None:
    """Its event was answered, as far as the row says."""
    with world.line.store.transaction() as tx:
        (event,) = tx.exec(select(Outbox).where(col(Outbox.delivery_id) == delivery.id))
        setattr(event, "state", OutboxState.SENT)  # noqa: B010 - no move
        event.settled_at, event.due_at = tx.now, None
    world.edited = True


def test_event_that_waits_for_its_next_try_is_tried_now_and_no_second_is_made(
    world: World,
) -> None:
    _, delivery = offered(world)
    operator, (before,) = odd(world), events_of(world, delivery)
    assert before.due_at is not None
    assert before.due_at > world.clock.now

    assert not events.tell_again(world.line, operator, delivery.id)
    assert not events.tell_again(world.line, operator, delivery.id)

    (after,) = events_of(world, delivery)
    assert (after.id, after.due_at, after.attempts) == (before.id, world.clock.now, 1)
    world.work()
    assert events_of(world, delivery)[0].attempts == 2


@pytest.mark.parametrize("state", [DeliveryState.OPEN, DeliveryState.COLLECTED])
def test_delivery_whose_event_was_answered_gets_a_new_event_with_an_id_of_its_own(
    world: World, state: DeliveryState
) -> None:
    _, delivery = offered(world)
    heard(world, delivery)
    if state is DeliveryState.COLLECTED:
        with world.line.store.reading() as tx:
            system = capacity_of(tx.get_one(CaseSystem, "sak"))
        case_system.acknowledge_accepted(world.line, system, delivery.id)
    operator = odd(world)
    world.clock.advance(timedelta(minutes=1))

    assert events.tell_again(world.line, operator, delivery.id)
    assert not events.tell_again(world.line, operator, delivery.id)

    first, second = events_of(world, delivery)
    assert (first.state, second.state) == (OutboxState.SENT, OutboxState.PENDING)
    assert first.id != second.id
    with world.line.store.reading() as tx:
        leaves = b"".join(audited(tx))
    assert leaves.count(b'"delivery:told_again"') == 2


def test_delivery_that_has_ended_or_of_a_case_system_that_pulls_gets_no_event(
    world: World,
) -> None:
    operator = odd(world)
    message, delivery = offered(world)
    unit.withdraw(
        world.line,
        world.person("anne", Role.ARCHIVIST, "desk"),
        message.id,
        expected_version=world.message(message.wire_id).version,
        reason="Feil",
    )
    _, pulled = offered(world, "sakkyndig")

    with pytest.raises(Conflict, match="delivery.over"):
        events.tell_again(world.line, operator, delivery.id)
    with pytest.raises(Conflict, match="delivery.no_events"):
        events.tell_again(world.line, operator, pulled.id)

    assert world.delivery(message.id).state is DeliveryState.WITHDRAWN
    assert events_of(world, pulled) == []


def test_only_an_operator_of_the_same_organisation_sends_an_event_again(
    world: World,
) -> None:
    _, delivery = offered(world)
    others = [
        world.person("anne", Role.ARCHIVIST, "desk"),
        world.person("kari", Role.LEADER, "bv"),
        world.person("ola", Role.HANDLER, "bv"),
        _operator_elsewhere(world),
    ]

    for capacity in others:
        with pytest.raises(NotFound):
            events.tell_again(world.line, capacity, delivery.id)
    with pytest.raises(NotFound):
        events.tell_again(world.line, odd(world), "nothing")

    (event,) = events_of(world, delivery)
    assert event.due_at is not None
    assert event.due_at > world.clock.now


def _operator_elsewhere(world: World) -> Capacity:
    with world.line.store.transaction() as tx:
        tx.add(Unit(id="far", organisation="910077473", name="Drift", active_from=tx.now))
        tx.add(Person(id="eva", name="Eva Drift", active_from=tx.now))
        tx.flush()
        tx.add(
            CapacityRow(
                id=new_id(), person="eva", unit="far", role=Role.OPERATOR.value, active_from=tx.now
            )
        )
    world.edited = True
    return world.person("eva", Role.OPERATOR, "far")


@pytest.mark.parametrize("moment", [Moment.LOCKS, Moment.SEALS])
def test_two_operators_at_once_send_an_event_again_only_once(
    world: World, database: str, moment: Moment
) -> None:
    _, delivery = offered(world)
    heard(world, delivery)
    operator = odd(world)

    def tells(side: Side) -> None:
        events.tell_again(side.line, operator, delivery.id)

    with two_sides(world, database) as (left, right):
        told = run_with_first_held(world, (tells, left), (tells, right), moment)

    assert list(told[:2]) == ["None", "None"]
    assert [event.state for event in events_of(world, delivery)].count(OutboxState.PENDING) == 1
