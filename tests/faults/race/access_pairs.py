"""Who may meet whom over one message that waits: who gives access, holds, notes, moves it away."""

from dataclasses import replace
from datetime import timedelta

from inbox.domain import HoldCause
from inbox.line import Line
from inbox.line.access import grants, requests
from inbox.line.moves import conflicts, content, holds, notes, unit
from inbox.line.moves.conflicts import ConflictAbout
from inbox.tables import Message
from tests.faults.race import message_builders
from tests.faults.race.message_builders import kari, ola
from tests.faults.race.two_party_race import Party, Race, Side
from tests.worlds import World


def _grants(world: World, message: Message) -> Party:
    leader, to = kari(world, "skole"), world.person_id("ola")

    def party(side: Side) -> str:
        lasts = timedelta(days=1)
        grants.grant(side.line, leader, message.id, to=to, duration=lasts, reason="Vikar")
        return "granted"

    return party


def _hands_back(world: World, message: Message) -> Party:
    leader = kari(world, "skole")
    return lambda side: unit.hand_back(
        side.line, leader, message.id, expected_version=message.version, reason="Ikke vår"
    )


def _unalarmed(side: Side) -> Line:
    """Many races are run in one world: that is not what is unusual here."""
    terms = replace(
        side.line.terms,
        opens_per_person_hour=999,
        breakglass_per_person_day=999,
        breakglass_per_unit_week=999,
    )
    return replace(side.line, terms=terms)


def _reads(world: World, message: Message) -> Party:
    handler = ola(world, "skole")

    def party(side: Side) -> str:
        content.read(_unalarmed(side), handler, message.id)
        return "read"

    return party


def read_and_hand_back(world: World) -> Race:
    message = message_builders.offered_by_hand(world)
    return Race(
        left=_reads(world, message), right=_hands_back(world, message), messages=(message.id,)
    )


def read_and_place(world: World) -> Race:
    """What somebody has read, archive staff may not move any more."""
    message = message_builders.routed(world)
    places = message_builders.places(world, message, into="bv", seen=message.version)
    return Race(left=_reads(world, message), right=places, messages=(message.id,))


def collect_and_hand_back(world: World) -> Race:
    message = message_builders.offered_by_hand(world)
    handler = ola(world, "skole")

    def collects(side: Side) -> str:
        content.collect_by_hand(_unalarmed(side), handler, message.id)
        return "collected"

    return Race(left=collects, right=_hands_back(world, message), messages=(message.id,))


def _declares(world: World, message: Message) -> Party:
    handler = ola(world, "skole")

    def party(side: Side) -> str:
        conflicts.declare_conflict(side.line, handler, message.id, about=ConflictAbout.MESSAGE)
        return "declared"

    return party


def declare_and_hand_back(world: World) -> Race:
    message = message_builders.offered_by_hand(world)
    return Race(
        left=_declares(world, message), right=_hands_back(world, message), messages=(message.id,)
    )


def declare_and_assign(world: World) -> Race:
    """The leader gives it once more to the one who has just got a conflict of interest."""
    message = message_builders.offered_by_hand(world)
    leader, to = kari(world, "skole"), world.person_id("ola")

    def assigns(side: Side) -> str:
        unit.assign(side.line, leader, message.id, to=to)
        return "assigned"

    return Race(left=_declares(world, message), right=assigns, messages=(message.id,))


def _asked(world: World) -> tuple[Message, str]:
    """A message that lies with nobody, and the request of a handler for access to it."""
    message = message_builders.arrived(world, "Om en elev")
    asked = requests.ask_access(world.line, ola(world, "skole"), message.id, reason="Samme familie")
    return message, asked


def accept_and_decline(world: World) -> Race:
    message, asked = _asked(world)
    leader, until = kari(world, "skole"), world.clock.now + timedelta(days=7)

    def accepts(side: Side) -> str:
        requests.accept_request(side.line, leader, asked, until=until)
        return "accepted"

    def declines(side: Side) -> str:
        requests.decline_request(side.line, leader, asked)
        return "declined"

    return Race(left=accepts, right=declines, messages=(message.id,))


def accept_and_hand_back(world: World) -> Race:
    message, asked = _asked(world)
    leader, until = kari(world, "skole"), world.clock.now + timedelta(days=7)

    def accepts(side: Side) -> str:
        requests.accept_request(side.line, leader, asked, until=until)
        return "accepted"

    return Race(left=accepts, right=_hands_back(world, message), messages=(message.id,))


def ask_and_assign(world: World) -> Race:
    message = message_builders.arrived(world, "Om en elev")
    handler, leader, to = ola(world, "skole"), kari(world, "skole"), world.person_id("ola")

    def asks(side: Side) -> str:
        requests.ask_access(side.line, handler, message.id)
        return "asked"

    def assigns(side: Side) -> str:
        unit.assign(side.line, leader, message.id, to=to)
        return "assigned"

    return Race(left=asks, right=assigns, messages=(message.id,))


def grant_and_hand_back(world: World) -> Race:
    message = message_builders.arrived(world, "Om en elev")
    return Race(
        left=_grants(world, message), right=_hands_back(world, message), messages=(message.id,)
    )


def two_grants(world: World) -> Race:
    message = message_builders.arrived(world, "Om en elev")
    return Race(left=_grants(world, message), right=_grants(world, message), messages=(message.id,))


def break_glass_and_place(world: World) -> Race:
    message = message_builders.arrived(world, "Om en elev")
    handler = ola(world, "skole")

    def breaks(side: Side) -> str:
        grants.breakglass(_unalarmed(side), handler, message.id, reason="Haster")
        return "taken"

    places = message_builders.places(world, message, into="bv", seen=message.version)
    return Race(left=breaks, right=places, messages=(message.id,))


def end_and_hand_back(world: World) -> Race:
    message = message_builders.arrived(world, "Om en elev")
    leader = kari(world, "skole")
    row = grants.grant(
        world.line,
        leader,
        message.id,
        to=world.person_id("ola"),
        duration=timedelta(days=1),
        reason="Vikar",
    )
    return Race(
        left=lambda side: grants.end_access(side.line, leader, row.id),
        right=_hands_back(world, message),
        messages=(message.id,),
    )


def _holds(world: World, message: Message, cause: HoldCause) -> Party:
    leader, last = kari(world, "skole"), world.clock.now.date() + timedelta(days=3)

    def party(side: Side) -> str:
        holds.hold(side.line, leader, message.id, cause=cause, last_day=last)
        return "held"

    return party


def hold_and_hand_back(world: World) -> Race:
    message = message_builders.arrived(world, "Om en elev")
    return Race(
        left=_holds(world, message, HoldCause.SENDER_ASKED),
        right=_hands_back(world, message),
        messages=(message.id,),
    )


def two_holds(world: World) -> Race:
    message = message_builders.arrived(world, "Om en elev")
    return Race(
        left=_holds(world, message, HoldCause.SENDER_ASKED),
        right=_holds(world, message, HoldCause.PERSON_AWAY),
        messages=(message.id,),
    )


def note_and_hand_back(world: World) -> Race:
    message = message_builders.arrived(world, "Om en elev")
    leader = kari(world, "skole")

    def writes(side: Side) -> str:
        notes.write_note(side.line, leader, message.id, text="Ring avsender")
        return "written"

    return Race(left=writes, right=_hands_back(world, message), messages=(message.id,))
