"""A message through every state and every move, on both databases, judged with its neighbours."""

from datetime import timedelta
from itertools import product
from typing import get_args

import pytest

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import (
    MOVES,
    ArrivalState,
    DeliveryState,
    MessageId,
    MessageState,
    ReceiptState,
    State,
    check_move,
)
from inbox.errors import Conflict, IllegalMove, NotFound, NotPermitted
from inbox.line.case_systems import capacity_of
from inbox.line.moves import archive_staff, case_system, content, unit
from inbox.line.moves.case_system import Said
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.simulator.gateway.simulator import OtherEnd
from inbox.simulator.packages.builder import Tamper
from inbox.tables import CaseSystem, Message, Unit
from tests.worlds import SENDER, World


def _system(world: World, name: str = "sak") -> Capacity:
    with world.line.store.reading() as tx:
        return capacity_of(tx.get_one(CaseSystem, name))


def _arrive(world: World, public_title: str = "Melding om barnevern") -> Message:
    wire_id = world.send(public_title)
    world.collect()
    world.work()
    return world.message(wire_id)


def _archivist(world: World, who: str = "anne") -> Capacity:
    return world.person(who, Role.ARCHIVIST, "desk")


def _propose_to_refuse(world: World, message: Message, code: str = "not_for_us") -> str:
    return message_proposals.propose(
        world.line,
        _archivist(world),
        ProposalKind.REFUSE,
        message.id,
        code=code,
        reason="Ikke vår",
    )


def _register_by_word(world: World, message: Message, reference: str = "2026/000123-1") -> None:
    delivery = world.delivery(message.id)
    case_system.collect(world.line, _system(world), delivery.id)
    said = case_system.acknowledge_registered(
        world.line, _system(world), delivery.id, reference=reference
    )
    assert said is Said.DONE


# The ordinary road


def test_message_goes_from_announcement_to_receipt_and_erasure(world: World) -> None:
    wire_id = world.send("Melding om barnevern")
    assert world.collect() == 1
    assert world.arrival(wire_id).state is ArrivalState.ANNOUNCED

    world.work()

    message = world.message(wire_id)
    assert message.state is MessageState.OFFERED
    assert world.arrival(wire_id).state is ArrivalState.CONFIRMED
    assert world.gateway.receipts_at_sender() == []

    delivery = world.delivery(message.id)
    assert case_system.acknowledge_accepted(world.line, _system(world), delivery.id) is Said.DONE
    assert world.delivery(message.id).state is DeliveryState.COLLECTED
    _register_by_word(world, message)
    assert world.message(wire_id).state is MessageState.REGISTERED
    world.settle()

    assert world.receipt(message.id).state is ReceiptState.CONFIRMED
    assert world.message(wire_id).state is MessageState.ANSWERED
    (receipt,) = world.gateway.receipts_at_sender()
    assert receipt["relatedToMessageId"] == wire_id
    assert receipt["receiptType"] == "OK"
    world.clock.advance(timedelta(days=15))
    world.work()
    erased = world.message(wire_id)
    assert erased.state is MessageState.ERASED
    assert erased.sealed_metadata is None
    assert list(world.line.vault.names()) == []


def test_redelivery_of_an_erased_message_creates_no_new_message(world: World) -> None:
    wire_id = world.send()
    world.collect()
    world.work()
    message = world.message(wire_id)
    _register_by_word(world, message)
    world.settle()
    world.clock.advance(timedelta(days=15))
    world.work()

    world.gateway.redeliver(wire_id)
    world.collect()
    world.work()

    assert len(world.messages()) == 1
    assert world.arrival(wire_id).message_id == message.id
    assert world.gateway.queue() == []
    assert len(world.gateway.receipts_at_sender()) == 1


def test_same_wire_id_with_other_bytes_is_quarantined_as_its_own_message(world: World) -> None:
    wire_id = world.send()
    world.collect()
    world.work()

    world.gateway.redeliver(wire_id, world.package("Noe ganske annet"))
    world.collect()
    world.work()

    states = sorted(message.state for message in world.messages())
    assert states == [MessageState.OFFERED, MessageState.QUARANTINED]
    (other,) = [m for m in world.messages() if m.state is MessageState.QUARANTINED]
    assert other.code == "arrival.other_bytes"
    assert world.open_tasks(other.id) == {"quarantine", "other_bytes"}
    archive_staff.recheck(world.line, _archivist(world), other.id, expected_version=other.version)
    world.work()
    assert {m.code for m in world.messages() if m.id == other.id} == {"arrival.other_bytes"}


def test_reply_is_routed_to_the_unit_that_has_the_case(world: World) -> None:
    first = _arrive(world)
    _register_by_word(world, first, "2026/000777-1")

    answer = world.send("Ingenting som treffer", receiver_ref="2026/000777-1")
    world.collect()
    world.work()

    assert world.message(answer).rule == "svar"
    assert world.message(answer).unit == "bv"


def test_known_case_reference_from_another_sender_does_not_route_the_message(world: World) -> None:
    _register_by_word(world, _arrive(world), "2026/000777-1")

    stranger = world.send("Ingen", receiver_ref="2026/000777-1", sender="910076787")
    world.collect()
    world.work()

    assert world.message(stranger).state is MessageState.UNROUTED


# What archive staff do


def test_unrouted_message_is_placed_released_and_offered(world: World) -> None:
    message = _arrive(world, "Ingen regel")
    assert message.state is MessageState.UNROUTED
    assert world.open_tasks(message.id) == {"distribute"}

    archive_staff.place(
        world.line, _archivist(world), message.id, unit="skole", expected_version=message.version
    )
    placed = world.message(message.wire_id)
    assert placed.state is MessageState.ROUTED
    assert world.open_tasks(message.id) == {"release"}
    unit.release(world.line, _archivist(world), message.id, expected_version=placed.version)
    world.work()

    assert world.message(message.wire_id).state is MessageState.OFFERED
    assert world.open_tasks(message.id) == {"collect"}


def test_place_and_release_in_one_move_offers_the_message(world: World) -> None:
    message = _arrive(world, "Ingen regel")

    archive_staff.place_and_release(
        world.line, _archivist(world), message.id, unit="ppt", expected_version=message.version
    )
    world.work()

    assert world.message(message.wire_id).state is MessageState.OFFERED
    assert world.delivery(message.id).case_system == "fag"


def test_message_handed_back_by_a_unit_can_be_placed_elsewhere(world: World) -> None:
    message = _arrive(world, "Om en elev")
    leader = world.person("kari", Role.LEADER, "skole")

    unit.hand_back(
        world.line,
        leader,
        message.id,
        expected_version=message.version,
        reason="Gjelder en annen enhet",
    )

    handed = world.message(message.wire_id)
    assert handed.state is MessageState.UNROUTED
    assert handed.unit is None
    archive_staff.place(
        world.line, _archivist(world), message.id, unit="ppt", expected_version=handed.version
    )
    again = world.message(message.wire_id)
    archive_staff.place(
        world.line, _archivist(world), message.id, unit="bv", expected_version=again.version
    )
    assert world.message(message.wire_id).unit == "bv"


def test_duplicate_inherits_the_reference_and_gets_a_receipt(world: World) -> None:
    first = _arrive(world)
    _register_by_word(world, first, "2026/000001-9")
    again = _arrive(world, "Ingen regel")

    archive_staff.mark_duplicate(
        world.line,
        _archivist(world),
        again.id,
        original_id=first.id,
        expected_version=again.version,
    )
    world.settle()

    texts = [r["body"] for r in world.gateway.receipts_at_sender()]
    assert world.message(again.wire_id).state is MessageState.ANSWERED
    assert str(texts).count("2026/000001-9") == 2


def test_message_with_other_documents_cannot_be_marked_as_duplicate(world: World) -> None:
    first = _arrive(world)
    _register_by_word(world, first)
    wire_id = world.send("Ingen regel", content=b"noe annet")
    world.collect()
    world.work()
    other = world.message(wire_id)

    with pytest.raises(NotPermitted):
        archive_staff.mark_duplicate(
            world.line,
            _archivist(world),
            other.id,
            original_id=first.id,
            expected_version=other.version,
        )

    assert world.message(wire_id).state is MessageState.UNROUTED


@pytest.mark.parametrize(("successor", "unit_id"), [("ppt", "ppt"), (None, None)])
def test_message_for_a_passive_unit_goes_to_its_successor_or_stays_unrouted(
    world: World, successor: str | None, unit_id: str | None
) -> None:
    with world.line.store.transaction() as tx:
        row = tx.get_one(Unit, "bv")
        row.active_until, row.successor = tx.now, successor

    message = _arrive(world)

    assert message.unit == unit_id
    assert message.code == (None if successor else "unit.passive")


# Quarantine and refusal: two persons


def test_broken_signature_is_quarantined_and_refused_by_two_people(world: World) -> None:
    wire_id = world.send(parcel={"tamper": Tamper.BROKEN_SIGNATURE})
    world.collect()
    world.work()
    message = world.message(wire_id)
    assert message.state is MessageState.QUARANTINED
    assert world.open_tasks(message.id) == {"quarantine"}

    proposal = _propose_to_refuse(world, message, code="signature")
    with pytest.raises(NotPermitted):
        message_proposals.approve(world.line, _archivist(world), proposal)
    message_proposals.approve(world.line, _archivist(world, "bjorn"), proposal)
    world.settle()

    (receipt,) = world.gateway.receipts_at_sender()
    assert receipt["receiptType"] == "ERROR"
    assert world.message(wire_id).state is MessageState.ANSWERED


def test_approval_of_a_proposal_requires_strong_authentication(world: World) -> None:
    message = _arrive(world, "Ingen regel")
    proposal = _propose_to_refuse(world, message)

    weak = world.person("bjorn", Role.ARCHIVIST, "desk", strong=False)
    with pytest.raises(NotPermitted):
        message_proposals.approve(world.line, weak, proposal)

    assert world.message(message.wire_id).state is MessageState.UNROUTED


def test_two_people_release_a_quarantined_message_with_a_named_waiver(world: World) -> None:
    wire_id = world.send(parcel={"signer": world.authority.issue("910076787")})
    world.collect()
    world.work()
    message = world.message(wire_id)
    assert message.state is MessageState.QUARANTINED
    assert message.code is not None

    proposal = message_proposals.propose(
        world.line,
        _archivist(world),
        ProposalKind.QUARANTINE_RELEASE,
        message.id,
        code=message.code,
        reason="Kjent leverandør",
    )
    message_proposals.approve(world.line, _archivist(world, "bjorn"), proposal)
    world.work()

    assert world.message(wire_id).state is MessageState.OFFERED


def test_expired_proposal_cannot_be_approved(world: World) -> None:
    message = _arrive(world, "Ingen regel")
    proposal = _propose_to_refuse(world, message)
    world.clock.advance(timedelta(days=15))

    with pytest.raises(NotPermitted):
        message_proposals.approve(world.line, _archivist(world, "bjorn"), proposal)


# What went missing at the gateway


def test_arrival_missing_at_the_gateway_is_abandoned_by_two_people(world: World) -> None:
    wire_id = world.send()
    world.collect()
    world.gateway.lose(wire_id)
    world.work()
    arrival = world.arrival(wire_id)
    assert arrival.state is ArrivalState.MISSED
    assert world.open_tasks(arrival.id) == {"missed"}

    archive_staff.refetch(
        world.line, _archivist(world), MessageId(arrival.id), expected_version=arrival.version
    )
    world.work()
    arrival = world.arrival(wire_id)
    assert arrival.state is ArrivalState.MISSED

    proposal = message_proposals.propose(
        world.line, _archivist(world), ProposalKind.ABANDON, arrival.id, reason="Borte"
    )
    message_proposals.approve(world.line, _archivist(world, "bjorn"), proposal)
    world.work()

    assert world.arrival(wire_id).state is ArrivalState.ABANDONED
    assert world.open_tasks(arrival.id) == set()
    assert world.arrival(wire_id).sealed_envelope is None


def test_missed_arrival_announced_again_is_retried_and_confirmed(world: World) -> None:
    wire_id = world.send()
    world.collect()
    world.gateway.lose(wire_id)
    world.work()
    world.gateway.redeliver(wire_id)

    world.collect()
    assert world.arrival(wire_id).state is ArrivalState.MISSED
    world.clock.advance(timedelta(minutes=6))
    world.collect()
    world.work()

    assert world.arrival(wire_id).state is ArrivalState.CONFIRMED
    assert world.message(wire_id).state is MessageState.OFFERED


# The unit and its case system


def test_released_message_can_be_withdrawn_before_it_is_offered(world: World) -> None:
    message = _arrive(world, "Om en elev")
    leader = world.person("kari", Role.LEADER, "skole")
    unit.release(world.line, leader, message.id, expected_version=message.version)
    released = world.message(message.wire_id)

    unit.withdraw(
        world.line, leader, message.id, expected_version=released.version, reason="For tidlig"
    )

    assert world.message(message.wire_id).state is MessageState.ROUTED


def test_open_delivery_is_withdrawn_by_one_person_and_a_collected_one_by_two(world: World) -> None:
    message = _arrive(world)
    leader = world.person("kari", Role.LEADER, "bv")
    unit.withdraw(
        world.line, leader, message.id, expected_version=message.version, reason="Feil enhet"
    )
    assert world.delivery(message.id).state is DeliveryState.WITHDRAWN
    routed = world.message(message.wire_id)
    unit.release(world.line, leader, message.id, expected_version=routed.version)
    world.work()
    case_system.collect(world.line, _system(world), world.delivery(message.id).id)
    offered = world.message(message.wire_id)

    with pytest.raises(NotPermitted):
        unit.withdraw(
            world.line, leader, message.id, expected_version=offered.version, reason="Feil"
        )
    proposal = message_proposals.propose(
        world.line, leader, ProposalKind.WITHDRAW, message.id, reason="Feil enhet"
    )
    message_proposals.approve(world.line, _archivist(world), proposal)

    assert world.delivery(message.id).state is DeliveryState.SUPERSEDED
    assert world.delivery(message.id).number == 2
    assert world.message(message.wire_id).state is MessageState.ROUTED


def test_refused_delivery_returns_the_message_to_people_without_a_receipt(
    world: World,
) -> None:
    message = _arrive(world)
    delivery = world.delivery(message.id)

    said = case_system.acknowledge_refused(
        world.line, _system(world), delivery.id, code="missing_case", text="Mangler sak"
    )
    world.settle()

    assert said is Said.DONE
    returned = world.message(message.wire_id)
    assert returned.state is MessageState.RETURNED
    assert world.open_tasks(message.id) == {"returned"}
    assert world.gateway.receipts_at_sender() == []
    leader = world.person("kari", Role.LEADER, "bv")
    unit.release(world.line, leader, message.id, expected_version=returned.version)
    world.work()
    assert world.delivery(message.id).number == 2


def test_handler_collects_and_registers_a_message_by_hand(world: World) -> None:
    message = _arrive(world, "Om en elev")
    handler = world.person("ola", Role.HANDLER, "skole")
    unit.take(world.line, handler, message.id)
    unit.release(world.line, handler, message.id, expected_version=message.version)
    world.work()
    offered = world.message(message.wire_id)

    collected = content.collect_by_hand(world.line, handler, message.id)
    assert collected.delivery.state is DeliveryState.COLLECTED
    unit.register(
        world.line, handler, message.id, reference="2026/000555-1", expected_version=offered.version
    )
    world.settle()

    assert world.message(message.wire_id).state is MessageState.ANSWERED
    assert "2026/000555-1" in str(world.gateway.receipts_at_sender())


def test_leader_can_assign_but_not_open_a_message(world: World) -> None:
    message = _arrive(world, "Om en elev")
    leader = world.person("kari", Role.LEADER, "skole")

    unit.assign(world.line, leader, message.id, to=world.person_id("ola"))

    assert "assigned" in world.open_tasks(message.id)
    with pytest.raises(NotPermitted):
        content.read(world.line, leader, message.id)


# Words: repeated, conflicting, late


def test_registering_a_delivery_twice_gives_the_same_answer_and_one_receipt(world: World) -> None:
    message = _arrive(world)
    delivery = world.delivery(message.id)
    _register_by_word(world, message, "2026/000002-1")

    again = case_system.acknowledge_registered(
        world.line, _system(world), delivery.id, reference="2026/000002-1"
    )
    world.settle()

    assert again is Said.REPEATED
    assert len(world.gateway.receipts_at_sender()) == 1


def test_conflicting_outcome_keeps_the_first_registration_and_opens_a_task(world: World) -> None:
    message = _arrive(world)
    delivery = world.delivery(message.id)
    _register_by_word(world, message, "2026/000002-1")

    other = case_system.acknowledge_registered(
        world.line, _system(world), delivery.id, reference="2026/000003-1"
    )
    refused = case_system.acknowledge_refused(world.line, _system(world), delivery.id, code="no")

    assert (other, refused) == (Said.CONFLICT, Said.CONFLICT)
    assert world.open_tasks(message.id) == {"conflicting_word"}
    assert world.message(message.wire_id).state is MessageState.REGISTERED


def test_late_registration_blocks_the_offer_until_the_message_is_registered(world: World) -> None:
    message = _arrive(world, "Om en elev")
    handler = world.person("ola", Role.HANDLER, "skole")
    unit.take(world.line, handler, message.id)
    archive_staff.place(
        world.line, _archivist(world), message.id, unit="bv", expected_version=message.version
    )
    placed = world.message(message.wire_id)
    leader = world.person("kari", Role.LEADER, "bv")
    unit.release(world.line, leader, message.id, expected_version=placed.version)
    world.work()
    delivery = world.delivery(message.id)
    offered = world.message(message.wire_id)
    unit.withdraw(world.line, leader, message.id, expected_version=offered.version, reason="Feil")

    late = case_system.acknowledge_registered(
        world.line, _system(world), delivery.id, reference="2026/000009-1"
    )
    assert late is Said.KEPT
    assert "late_word" in world.open_tasks(message.id)
    routed = world.message(message.wire_id)
    unit.release(world.line, leader, message.id, expected_version=routed.version)
    world.work()
    assert world.message(message.wire_id).state is MessageState.RELEASED

    unit.assign(world.line, leader, message.id, to=world.person_id("ola"))
    handler = world.person("ola", Role.HANDLER, "bv")
    waiting = world.message(message.wire_id)
    unit.register(
        world.line, handler, message.id, reference="2026/000009-1", expected_version=waiting.version
    )
    world.settle()
    assert world.message(message.wire_id).state is MessageState.ANSWERED
    assert "late_word" not in world.open_tasks(message.id)


def test_late_registration_dismissed_by_two_people_lets_the_message_continue(world: World) -> None:
    message = _arrive(world)
    leader = world.person("kari", Role.LEADER, "bv")
    delivery = world.delivery(message.id)
    unit.withdraw(world.line, leader, message.id, expected_version=message.version, reason="Feil")
    case_system.acknowledge_registered(
        world.line, _system(world), delivery.id, reference="2026/000009-1"
    )

    proposal = message_proposals.propose(
        world.line, leader, ProposalKind.DISMISS, message.id, reason="Slettet i arkivet"
    )
    message_proposals.approve(world.line, _archivist(world), proposal)
    routed = world.message(message.wire_id)
    unit.release(world.line, leader, message.id, expected_version=routed.version)
    world.settle()

    assert world.message(message.wire_id).state is MessageState.OFFERED


def test_delivery_of_another_case_system_is_not_found(world: World) -> None:
    message = _arrive(world)
    delivery = world.delivery(message.id)

    for move in (case_system.collect, case_system.acknowledge_accepted):
        with pytest.raises(NotFound):
            move(world.line, _system(world, "fag"), delivery.id)


# Receipts


def test_receipt_that_cannot_be_sent_is_impossible_and_can_be_accepted(
    world: World,
) -> None:
    world.gateway.registry(SENDER, {"urn:no:difi:profile:arkivmelding:response:ver1.0": "DPV"})
    message = _arrive(world)
    _register_by_word(world, message)
    world.settle()
    assert world.receipt(message.id).state is ReceiptState.IMPOSSIBLE
    assert world.gateway.receipts_at_sender() == []
    assert world.message(message.wire_id).state is MessageState.REGISTERED

    archive_staff.accept_failure(
        world.line, _archivist(world), message.id, reason="Avsender varslet på telefon"
    )

    assert world.message(message.wire_id).state is MessageState.ANSWERED
    assert world.open_tasks(world.receipt(message.id).id) == set()


def test_failed_receipt_can_be_resent_and_confirmed(world: World) -> None:
    world.gateway.other_end(OtherEnd.FAILS)
    message = _arrive(world)
    _register_by_word(world, message)
    world.settle()
    assert world.receipt(message.id).state is ReceiptState.FAILED

    world.gateway.other_end(OtherEnd.TAKES)
    archive_staff.resend(world.line, _archivist(world), message.id, reason="Prøver igjen")
    world.settle()

    assert world.receipt(message.id).state is ReceiptState.CONFIRMED
    assert len(world.gateway.receipts_at_sender()) == 1
    assert world.message(message.wire_id).state is MessageState.ANSWERED


def test_refused_message_with_a_shared_wire_id_yields_to_the_registered_one(world: World) -> None:
    wire_id = world.send()
    world.collect()
    world.work()
    world.gateway.redeliver(wire_id, world.package("Annet"))
    world.collect()
    world.work()
    (twin,) = [m for m in world.messages() if m.state is MessageState.QUARANTINED]
    (first,) = [m for m in world.messages() if m.state is MessageState.OFFERED]
    proposal = _propose_to_refuse(world, twin, code="signature")
    message_proposals.approve(world.line, _archivist(world, "bjorn"), proposal)
    world.settle(rounds=3)
    assert world.gateway.receipts_at_sender() == []

    _register_by_word(world, first)
    world.settle()

    assert [r["receiptType"] for r in world.gateway.receipts_at_sender()] == ["OK"]
    assert world.receipt(twin.id).state is ReceiptState.IMPOSSIBLE
    assert world.receipt(twin.id).code == "receipt.id_shared"


# What must not happen


def test_move_with_an_outdated_version_is_refused(world: World) -> None:
    message = _arrive(world, "Ingen regel")
    archive_staff.place(
        world.line, _archivist(world), message.id, unit="bv", expected_version=message.version
    )

    with pytest.raises(Conflict):
        archive_staff.place(
            world.line, _archivist(world), message.id, unit="ppt", expected_version=message.version
        )

    assert world.message(message.wire_id).unit == "bv"


def test_person_of_another_unit_gets_the_same_error_as_for_an_unknown_message(world: World) -> None:
    message = _arrive(world, "Om en elev")
    stranger = world.person("ola", Role.HANDLER, "bv")

    with pytest.raises(NotFound) as told:
        unit.release(world.line, stranger, message.id, expected_version=message.version)
    with pytest.raises(NotFound) as none:
        unit.release(world.line, stranger, "0" * 32, expected_version=0)

    assert str(told.value) == str(none.value)


def test_moves_outside_the_move_table_are_refused() -> None:
    refused = 0
    for words in get_args(State):
        legal = {
            (by, was, became)
            for by, steps in MOVES[words].items()
            for was, allowed in steps.items()
            for became in allowed
        }
        names = {by for by, _, _ in legal} | {"anything"}
        for by, was, became in product(names, words, words):
            if (by, was, became) in legal:
                check_move(by, was, became)
                continue
            with pytest.raises(IllegalMove):
                check_move(by, was, became)
            refused += 1
    assert refused > 1000
