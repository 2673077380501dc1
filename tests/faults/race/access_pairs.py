"""Who may meet whom over one message that waits: who gives access, holds, notes, moves it away."""

from dataclasses import replace
from datetime import timedelta

from inbox.domain import HoldCause
from inbox.line.access import grants
from inbox.line.moves import holds, notes, unit
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
        # Many races are run in one world: that is not what is unusual here.
        terms = replace(
            side.line.terms, breakglass_per_person_day=999, breakglass_per_unit_week=999
        )
        line = replace(side.line, terms=terms)
        grants.breakglass(line, handler, message.id, reason="Haster")
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
