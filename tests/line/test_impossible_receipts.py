"""A receipt without a route is asked for once more after a day: the gateway caches the registry."""

from datetime import timedelta

from inbox.access.policy.vocabulary import Role
from inbox.domain import MessageState, ReceiptState
from inbox.line.case_systems import capacity_of
from inbox.line.moves import archive_staff, case_system
from inbox.tables import CaseSystem, Message
from tests.worlds import SENDER, World

HOUR = timedelta(hours=1)
RESPONSE = "urn:no:difi:profile:arkivmelding:response:ver1.0"


def _registered(world: World) -> Message:
    """A registered message whose receipt has no route."""
    world.gateway.registry(SENDER, {RESPONSE: "DPV"})
    wire_id = world.send("Melding om barnevern")
    world.collect()
    world.work()
    message = world.message(wire_id)
    with world.line.store.reading() as tx:
        capacity = capacity_of(tx.get_one(CaseSystem, "sak"))
    delivery = world.delivery(message.id)
    case_system.acknowledge_registered(world.line, capacity, delivery.id, reference="2026/1-1")
    world.work()
    assert world.receipt(message.id).state is ReceiptState.IMPOSSIBLE
    return message


def _pass(world: World, hours: int) -> None:
    for _ in range(hours):
        world.clock.advance(HOUR)
        world.collect()
        world.work()


def _asked(world: World) -> int:
    return sum("capabilities" in seen.path for seen in world.gateway.journal)


def test_receipt_whose_route_is_found_after_a_day_is_sent_without_a_person(
    small_world: World,
) -> None:
    message = _registered(small_world)
    receipt = small_world.receipt(message.id)
    small_world.gateway.registry(SENDER, {RESPONSE: "DPO"})

    _pass(small_world, 23)
    early = small_world.receipt(message.id).state
    _pass(small_world, 4)

    assert early is ReceiptState.IMPOSSIBLE
    assert small_world.receipt(message.id).state is ReceiptState.CONFIRMED
    assert small_world.message(message.wire_id).state is MessageState.ANSWERED
    assert small_world.open_tasks(receipt.id) == set()


def test_receipt_without_a_route_after_a_day_is_left_to_people(small_world: World) -> None:
    message = _registered(small_world)

    _pass(small_world, 72)

    receipt = small_world.receipt(message.id)
    assert receipt.state is ReceiptState.IMPOSSIBLE
    assert _asked(small_world) == 2
    assert small_world.open_tasks(receipt.id) == {"receipt"}


def test_receipt_waits_while_the_gateway_caches_the_registry_and_is_then_sent(
    small_world: World,
) -> None:
    small_world.gateway.cache_registry(20 * HOUR)
    message = _registered(small_world)
    small_world.gateway.registry(SENDER, {RESPONSE: "DPO"})
    capacity = small_world.person("anne", Role.ARCHIVIST, "desk")
    _pass(small_world, 2)
    archive_staff.resend(small_world.line, capacity, message.id, reason="prøv igjen")
    _pass(small_world, 2)
    cached = small_world.receipt(message.id).state

    _pass(small_world, 26)

    assert cached is ReceiptState.IMPOSSIBLE
    assert small_world.receipt(message.id).state is ReceiptState.CONFIRMED
    assert len(small_world.gateway.receipts_at_sender()) == 1
