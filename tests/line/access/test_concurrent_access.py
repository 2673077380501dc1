"""Two at once: whoever comes first, access is as if one had come after the other."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Final

import pytest
from sqlmodel import col, select

from inbox.domain import HoldCause, PersonId, UnitId
from inbox.line.access.grants import breakglass, delegate, end_access, grant
from inbox.line.access.review import ReviewOutcome, review
from inbox.line.moves import archive_staff, content, unit
from inbox.line.moves.holds import hold
from inbox.line.moves.notes import write_note
from inbox.tables import AccessGrant, Delegation, Message, Note, Task
from tests.faults.race.two_party_race import Moment, Party, Side, run_with_first_held, two_sides
from tests.line.school import School, school

NINA, OLA, LARS = map(PersonId, ("nina", "ola", "lars"))
REASON = "Haster"
WON: Final = "None"


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """Two parties, and what must hold of what they were told, whichever was first."""

    left: Party
    right: Party
    holds: Callable[[tuple[str, str]], bool]


def _done(move: Callable[[Side], object]) -> Party:
    def party(side: Side) -> None:
        move(side)

    return party


def _standing(hall: School, message_id: str) -> int:
    """How many grants of the message count now, wherever it is."""
    with hall.line.store.reading() as tx:
        message = tx.get_one(Message, message_id)
        rows = tx.exec(
            select(AccessGrant).where(
                col(AccessGrant.message_id) == message_id, col(AccessGrant.active_until) > tx.now
            )
        ).all()
        assert all(row.unit == message.unit for row in rows), "it outlived the unit"
        return len(rows)


def two_grants(hall: School) -> Meeting:
    message_id = hall.message()

    def grants(side: Side) -> None:
        grant(
            side.line, leaders[side.name], message_id, to=NINA, duration=timedelta(7), reason=REASON
        )

    leaders = {"left": hall.kari(), "right": hall.lars()}
    return Meeting(
        left=grants,
        right=grants,
        holds=lambda told: (
            sorted(told) == ["Conflict access.stands", WON] and _standing(hall, message_id) == 1
        ),
    )


def grant_and_place(hall: School) -> Meeting:
    message_id, leader, anne = hall.message(), hall.kari(), hall.anne()
    seen = hall.seen(message_id)
    return Meeting(
        left=_done(
            lambda side: grant(
                side.line, leader, message_id, to=NINA, duration=timedelta(7), reason=REASON
            )
        ),
        right=lambda side: archive_staff.place(
            side.line, anne, message_id, unit="ppt", expected_version=seen
        ),
        holds=lambda told: (
            told[0] in {WON, "NotFound not_found"}
            and told[1] == WON
            and _standing(hall, message_id) == 0
        ),
    )


def breakglass_and_place(hall: School) -> Meeting:
    message_id, nina, anne = hall.message(), hall.handler(), hall.anne()
    seen = hall.seen(message_id)
    return Meeting(
        left=_done(lambda side: breakglass(side.line, nina, message_id, reason=REASON)),
        right=lambda side: archive_staff.place(
            side.line, anne, message_id, unit="ppt", expected_version=seen
        ),
        holds=lambda told: (
            told[0] in {WON, "NotFound not_found"}
            and told[1] == WON
            and _standing(hall, message_id) == 0
        ),
    )


def two_end_it(hall: School) -> Meeting:
    message_id = hall.message()
    row = grant(hall.line, hall.kari(), message_id, to=NINA, duration=timedelta(7), reason=REASON)
    leaders = {"left": hall.kari(), "right": hall.lars()}

    def ends(side: Side) -> None:
        end_access(side.line, leaders[side.name], row.id)

    return Meeting(
        left=ends,
        right=ends,
        holds=lambda told: (
            sorted(told) == ["Conflict access.over", WON]
            and len(hall.leaves("access:ended", row.id)) == 1
        ),
    )


def end_and_open(hall: School) -> Meeting:
    message_id, nina, leader = hall.offered(), hall.handler(), hall.kari()
    row = grant(hall.line, leader, message_id, to=NINA, duration=timedelta(7), reason=REASON)
    unit.assign(hall.line, leader, message_id, to=OLA)
    return Meeting(
        left=lambda side: end_access(side.line, leader, row.id),
        right=_done(lambda side: content.read(side.line, nina, message_id)),
        holds=lambda told: (
            told[0] == WON
            and told[1] in {WON, "NotFound not_found"}
            and len(hall.leaves("message:read", message_id)) == (told[1] == WON)
        ),
    )


def two_reviews(hall: School) -> Meeting:
    row = breakglass(hall.line, hall.handler(), hall.message(), reason=REASON)
    outcomes = {"left": ReviewOutcome.UPHELD, "right": ReviewOutcome.MISUSED}
    siv = hall.siv()

    def reviews(side: Side) -> None:
        review(side.line, siv, row.id, outcome=outcomes[side.name], reason=REASON)

    def holds(told: tuple[str, str]) -> bool:
        said = outcomes["left" if told[0] == WON else "right"]
        return (
            sorted(told) == ["Conflict access.reviewed", WON]
            and hall.row(row.id).review == said.value
            and len(hall.leaves("access:reviewed", row.id)) == 1
        )

    return Meeting(left=reviews, right=reviews, holds=holds)


def two_delegations(hall: School) -> Meeting:
    hall.later(days=8)
    until = hall.world.clock.now + timedelta(7)
    leaders = {"left": hall.kari(), "right": hall.lars()}

    def delegates(side: Side) -> None:
        delegate(
            side.line,
            leaders[side.name],
            unit=UnitId("skole"),
            absent=OLA,
            substitute=NINA,
            until=until,
        )

    def holds(told: tuple[str, str]) -> bool:
        with hall.line.store.reading() as tx:
            rows = tx.exec(select(Delegation).where(col(Delegation.active_until) == until))
            return sorted(told) == ["Conflict access.stands", WON] and len(rows.all()) == 1

    return Meeting(left=delegates, right=delegates, holds=holds)


def two_unusual_openings(hall: School) -> Meeting:
    """Two messages, one person, one more than the terms say: told once, whoever is first."""
    hall.later(days=2)
    nina = hall.handler()
    messages = {"left": hall.offered(), "right": hall.offered()}
    for message_id in messages.values():
        unit.take(hall.line, nina, message_id)

    def opens(side: Side) -> None:
        line = replace(side.line, terms=replace(side.line.terms, opens_per_person_hour=1))
        content.read(line, nina, messages[side.name])

    def holds(told: tuple[str, str]) -> bool:
        return told == (WON, WON) and _alarms(hall, "unusual.opens") == 1

    return Meeting(left=opens, right=opens, holds=holds)


def two_unusual_emergencies(hall: School) -> Meeting:
    """Two people, two messages of one unit, one more than the terms say: told once."""
    hall.later(days=8)
    who = {"left": hall.handler(), "right": hall.handler("ola")}
    messages = {"left": hall.message(), "right": hall.message()}

    def breaks(side: Side) -> None:
        line = replace(side.line, terms=replace(side.line.terms, breakglass_per_unit_week=1))
        breakglass(line, who[side.name], messages[side.name], reason=REASON)

    def holds(told: tuple[str, str]) -> bool:
        return told == (WON, WON) and _alarms(hall, "unusual.breakglass_unit") == 1

    return Meeting(left=breaks, right=breaks, holds=holds)


def _alarms(hall: School, code: str) -> int:
    """How many were opened just now."""
    with hall.line.store.reading() as tx:
        alarms = select(Task).where(col(Task.code) == code, col(Task.opened_at) == tx.now)
        return len(tx.exec(alarms).all())


def _kept(hall: School, message_id: str) -> tuple[HoldCause | None, int]:
    """Why it waits, and how many holds have been begun and not ended."""
    with hall.line.store.reading() as tx:
        cause = tx.get_one(Message, message_id).held_for
    begun, ended = (
        hall.leaves(event, message_id) for event in ("message:held", "message:hold_ended")
    )
    return cause, len(begun) - len(ended)


def two_hold_it(hall: School) -> Meeting:
    message_id, last = hall.message(), hall.world.clock.now.date() + timedelta(days=3)
    leaders = {"left": hall.kari(), "right": hall.lars()}
    causes = {"left": HoldCause.SENDER_ASKED, "right": HoldCause.PERSON_AWAY}

    def holds_it(side: Side) -> None:
        hold(side.line, leaders[side.name], message_id, cause=causes[side.name], last_day=last)

    def holds(told: tuple[str, str]) -> bool:
        cause, standing = _kept(hall, message_id)
        return told == (WON, WON) and cause is not None and standing == 1

    return Meeting(left=holds_it, right=holds_it, holds=holds)


def hold_and_place(hall: School) -> Meeting:
    message_id, leader, anne = hall.message(), hall.kari(), hall.anne()
    seen, last = hall.seen(message_id), hall.world.clock.now.date() + timedelta(days=3)
    cause = HoldCause.SENDER_ASKED
    return Meeting(
        left=_done(lambda side: hold(side.line, leader, message_id, cause=cause, last_day=last)),
        right=lambda side: archive_staff.place(
            side.line, anne, message_id, unit="ppt", expected_version=seen
        ),
        holds=lambda told: (
            told[0] in {WON, "NotFound not_found"}
            and told[1] == WON
            and _kept(hall, message_id) == (None, 0)
        ),
    )


def two_notes(hall: School) -> Meeting:
    message_id, leaders = hall.message(), {"left": hall.kari(), "right": hall.lars()}

    def writes(side: Side) -> None:
        write_note(side.line, leaders[side.name], message_id, text="Ring avsender")

    def holds(told: tuple[str, str]) -> bool:
        with hall.line.store.reading() as tx:
            rows = tx.exec(select(Note).where(col(Note.message_id) == message_id))
            return told == (WON, WON) and sorted(row.number for row in rows) == [1, 2]

    return Meeting(left=writes, right=writes, holds=holds)


MEETINGS: Final[Mapping[str, Callable[[School], Meeting]]] = {
    "grant, grant": two_grants,
    "grant, place": grant_and_place,
    "break glass, place": breakglass_and_place,
    "end, end": two_end_it,
    "end, open": end_and_open,
    "review, review": two_reviews,
    "delegate, delegate": two_delegations,
    "open, open": two_unusual_openings,
    "break glass, break glass": two_unusual_emergencies,
    "hold, hold": two_hold_it,
    "hold, place": hold_and_place,
    "note, note": two_notes,
}


@pytest.fixture
def hall(database: str, tmp_path: Path) -> Iterator[School]:
    with school(database, tmp_path) as made:
        terms = replace(
            made.line.terms, breakglass_per_person_day=999, breakglass_per_unit_week=999
        )
        made.world.line = replace(made.line, terms=terms)
        yield made


def _faults(hall: School, database: str, moments: tuple[Moment, ...]) -> list[str]:
    found = []
    with two_sides(hall.world, database) as (left, right):
        for (name, meet), moment, swapped in product(MEETINGS.items(), moments, (False, True)):
            meeting = meet(hall)
            one, other = (meeting.left, left), (meeting.right, right)
            if swapped:
                *told, _ = run_with_first_held(hall.world, other, one, moment)
                told = told[::-1]
            else:
                *told, _ = run_with_first_held(hall.world, one, other, moment)
            if not meeting.holds((told[0], told[1])):
                found.append(f"{name}, {moment}, swapped {swapped}: {told}")
    return found


@pytest.mark.parametrize(
    "database", [pytest.param("sqlite", marks=pytest.mark.long), "postgresql"], indirect=True
)
def test_two_concurrent_moves_meeting_at_the_commit_leave_access_as_if_run_in_turn(
    hall: School, database: str
) -> None:
    assert _faults(hall, database, (Moment.SEALS,)) == []


@pytest.mark.long
def test_two_concurrent_moves_meeting_at_any_moment_leave_access_as_if_run_in_turn(
    hall: School, database: str
) -> None:
    assert _faults(hall, database, tuple(Moment)) == []
