"""A final kvittering says a reference that an archive can have given, or is not sent."""

from collections.abc import Callable

import pytest

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import MessageState
from inbox.errors import Invalid
from inbox.line.case_systems import capacity_of
from inbox.line.moves import archive_staff, case_system, unit
from inbox.line.moves.registration import data_key
from inbox.tables import CaseSystem, Message
from tests.worlds import World

NO_REFERENCES = ("", " ", " " * 200, "\u2800", "\u3164", "-", "—/—", "null", "000")


def _offered(world: World) -> Message:
    wire_id = world.send("Melding om barnevern")
    world.collect()
    world.work()
    return world.message(wire_id)


def _system(world: World) -> Capacity:
    with world.line.store.reading() as tx:
        return capacity_of(tx.get_one(CaseSystem, "sak"))


def _register_by_machine(world: World, message: Message, reference: str) -> None:
    delivery = world.delivery(message.id)
    case_system.acknowledge_registered(world.line, _system(world), delivery.id, reference=reference)


def _register_by_hand(world: World, message: Message, reference: str) -> None:
    unit.register(
        world.line,
        world.person("ola", Role.HANDLER, "skole"),
        message.id,
        reference=reference,
        expected_version=message.version,
    )


def _taken_by_hand(world: World) -> Message:
    wire_id = world.send("Om en elev")
    world.collect()
    world.work()
    unit.take(world.line, world.person("ola", Role.HANDLER, "skole"), world.message(wire_id).id)
    return world.message(wire_id)


@pytest.mark.parametrize(
    ("arrive", "register"),
    [(_offered, _register_by_machine), (_taken_by_hand, _register_by_hand)],
    ids=["by machine", "by hand"],
)
def test_registration_refuses_what_no_archive_has_as_a_reference(
    small_world: World,
    arrive: Callable[[World], Message],
    register: Callable[[World, Message, str], None],
) -> None:
    message = arrive(small_world)

    for reference in NO_REFERENCES:
        with pytest.raises(Invalid, match=r"reference\.shape"):
            register(small_world, message, reference)
    small_world.settle(rounds=2)

    assert small_world.message(message.wire_id).state is message.state
    assert small_world.gateway.receipts_at_sender() == []
    register(small_world, small_world.message(message.wire_id), "2026/000001-1")
    small_world.settle(rounds=3)
    assert small_world.message(message.wire_id).state is MessageState.ANSWERED


def _with_blank_reference(world: World, message: Message) -> None:
    """Registered by an older version, which took blanks for a reference."""
    with world.line.store.transaction() as tx:
        row = tx.get_one(Message, message.id)
        row.sealed_reference = data_key(tx, world.line, row.id).seal(
            b"  ", table="message", column="sealed_reference", row=row.id
        )


def test_duplicate_does_not_inherit_a_blank_reference(small_world: World) -> None:
    first = _offered(small_world)
    _register_by_machine(small_world, first, "2026/000001-1")
    _with_blank_reference(small_world, first)
    wire_id = small_world.send("Ingen regel")
    small_world.collect()
    small_world.work()
    again = small_world.message(wire_id)

    with pytest.raises(Invalid, match=r"reference\.shape"):
        archive_staff.mark_duplicate(
            small_world.line,
            small_world.person("anne", Role.ARCHIVIST, "desk"),
            again.id,
            original_id=first.id,
            expected_version=again.version,
        )

    assert small_world.message(wire_id).state is MessageState.UNROUTED


def test_receipt_of_a_message_registered_with_blanks_says_no_reference(small_world: World) -> None:
    message = _offered(small_world)
    _register_by_machine(small_world, message, "2026/000001-1")
    _with_blank_reference(small_world, message)

    small_world.settle()

    (receipt,) = small_world.gateway.receipts_at_sender()
    assert "'messages': []" in str(receipt["body"])
