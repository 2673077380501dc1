"""A message on hold: lists say why and until when, it ends by itself, and nothing stops for it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity
from inbox.days import OSLO
from inbox.domain import HoldCause, MessageState, PersonId
from inbox.errors import Conflict, Invalid, NotFound, NotPermitted
from inbox.line import people_lists
from inbox.line.moves import archive_staff, holds, unit
from inbox.line.moves.holds import end_hold, hold
from inbox.line.people_lists import ListRequest
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.store import Store
from inbox.tables import Message
from tests.line.school import School, school_on

NINA = PersonId("nina")
ASKED, AWAY = HoldCause.SENDER_ASKED, HoldCause.PERSON_AWAY


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
)
def hall(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[School]:
    """One world for all: each test has messages of its own."""
    with school_on(request, tmp_path_factory.mktemp("hall")) as made:
        yield made


@pytest.fixture
def own_hall(hall: School) -> Iterator[School]:
    """The same for a test that moves the time: it is put back."""
    now = hall.world.clock.now
    yield hall
    hall.world.clock.now = now


def today(hall: School) -> date:
    return hall.world.clock.now.astimezone(OSLO).date()


def held(
    hall: School,
    message_id: str,
    by: Capacity | None = None,
    *,
    cause: HoldCause = ASKED,
    days: int = 7,
) -> datetime:
    last = today(hall) + timedelta(days=days)
    return hold(hall.line, by or hall.kari(), message_id, cause=cause, last_day=last)


def shown(
    hall: School, message_id: str, capacity: Capacity | None = None, action: Action = Action.LIST
) -> tuple[HoldCause | None, datetime | None]:
    """What a list says of it: why it waits, and until when."""
    asked = ListRequest(capacity=capacity or hall.kari(), action=action)
    rows = {
        str(each.row.id): each.row for each in people_lists.page(hall.line, asked, at_most=500).rows
    }
    return rows[message_id].held_for, rows[message_id].held_until


def kept(hall: School, message_id: str) -> tuple[HoldCause | None, datetime | None]:
    """What the row holds."""
    with hall.line.store.reading() as tx:
        row = tx.get_one(Message, message_id)
        return row.held_for, row.held_until


def ends(hall: School, message_id: str) -> list[tuple[str, str]]:
    leaves = hall.leaves("message:hold_ended", message_id)
    return [(leaf["who"], leaf["by"]) for leaf in leaves]


# Put on hold


def test_lists_show_the_cause_and_end_of_a_hold(hall: School) -> None:
    message_id = hall.message()
    assert shown(hall, message_id) == (None, None)

    until = held(hall, message_id)

    assert shown(hall, message_id) == (ASKED, until)
    assert shown(hall, message_id, hall.anne(), Action.ROUTE) == (ASKED, until)


def test_hold_expires_when_its_last_day_has_passed_in_norwegian_time(own_hall: School) -> None:
    message_id = own_hall.message()
    own_hall.world.clock.now = datetime(2027, 3, 27, 23, 30, tzinfo=UTC)

    until = hold(
        own_hall.line, own_hall.kari(), message_id, cause=ASKED, last_day=date(2027, 3, 28)
    )

    # Not 23:00: that night the clocks go forward.
    assert until == datetime(2027, 3, 28, 22, 0, tzinfo=UTC)
    own_hall.world.clock.now = until - timedelta(microseconds=1)
    assert shown(own_hall, message_id) == (ASKED, until)
    own_hall.world.clock.now = until
    assert shown(own_hall, message_id) == (None, None)


def test_hold_audit_entry_has_cause_and_rule_and_a_commitment_to_the_end(
    hall: School,
) -> None:
    message_id = hall.message()

    held(hall, message_id)

    (leaf,) = hall.leaves("message:held", message_id)
    assert (leaf["code"], leaf["rule"], leaf["duties"]) == ("sender_asked", "A46b", "log")
    assert (leaf["who"], set(leaf["committed"])) == (hall.kari().id, {"until"})


@pytest.mark.parametrize("days", [0, 1, 60])
def test_hold_may_last_from_today_up_to_sixty_days(hall: School, days: int) -> None:
    message_id = hall.message()

    until = held(hall, message_id, days=days)

    assert until.astimezone(OSLO).date() == today(hall) + timedelta(days=days + 1)


@pytest.mark.parametrize("days", [-1, 61, 100_000])
def test_hold_with_a_past_or_too_distant_last_day_is_invalid(hall: School, days: int) -> None:
    message_id = hall.message()

    with pytest.raises(Invalid, match=r"hold\.period"):
        held(hall, message_id, days=days)

    assert kept(hall, message_id) == (None, None)


def test_hold_period_counts_days_in_norwegian_time(own_hall: School) -> None:
    message_id, kari = own_hall.message(), own_hall.kari()
    own_hall.world.clock.now = datetime(2026, 12, 1, 23, 30, tzinfo=UTC)

    with pytest.raises(Invalid, match=r"hold\.period"):
        hold(own_hall.line, kari, message_id, cause=ASKED, last_day=date(2026, 12, 1))
    hold(own_hall.line, kari, message_id, cause=ASKED, last_day=date(2027, 1, 31))


def test_new_hold_replaces_and_ends_the_current_hold(hall: School) -> None:
    message_id = hall.message()
    held(hall, message_id)

    until = held(hall, message_id, hall.lars(), cause=AWAY, days=1)

    assert shown(hall, message_id) == (AWAY, until)
    assert [leaf["code"] for leaf in hall.leaves("message:held", message_id)] == [
        "sender_asked",
        "person_away",
    ]
    assert ends(hall, message_id) == [(hall.lars().id, "hold")]


def test_new_hold_after_an_expired_hold_audits_no_end(own_hall: School) -> None:
    message_id = own_hall.message()
    held(own_hall, message_id, days=0)
    own_hall.later(days=1)

    until = held(own_hall, message_id, cause=AWAY)

    assert shown(own_hall, message_id) == (AWAY, until)
    assert ends(own_hall, message_id) == []


# Ended early


def test_end_hold_is_allowed_to_another_leader_than_the_one_who_held(hall: School) -> None:
    message_id = hall.message()
    held(hall, message_id)

    end_hold(hall.line, hall.lars(), message_id)

    assert kept(hall, message_id) == (None, None)
    assert ends(hall, message_id) == [(hall.lars().id, "hold")]


def test_end_hold_without_an_active_hold_is_a_conflict(own_hall: School) -> None:
    message_id, kari = own_hall.message(), own_hall.kari()
    with pytest.raises(Conflict, match=r"hold\.none"):
        end_hold(own_hall.line, kari, message_id)
    held(own_hall, message_id, days=0)
    own_hall.later(days=1)

    with pytest.raises(Conflict, match=r"hold\.none"):
        end_hold(own_hall.line, kari, message_id)

    assert ends(own_hall, message_id) == []


# By whom


def _strangers(hall: School, message_id: str) -> dict[str, Capacity]:
    """People who may not: who stand elsewhere, run, rule or review; and one in conflict."""
    hall.conflict("lars", message_id)
    return {
        "a colleague": hall.handler(),
        "another unit": hall.world.person("paul", Role.LEADER, "ppt", strong=False),
        "a unit above": hall.world.person("olga", Role.LEADER, "oppvekst", strong=False),
        "an archivist": hall.anne(),
        "a reviewer": hall.siv(),
        "an editor": hall.world.person("pia", Role.POLICY_EDITOR, "desk", strong=False),
        "an operator": hall.world.person("odd", Role.OPERATOR, "desk", strong=False),
        "a conflict": hall.lars(),
    }


def test_hold_and_end_hold_are_refused_to_people_without_the_right(hall: School) -> None:
    message_id = hall.message()
    until = held(hall, message_id)
    refused = {}

    for name, capacity in _strangers(hall, message_id).items():
        for move in (
            lambda by=capacity: held(hall, message_id, by, cause=AWAY),
            lambda by=capacity: end_hold(hall.line, by, message_id),
        ):
            with pytest.raises((NotFound, NotPermitted)) as told:
                move()
            refused[name] = type(told.value)

    knows = ("a colleague", "an archivist")
    assert refused == dict.fromkeys(refused, NotFound) | dict.fromkeys(knows, NotPermitted)
    assert len(refused) == 8
    assert shown(hall, message_id) == (ASKED, until)
    assert len(hall.leaves("message:held", message_id)) == 1


def test_hold_by_a_handler_is_allowed_once_the_message_is_assigned(hall: School) -> None:
    message_id = hall.message()
    with pytest.raises(NotPermitted):
        held(hall, message_id, hall.handler())
    unit.assign(hall.line, hall.kari(), message_id, to=NINA)

    held(hall, message_id, hall.handler())

    assert kept(hall, message_id)[0] is ASKED


def test_hold_is_allowed_only_in_states_that_wait_for_people(hall: School) -> None:
    may = set()

    for state in MessageState:
        for capacity in (hall.anne(), hall.kari()):
            try:
                held(hall, hall.message(state), capacity)
            except NotPermitted:
                continue
            may.add((state.value, capacity.person))

    assert may == {
        *(("QUARANTINED", "anne"), ("UNROUTED", "anne")),
        *(("ROUTED", "kari"), ("RETURNED", "anne"), ("RETURNED", "kari")),
    }


# It stops nothing, hides nothing, and ends with the message's next step


def test_lists_counts_and_facets_include_a_message_on_hold(hall: School) -> None:
    message_id, asked = hall.message(), ListRequest(capacity=hall.kari(), action=Action.LIST)
    before, facets = people_lists.count(hall.line, asked), people_lists.facets(hall.line, asked)

    held(hall, message_id)

    assert shown(hall, message_id)[0] is ASKED
    assert (people_lists.count(hall.line, asked), people_lists.facets(hall.line, asked)) == (
        before,
        facets,
    )


def _refused(hall: School, message_id: str) -> None:
    line, bjorn = hall.line, hall.world.person("bjorn", Role.ARCHIVIST, "desk")
    made = message_proposals.propose(
        line, hall.anne(), ProposalKind.REFUSE, message_id, code="not_for_us", reason="Ikke vår"
    )
    message_proposals.approve(line, bjorn, made)


STEPS: dict[str, tuple[MessageState, Callable[[School, str], None]]] = {
    "release": (
        MessageState.ROUTED,
        lambda hall, its: unit.release(
            hall.line, hall.lars(), its, expected_version=hall.seen(its)
        ),
    ),
    "hand_back": (
        MessageState.RETURNED,
        lambda hall, its: unit.hand_back(
            hall.line, hall.lars(), its, expected_version=hall.seen(its), reason="Ikke vår"
        ),
    ),
    "place": (
        MessageState.ROUTED,
        lambda hall, its: archive_staff.place(
            hall.line, hall.anne(), its, unit="ppt", expected_version=hall.seen(its)
        ),
    ),
    "recheck": (
        MessageState.QUARANTINED,
        lambda hall, its: archive_staff.recheck(
            hall.line, hall.anne(), its, expected_version=hall.seen(its)
        ),
    ),
    "refuse": (MessageState.RETURNED, _refused),
}


@pytest.mark.parametrize("step", STEPS)
def test_move_is_not_blocked_by_a_hold_and_ends_the_hold(hall: School, step: str) -> None:
    state, move = STEPS[step]
    unit_of = None if state is MessageState.QUARANTINED else "skole"
    message_id = hall.message(state, unit=unit_of)
    held(hall, message_id, hall.anne() if unit_of is None else hall.kari())

    move(hall, message_id)

    assert kept(hall, message_id) == (None, None)
    ((_, by),) = ends(hall, message_id)
    assert by == {"refuse": "refuse"}.get(step, step)


def test_move_after_an_expired_hold_audits_no_end_of_the_hold(own_hall: School) -> None:
    message_id = own_hall.message()
    held(own_hall, message_id, days=0)
    own_hall.later(days=1)

    unit.release(
        own_hall.line, own_hall.kari(), message_id, expected_version=own_hall.seen(message_id)
    )

    assert kept(own_hall, message_id) == (None, None)
    assert ends(own_hall, message_id) == []


def test_taking_a_message_keeps_its_hold(hall: School) -> None:
    message_id = hall.message()
    until = held(hall, message_id)

    unit.take(hall.line, hall.handler(), message_id)

    assert shown(hall, message_id) == (ASKED, until)


def test_hold_is_not_stored_when_its_audit_entry_fails(hall: School) -> None:
    message_id = hall.message()
    stored = hall.line.store
    unsealed = Store(stored.engine, seal=_fails, clock=stored.clock)
    silent = replace(hall.line, store=unsealed)

    with pytest.raises(OSError, match="no audit"):
        holds.hold(silent, hall.kari(), message_id, cause=ASKED, last_day=date(2026, 11, 30))

    assert kept(hall, message_id) == (None, None)


def _fails(*_: object) -> None:
    raise OSError("no audit")
