"""Brings a message of its own to where two parties may act on it."""

from dataclasses import replace
from datetime import timedelta

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import MessageState, ReceiptState
from inbox.line import Job, Line, R
from inbox.line.case_systems import capacity_of
from inbox.line.moves import archive_staff, case_system, unit
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.line.queue import claim
from inbox.line.stations import advance
from inbox.simulator.gateway.simulator import OtherEnd
from inbox.tables import CaseSystem, Delivery, Message
from tests.faults.race.race_outcome import YIELDED
from tests.faults.race.two_party_race import Party, Side
from tests.worlds import World

LATE = "2026/000009-1"
BY_HAND = "2026/000008-1"
KEPT = timedelta(minutes=10)
"""How long content is kept in these worlds, so that all of it happens within days."""


def arrived(world: World, title: str = "Melding om barnevern") -> Message:
    """A message that has gone as far as it goes by itself: offered, unless the title says else."""
    wire_id = world.send(title, content=str(world.gateway.journal[-1:]).encode())
    world.collect()
    world.work()
    return world.message(wire_id)


def again(world: World, message: Message) -> Message:
    """The message as it is now."""
    return next(each for each in world.messages() if each.id == message.id)


def anne(world: World) -> Capacity:
    return world.person("anne", Role.ARCHIVIST, "desk")


def bjorn(world: World) -> Capacity:
    return world.person("bjorn", Role.ARCHIVIST, "desk")


def kari(world: World, of: str = "bv") -> Capacity:
    return world.person("kari", Role.LEADER, of)


def ola(world: World, of: str = "bv") -> Capacity:
    return world.person("ola", Role.HANDLER, of)


def the_system(line: Line) -> Capacity:
    """The case system `sak`, where it is not the socket that matters."""
    with line.store.reading() as tx:
        return capacity_of(tx.get_one(CaseSystem, "sak"))


def released(world: World) -> Message:
    """Released by a person, due to be offered, nobody has claimed it."""
    message = withdrawn(world)
    unit.release(
        world.line, kari(world), message.id, expected_version=again(world, message).version
    )
    return again(world, message)


def withdrawn(world: World) -> Message:
    """Offered once and withdrawn: it has an old attempt that late words may be about."""
    message = arrived(world)
    unit.withdraw(
        world.line, kari(world), message.id, expected_version=message.version, reason="Feil"
    )
    return again(world, message)


def assigned(world: World) -> Message:
    """Offered to the case system, and ola works on it."""
    message = arrived(world)
    unit.assign(world.line, kari(world), message.id, to=world.person_id("ola"))
    return again(world, message)


def routed(world: World) -> Message:
    """Waits for a person in `skole`; ola has taken it."""
    message = arrived(world, "Om en elev")
    unit.take(world.line, ola(world, "skole"), message.id)
    return again(world, message)


def offered_by_hand(world: World) -> Message:
    """Offered to the people of `skole`; ola works on it, and nobody has collected it."""
    message = routed(world)
    leader = kari(world, "skole")
    unit.release(world.line, leader, message.id, expected_version=message.version)
    settled(world, message, MessageState.OFFERED)
    return again(world, message)


def superseded(world: World) -> tuple[Message, Delivery]:
    """Registered by hand while the case system had it, answered, and due for erasure."""
    message = assigned(world)
    unit.register(
        world.line, ola(world), message.id, reference=BY_HAND, expected_version=message.version
    )
    settled(world, message, MessageState.ANSWERED)
    world.clock.advance(KEPT)
    return again(world, message), world.delivery(message.id)


def settled(world: World, message: Message, state: MessageState) -> None:
    """Let the line go on until the message is there."""
    for _ in range(30):
        world.work()
        if again(world, message).state is state:
            return
        world.clock.advance(timedelta(seconds=30))
    raise AssertionError("it does not get there")


def failed(world: World) -> Message:
    """Registered, and its kvittering failed on the way."""
    message = sent(world)
    world.clock.advance(timedelta(minutes=5))
    world.work()
    assert world.receipt(message.id).state is ReceiptState.FAILED
    world.gateway.other_end(OtherEnd.TAKES)
    return again(world, message)


def sent(world: World) -> Message:
    """Registered, its kvittering sent, and the gateway is about to say that it failed."""
    world.gateway.other_end(OtherEnd.FAILS)
    message = arrived(world)
    delivery = world.delivery(message.id)
    sak = the_system(world.line)
    case_system.acknowledge_registered(
        world.line, sak, delivery.id, reference=f"2026/{message.id[:6]}-1"
    )
    world.work()
    assert world.receipt(message.id).state is ReceiptState.SENT
    return again(world, message)


def refusal(world: World, message: Message, by: Capacity) -> str:
    """A proposal to refuse it."""
    return message_proposals.propose(
        world.line, by, ProposalKind.REFUSE, message.id, code="not_for_us", reason="Ikke vår"
    )


def worker(world: World, kind: type[R], row_id: str) -> Party:
    """A worker that has claimed the row and is now to do its step."""
    world.clock.advance(timedelta(minutes=3))
    while (job := claim(world.line, kind)) is not None:
        if job.row.id == row_id:
            return _advances(job)
    raise AssertionError("it is not due")


def _advances(job: Job[R]) -> Party:
    def party(side: Side) -> str:
        advance(side.line, job)
        return YIELDED

    return party


def places(world: World, message: Message, *, into: str, seen: int) -> Party:
    """Archive staff place it."""
    by = anne(world)
    return lambda side: archive_staff.place(
        side.line, by, message.id, unit=into, expected_version=seen
    )


def placing(world: World, title: str = "Ingen regel") -> Message:
    """Being placed by anne, who can undo it; due within two minutes."""
    message = arrived(world, title)
    patient = replace(world.line.terms, placing_grace=timedelta(minutes=2))
    archive_staff.place(
        replace(world.line, terms=patient),
        anne(world),
        message.id,
        unit="bv",
        expected_version=message.version,
    )
    return again(world, message)


def undoes(world: World, message: Message) -> Party:
    """Anne takes it back."""
    by, seen = anne(world), again(world, message).version
    return lambda side: archive_staff.undo(side.line, by, message.id, expected_version=seen)


def approves(by: Capacity, proposal: str) -> Party:
    """A second person says yes."""
    return lambda side: message_proposals.approve(side.line, by, proposal)


def declines(by: Capacity, proposal: str) -> Party:
    """A second person says no."""
    return lambda side: message_proposals.decline(side.line, by, proposal, reason="Ikke her")


def says(delivery: Delivery, word: str, **body: str) -> Party:
    """The case system's word."""

    def party(side: Side) -> object:
        return side.say(delivery.id, word, **body)

    return party
