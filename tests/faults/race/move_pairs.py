"""Who may meet whom at the same message: each entry brings two parties to the brink."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from inbox.access.question import Capacity
from inbox.line import Terms
from inbox.line.moves import case_system, unit
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.tables import Message, Receipt
from tests.faults.race import access_pairs, archive_staff_pairs, message_builders
from tests.faults.race.message_builders import again, anne, bjorn, kari, ola, says, worker
from tests.faults.race.two_party_race import Party, Race, SetUp, Side
from tests.worlds import World


def _withdraws(world: World, message: Message) -> Party:
    leader = kari(world)
    return lambda side: unit.withdraw(
        side.line, leader, message.id, expected_version=message.version, reason="Feil enhet"
    )


def release_and_hand_back(world: World) -> Race:
    message = message_builders.routed(world)
    handler, leader = ola(world, "skole"), kari(world, "skole")
    return Race(
        left=lambda side: unit.release(
            side.line, handler, message.id, expected_version=message.version
        ),
        right=lambda side: unit.hand_back(
            side.line, leader, message.id, expected_version=message.version, reason="Ikke vår"
        ),
        messages=(message.id,),
    )


def withdraw_and_offer(world: World) -> Race:
    message = message_builders.released(world)
    offers = worker(world, Message, message.id)
    return Race(left=_withdraws(world, again(world, message)), right=offers, messages=(message.id,))


def _withdraw_and_word(word: str, **body: str) -> SetUp:
    def set_up(world: World) -> Race:
        message = message_builders.arrived(world)
        return Race(
            left=_withdraws(world, message),
            right=says(world.delivery(message.id), word, **body),
            messages=(message.id,),
        )

    return set_up


def withdraw_and_collect(world: World) -> Race:
    message = message_builders.arrived(world)
    delivery = world.delivery(message.id)
    return Race(
        left=_withdraws(world, message),
        right=lambda side: side.collect(delivery.id),
        messages=(message.id,),
    )


def two_approve(world: World) -> Race:
    message = message_builders.routed(world)
    proposal = message_builders.refusal(world, message, anne(world))
    return Race(
        left=message_builders.approves(bjorn(world), proposal),
        right=message_builders.approves(kari(world, "skole"), proposal),
        messages=(message.id,),
    )


def approve_and_propose_after_its_time(world: World) -> Race:
    message = message_builders.arrived(world, "Ingen regel")
    brief = replace(world.line, terms=Terms(proposal_life=timedelta(minutes=1)))
    proposal = message_proposals.propose(
        brief, anne(world), ProposalKind.REFUSE, message.id, code="not_for_us", reason="Nei"
    )
    over, other = world.clock.now + timedelta(minutes=1), anne(world)

    def late(side: Side) -> str:
        world.clock.now = max(over, world.clock.now)
        return _proposed(side, message, other)

    approves = message_builders.approves(bjorn(world), proposal)
    return Race(left=approves, right=late, messages=(message.id,), acts_before=True)


def _proposed(side: Side, message: Message, by: Capacity) -> str:
    message_proposals.propose(
        side.line, by, ProposalKind.REFUSE, message.id, code="not_for_us", reason="Nei"
    )
    return "proposed"


def two_propose(world: World) -> Race:
    message = message_builders.arrived(world, "Ingen regel")
    one, two = anne(world), bjorn(world)
    return Race(
        left=lambda side: _proposed(side, message, one),
        right=lambda side: _proposed(side, message, two),
        messages=(message.id,),
    )


def _by_hand_and_word(word: str, **body: str) -> SetUp:
    def set_up(world: World) -> Race:
        message = message_builders.assigned(world)
        handler = ola(world)
        return Race(
            left=lambda side: unit.register(
                side.line,
                handler,
                message.id,
                reference=message_builders.BY_HAND,
                expected_version=message.version,
            ),
            right=says(world.delivery(message.id), word, **body),
            messages=(message.id,),
        )

    return set_up


def late_word_and_erase(world: World) -> Race:
    message, delivery = message_builders.superseded(world)
    return Race(
        left=says(delivery, "registered", reference=message_builders.LATE),
        right=worker(world, Message, message.id),
        messages=(message.id,),
    )


def late_word_and_offer(world: World) -> Race:
    message = message_builders.released(world)
    return Race(
        left=says(world.delivery(message.id), "registered", reference=message_builders.LATE),
        right=worker(world, Message, message.id),
        messages=(message.id,),
    )


def late_word_and_receipt(world: World) -> Race:
    message = message_builders.assigned(world)
    unit.register(
        world.line,
        ola(world),
        message.id,
        reference=message_builders.BY_HAND,
        expected_version=message.version,
    )
    return Race(
        left=says(world.delivery(message.id), "registered", reference=message_builders.LATE),
        right=worker(world, Receipt, world.receipt(message.id).id),
        messages=(message.id,),
        acts_before=True,
    )


def dismiss_and_register(world: World) -> Race:
    message = message_builders.released(world)
    delivery, leader, handler = world.delivery(message.id), kari(world), ola(world)
    unit.assign(world.line, leader, message.id, to=world.person_id("ola"))
    sak = message_builders.the_system(world.line)
    case_system.acknowledge_registered(
        world.line, sak, delivery.id, reference=message_builders.LATE
    )
    proposal = message_proposals.propose(
        world.line, leader, ProposalKind.DISMISS, message.id, reason="Slettet"
    )
    seen = again(world, message).version
    return Race(
        left=message_builders.approves(anne(world), proposal),
        right=lambda side: unit.register(
            side.line, handler, message.id, reference=message_builders.LATE, expected_version=seen
        ),
        messages=(message.id,),
    )


def place_and_refuse(world: World) -> Race:
    message = message_builders.arrived(world, "Ingen regel")
    proposal = message_builders.refusal(world, message, anne(world))
    return Race(
        left=message_builders.places(world, message, into="bv", seen=message.version),
        right=message_builders.approves(bjorn(world), proposal),
        messages=(message.id,),
    )


def take_and_place(world: World) -> Race:
    message = message_builders.arrived(world, "Om en elev")
    handler = ola(world, "skole")
    return Race(
        left=lambda side: unit.take(side.line, handler, message.id),
        right=message_builders.places(world, message, into="bv", seen=message.version),
        messages=(message.id,),
    )


def take_and_assign(world: World) -> Race:
    message = message_builders.arrived(world, "Om en elev")
    handler, leader, to = ola(world, "skole"), kari(world, "skole"), world.person_id("ola")
    return Race(
        left=lambda side: unit.take(side.line, handler, message.id),
        right=lambda side: unit.assign(side.line, leader, message.id, to=to),
        messages=(message.id,),
    )


def _two_words(one: Mapping[str, str], two: Mapping[str, str], *, late: bool) -> SetUp:
    def set_up(world: World) -> Race:
        message = message_builders.withdrawn(world) if late else message_builders.arrived(world)
        delivery = world.delivery(message.id)
        return Race(left=says(delivery, **one), right=says(delivery, **two), messages=(message.id,))

    return set_up


def refuse_a_twin_and_register_the_first(world: World) -> Race:
    first = message_builders.arrived(world)
    world.gateway.redeliver(first.wire_id, world.package("Annet"))
    world.collect()
    world.work()
    (twin,) = [m for m in world.messages() if m.wire_id == first.wire_id and m.id != first.id]
    proposal = message_builders.refusal(world, twin, anne(world))
    return Race(
        left=message_builders.approves(bjorn(world), proposal),
        right=says(world.delivery(first.id), "registered", reference="2026/000004-1"),
        messages=(first.id, twin.id),
    )


def register_two_under_one_reference(world: World) -> Race:
    one, two = message_builders.arrived(world), message_builders.arrived(world)
    reference = f"2026/{one.id[:6]}-1"
    return Race(
        left=says(world.delivery(one.id), "registered", reference=reference),
        right=says(world.delivery(two.id), "registered", reference=reference),
        messages=(one.id, two.id),
    )


_ONE = {"word": "registered", "reference": "2026/000002-1"}
_OTHER = {"word": "registered", "reference": "2026/000003-1"}
_NO = {"word": "refused", "code": "missing_case"}

PAIRS: Final[Mapping[str, SetUp]] = {
    "release, hand back": release_and_hand_back,
    "withdraw, offer": withdraw_and_offer,
    "withdraw, collect": withdraw_and_collect,
    "withdraw, accepted": _withdraw_and_word("accepted"),
    "withdraw, registered": _withdraw_and_word(**_ONE),
    "withdraw, refused": _withdraw_and_word(**_NO),
    "approve, approve": two_approve,
    "approve, propose after its time": approve_and_propose_after_its_time,
    "propose, propose": two_propose,
    "register by hand, registered": _by_hand_and_word(**_ONE),
    "register by hand, the same registered": _by_hand_and_word(
        "registered", reference=message_builders.BY_HAND
    ),
    "register by hand, refused": _by_hand_and_word(**_NO),
    "late word, erase": late_word_and_erase,
    "late word, offer": late_word_and_offer,
    "late word, receipt": late_word_and_receipt,
    "dismiss, register": dismiss_and_register,
    "place, refuse": place_and_refuse,
    "take, place": take_and_place,
    "take, assign": take_and_assign,
    "registered, the same registered": _two_words(_ONE, _ONE, late=False),
    "registered, another registered": _two_words(_ONE, _OTHER, late=False),
    "registered, refused": _two_words(_ONE, _NO, late=False),
    "late registered, the same": _two_words(_ONE, _ONE, late=True),
    "late registered, another": _two_words(_ONE, _OTHER, late=True),
    "late registered, late refused": _two_words(_ONE, _NO, late=True),
    "resend, follow up": archive_staff_pairs.resend_and_follow_up,
    "resend, accept the failure": archive_staff_pairs.resend_and_accept_failure,
    "refetch, announce": archive_staff_pairs.refetch_and_announce,
    "refetch, abandon": archive_staff_pairs.refetch_and_abandon,
    "undo, place when due": archive_staff_pairs.undo_and_place_when_due,
    "undo, undo": archive_staff_pairs.undo_in_two_tabs,
    "undo, offer": archive_staff_pairs.undo_and_offer,
    "place, place": archive_staff_pairs.two_place,
    "decline, approve": archive_staff_pairs.decline_and_approve,
    "decline, take back": archive_staff_pairs.decline_and_take_back,
    "close a task, close it": archive_staff_pairs.two_close_a_task,
    "read, hand back": access_pairs.read_and_hand_back,
    "read, place": access_pairs.read_and_place,
    "collect by hand, hand back": access_pairs.collect_and_hand_back,
    "declare a conflict, hand back": access_pairs.declare_and_hand_back,
    "declare a conflict, assign": access_pairs.declare_and_assign,
    "accept a request, decline it": access_pairs.accept_and_decline,
    "accept a request, hand back": access_pairs.accept_and_hand_back,
    "ask for access, assign": access_pairs.ask_and_assign,
    "grant, hand back": access_pairs.grant_and_hand_back,
    "grant, grant": access_pairs.two_grants,
    "break glass, place": access_pairs.break_glass_and_place,
    "end access, hand back": access_pairs.end_and_hand_back,
    "hold, hand back": access_pairs.hold_and_hand_back,
    "hold, hold": access_pairs.two_holds,
    "note, hand back": access_pairs.note_and_hand_back,
    "register two, under one reference": register_two_under_one_reference,
    "refuse a twin, register the first": refuse_a_twin_and_register_the_first,
}
