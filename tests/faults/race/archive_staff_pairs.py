"""Who may meet whom at receipts, arrivals and tasks: what archive staff see to."""

from dataclasses import replace
from datetime import timedelta

from inbox.access.question import Capacity
from inbox.domain import MessageId, new_id
from inbox.line import Job, Line
from inbox.line.intake import announce
from inbox.line.moves import archive_staff, unit
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.line.settle import open_task
from inbox.line.stations.arrival import notice_of
from inbox.line.task_kinds import TaskKind
from inbox.tables import Arrival, Message, Receipt
from tests.faults.race import message_builders
from tests.faults.race.message_builders import anne, bjorn, worker
from tests.faults.race.two_party_race import Party, Race
from tests.worlds import World


def resend_and_follow_up(world: World) -> Race:
    message = message_builders.sent(world)
    by, receipt = anne(world), world.receipt(message.id)
    return Race(
        left=lambda side: archive_staff.resend(side.line, by, message.id, reason="Igjen"),
        right=worker(world, Receipt, receipt.id),
        messages=(message.id,),
    )


def resend_and_accept_failure(world: World) -> Race:
    message = message_builders.failed(world)
    one, two = anne(world), bjorn(world)
    return Race(
        left=lambda side: archive_staff.resend(side.line, one, message.id, reason="Igjen"),
        right=lambda side: archive_staff.accept_failure(side.line, two, message.id, reason="Ringt"),
        messages=(message.id,),
    )


def _missed(world: World) -> Arrival:
    wire_id = world.send()
    world.collect()
    world.gateway.lose(wire_id)
    world.work()
    world.clock.advance(timedelta(minutes=6))
    return world.arrival(wire_id)


def refetch_and_announce(world: World) -> Race:
    arrival = _missed(world)
    by, notice = anne(world), notice_of(Job(row=arrival, now=world.clock.now))
    return Race(
        left=lambda side: archive_staff.refetch(
            side.line, by, MessageId(arrival.id), expected_version=arrival.version
        ),
        right=lambda side: announce(side.line, notice, world.clock.now),
        arrivals=(arrival.id,),
    )


def refetch_and_abandon(world: World) -> Race:
    arrival, by = _missed(world), anne(world)
    proposal = message_proposals.propose(
        world.line, by, ProposalKind.ABANDON, arrival.id, reason="Borte"
    )
    return Race(
        left=lambda side: archive_staff.refetch(
            side.line, by, MessageId(arrival.id), expected_version=arrival.version
        ),
        right=message_builders.approves(bjorn(world), proposal),
        arrivals=(arrival.id,),
    )


def two_close_a_task(world: World) -> Race:
    message = message_builders.arrived(world)
    task = new_id()
    with world.line.store.transaction() as tx:
        open_task(
            tx,
            kind=TaskKind.CONFLICTING_WORD,
            subject=message.id,
            message_id=message.id,
            task_id=task,
        )
    one, two = anne(world), bjorn(world)
    return Race(
        left=lambda side: archive_staff.close_by_hand(side.line, one, task, reason="Sett"),
        right=lambda side: archive_staff.close_by_hand(side.line, two, task, reason="Sett"),
        messages=(message.id,),
    )


def undo_and_place_when_due(world: World) -> Race:
    """The grace has passed, and a worker has the row as the person presses the key."""
    message = message_builders.placing(world)
    due = worker(world, Message, message.id)
    return Race(left=message_builders.undoes(world, message), right=due, messages=(message.id,))


def undo_in_two_tabs(world: World) -> Race:
    message = message_builders.placing(world)
    undoes = message_builders.undoes(world, message)
    return Race(left=undoes, right=undoes, messages=(message.id,))


def undo_and_offer(world: World) -> Race:
    """What anne released is offered to the case system as she takes it back."""
    message = message_builders.withdrawn(world)
    seen = message_builders.again(world, message).version
    unit.release(world.line, anne(world), message.id, expected_version=seen)
    due = worker(world, Message, message.id)
    return Race(left=message_builders.undoes(world, message), right=due, messages=(message.id,))


def two_place(world: World) -> Race:
    message = message_builders.arrived(world, "Ingen regel")
    one, two = anne(world), bjorn(world)

    def placed(by: Capacity, into: str) -> Party:
        return lambda side: archive_staff.place(
            _patient(side.line), by, message.id, unit=into, expected_version=message.version
        )

    return Race(left=placed(one, "bv"), right=placed(two, "ppt"), messages=(message.id,))


def _patient(line: Line) -> Line:
    return replace(line, terms=replace(line.terms, placing_grace=timedelta(minutes=2)))


def decline_and_approve(world: World) -> Race:
    message = message_builders.arrived(world, "Ingen regel")
    proposal = message_builders.refusal(world, message, anne(world))
    declines = message_builders.declines(bjorn(world), proposal)
    return Race(
        left=declines,
        right=message_builders.approves(bjorn(world), proposal),
        messages=(message.id,),
    )


def decline_and_take_back(world: World) -> Race:
    message = message_builders.arrived(world, "Ingen regel")
    by = anne(world)
    proposal = message_builders.refusal(world, message, by)
    return Race(
        left=message_builders.declines(bjorn(world), proposal),
        right=lambda side: message_proposals.take_back(side.line, by, proposal),
        messages=(message.id,),
    )
