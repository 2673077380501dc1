"""Who may meet whom at receipts, arrivals and tasks: what archive staff see to."""

from datetime import timedelta

from inbox.domain import MessageId, new_id
from inbox.line import Job
from inbox.line.intake import announce
from inbox.line.moves import archive_staff
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.line.settle import open_task
from inbox.line.stations.arrival import notice_of
from inbox.line.task_kinds import TaskKind
from inbox.tables import Arrival, Receipt
from tests.faults.race import message_builders
from tests.faults.race.message_builders import anne, bjorn, worker
from tests.faults.race.two_party_race import Race
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
