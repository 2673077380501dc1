"""Access for a time: given, taken, delegated, ended, reviewed; by calling the moves themselves."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.app import create_app
from inbox.directory import issue_code
from inbox.domain import MessageState, PersonId, UnitId
from inbox.errors import Conflict, Invalid, NotFound, NotPermitted
from inbox.line.access import open_access
from inbox.line.access.grants import breakglass, delegate, end_access, grant
from inbox.line.access.review import ReviewOutcome, review
from inbox.line.moves import archive_staff, content, unit
from inbox.line.queue import unwrap_stored_key
from inbox.line.settle import Step, settle
from inbox.tables import (
    AccessGrant,
    Assignment,
    AuditEntry,
    CapacityRow,
    Delegation,
    Message,
    Task,
    WrappedKey,
)
from tests.access.town import strongly
from tests.line.school import School, people, school_on

NINA, OLA, LARS, KARI, PER = map(PersonId, ("nina", "ola", "lars", "kari", "per"))
SKOLE = UnitId("skole")
WEEK = timedelta(days=7)
REASON = "Hun kjenner familien fra før"


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
)
def hall(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[School]:
    """One world for all: each test has messages of its own."""
    with school_on(request, tmp_path_factory.mktemp("hall")) as made:
        terms = replace(
            made.world.line.terms, breakglass_per_person_day=999, breakglass_per_unit_week=999
        )
        made.world.line = replace(made.world.line, terms=terms)
        yield made


def given(hall: School, message_id: str, to: PersonId = NINA) -> AccessGrant:
    return grant(hall.line, hall.kari(), message_id, to=to, duration=WEEK, reason=REASON)


def opens(hall: School, capacity: Capacity, message_id: str, reason: str = "") -> bool:
    try:
        content.read(hall.line, capacity, message_id, reason=reason)
    except (NotFound, NotPermitted):
        return False
    return True


def unsealed(hall: School, row: AccessGrant, column: str) -> str:
    with hall.line.store.reading() as tx:
        key = unwrap_stored_key(hall.line, tx.get_one(WrappedKey, row.message_id))
    assert key is not None
    sealed = getattr(row, column)
    return key.unseal(sealed, table="access_grant", column=column, row=row.id).decode()


# Given by a leader


def test_a_grant_opens_one_message_to_one_person_until_it_ends(hall: School) -> None:
    message_id, other = hall.offered(), hall.offered()
    assert not opens(hall, hall.handler(), message_id)

    row = given(hall, message_id)

    assert opens(hall, hall.handler(), message_id)
    assert not opens(hall, hall.handler(), other)
    assert not opens(hall, hall.handler("lars"), message_id)
    assert hall.tasks(row.id) == {("granted", "handler", "skole")}
    end_access(hall.line, hall.kari(), row.id)
    assert not opens(hall, hall.handler(), message_id)
    assert hall.tasks(row.id) == set()


def test_a_grant_leaves_its_reason_sealed_and_its_rule_in_the_audit(hall: School) -> None:
    row = given(hall, hall.message())

    (leaf,) = hall.leaves("access:granted", row.id)

    assert unsealed(hall, hall.row(row.id), "sealed_reason") == REASON
    assert (leaf["rule"], leaf["duties"], leaf["who"]) == ("A18", "notify", hall.kari().id)
    with hall.line.store.reading() as tx:
        assert leaf["policy"] == hall.line.policies.current(tx).digest
    assert set(leaf["committed"]) == {"person", "reason", "until"}
    assert not [word for word in ("nina", "familien") if word in json.dumps(leaf)]


@pytest.mark.parametrize("days", [0.9, 90.1, -1])
def test_grant_period_must_be_between_one_and_ninety_days(hall: School, days: float) -> None:
    lasts = timedelta(days=days)

    with pytest.raises(Invalid, match=r"access\.period"):
        grant(hall.line, hall.kari(), hall.message(), to=NINA, duration=lasts, reason=REASON)


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 1001])
def test_grant_and_breakglass_require_a_reason_of_at_most_1000_characters(
    hall: School, reason: str
) -> None:
    message_id = hall.message()

    with pytest.raises(Invalid, match=r"access\.reason"):
        grant(hall.line, hall.kari(), message_id, to=NINA, duration=WEEK, reason=reason)
    with pytest.raises(Invalid, match=r"access\.reason"):
        breakglass(hall.line, hall.handler(), message_id, reason=reason)


def test_grant_to_a_handler_of_another_unit_opens_a_task_in_that_unit(hall: School) -> None:
    message_id = hall.offered()

    row = given(hall, message_id, PER)

    assert opens(hall, hall.handler("per", "ppt"), message_id)
    assert hall.tasks(row.id) == {("granted", "handler", "ppt")}


@pytest.mark.parametrize("to", ["pia", "odd", "nobody"])
def test_grant_to_a_person_without_a_handler_role_is_invalid(hall: School, to: str) -> None:
    with pytest.raises(Invalid, match=r"access\.no_handler"):
        given(hall, hall.message(), PersonId(to))


def test_second_grant_of_the_same_access_is_a_conflict(hall: School) -> None:
    message_id = hall.message()
    given(hall, message_id)

    with pytest.raises(Conflict, match=r"access\.stands"):
        given(hall, message_id)


def test_grant_closes_exactly_at_its_end_by_the_clock_of_the_store(hall: School) -> None:
    message_id = hall.offered()
    row = given(hall, message_id)
    now = hall.world.clock.now
    try:
        hall.world.clock.now = row.active_until - timedelta(microseconds=1)
        assert opens(hall, hall.handler(), message_id)
        hall.world.clock.now = row.active_until
        assert not opens(hall, hall.handler(), message_id)
    finally:
        hall.world.clock.now = now


# Nobody to themselves, and nothing by those who run and rule


def test_assign_grant_and_delegate_to_oneself_are_denied(hall: School) -> None:
    message_id, lars = hall.message(), hall.lars()

    for move in (
        lambda: unit.assign(hall.line, lars, message_id, to=LARS),
        lambda: grant(hall.line, lars, message_id, to=LARS, duration=WEEK, reason=REASON),
    ):
        with pytest.raises(NotPermitted, match="D05"):
            move()
    with pytest.raises(NotPermitted, match="D05b"):
        stands_in(hall, lars, absent=NINA, substitute=LARS)
    unit.assign(hall.line, hall.kari(), message_id, to=LARS)
    given(hall, message_id, LARS)


@pytest.mark.parametrize(
    ("person", "role", "place"),
    [each for each in people() if each[1] not in {"leader", "handler"}]
    + [("anne", "archivist", "desk")],
)
def test_operator_editor_reviewer_and_archivist_cannot_give_take_or_open_access(
    hall: School, person: str, role: str, place: str
) -> None:
    message_id = hall.offered()
    strong = strongly(hall.world.person(person, Role(role), place, strong=False))
    given(hall, message_id)
    before = hall.count(AccessGrant), hall.count(Delegation), hall.count(Assignment)

    for move in (
        lambda: grant(hall.line, strong, message_id, to=OLA, duration=WEEK, reason=REASON),
        lambda: unit.assign(hall.line, strong, message_id, to=OLA),
        lambda: breakglass(hall.line, strong, message_id, reason=REASON),
        lambda: stands_in(hall, strong),
        lambda: content.read(hall.line, strong, message_id, reason=REASON),
    ):
        with pytest.raises((NotFound, NotPermitted)):
            move()

    assert (hall.count(AccessGrant), hall.count(Delegation), hall.count(Assignment)) == before


def test_conflict_of_interest_refuses_a_new_grant_and_closes_an_existing_grant(
    hall: School,
) -> None:
    message_id, later = hall.offered(), hall.offered()
    given(hall, later)

    hall.conflict("nina", message_id)
    hall.conflict("nina", later)

    with pytest.raises(NotPermitted, match="D05"):
        given(hall, message_id)
    assert not opens(hall, hall.handler(), later)


def test_grant_is_denied_to_a_person_without_the_required_clearance(hall: School) -> None:
    message_id = hall.offered(shielding="13")

    with pytest.raises(NotPermitted):
        given(hall, message_id, LARS)
    given(hall, message_id, NINA)

    assert opens(hall, hall.handler(), message_id)


# Taken in an emergency


def test_emergency_access_lifts_a_missing_clearance_for_an_hour(hall: School) -> None:
    message_id = hall.offered(shielding="13")
    lars = hall.handler("lars")
    assert not opens(hall, lars, message_id)

    row = breakglass(hall.line, lars, message_id, reason=REASON)

    assert row.active_until - row.active_from == timedelta(minutes=60)
    assert opens(hall, lars, message_id)
    assert hall.tasks(row.id) == {
        ("emergency", "leader", "skole"),
        ("review", "security_reviewer", None),
    }
    assert unsealed(hall, hall.row(row.id), "sealed_reason") == REASON
    (leaf,) = hall.leaves("access:taken", row.id)
    assert (leaf["rule"], leaf["duties"]) == ("A20", "notify review")
    hall.later(minutes=60)
    assert not opens(hall, lars, message_id)


def test_breakglass_is_allowed_from_the_unit_above_and_denied_from_another_unit(
    hall: School,
) -> None:
    message_id = hall.message()

    with pytest.raises(NotFound):
        breakglass(hall.line, hall.handler("per", "ppt"), message_id, reason=REASON)
    olga = strongly(hall.world.person("olga", Role.LEADER, "oppvekst", strong=False))
    row = breakglass(hall.line, olga, message_id, reason=REASON)

    assert ("emergency", "leader", "skole") in hall.tasks(row.id)


def test_breakglass_and_opening_under_breakglass_require_strong_sign_in(hall: School) -> None:
    message_id, lars = hall.offered(shielding="13"), hall.handler("lars")
    weak = replace(lars, strong_auth=False)

    with pytest.raises(NotFound):
        breakglass(hall.line, weak, message_id, reason=REASON)
    breakglass(hall.line, lars, message_id, reason=REASON)

    assert not opens(hall, weak, message_id)


def test_emergency_access_never_lifts_a_conflict_of_interest(hall: School) -> None:
    before, after, lars = hall.offered(), hall.offered(), hall.handler("lars")
    breakglass(hall.line, lars, after, reason=REASON)
    assert opens(hall, lars, after)

    hall.conflict("lars", before)
    hall.conflict("lars", after)

    with pytest.raises(NotFound):
        breakglass(hall.line, lars, before, reason=REASON)
    assert not opens(hall, lars, after)


def test_emergency_access_never_lifts_a_quarantine(hall: School) -> None:
    before, after, lars = hall.offered(), hall.offered(), hall.handler("lars")
    breakglass(hall.line, lars, after, reason=REASON)

    hall.state(before, MessageState.QUARANTINED)
    hall.state(after, MessageState.QUARANTINED)

    with pytest.raises((NotFound, NotPermitted)):
        breakglass(hall.line, lars, before, reason=REASON)
    assert not opens(hall, lars, after)


# Standing in


def stands_in(
    hall: School,
    capacity: Capacity | None = None,
    *,
    absent: PersonId = OLA,
    substitute: PersonId = NINA,
    days: float = 3,
    after: float | None = None,
) -> Delegation:
    now = hall.world.clock.now
    since = None if after is None else now + timedelta(days=after)
    until = (since or now) + timedelta(days=days)
    leader = capacity or hall.kari()
    return delegate(
        hall.line,
        leader,
        unit=SKOLE,
        absent=absent,
        substitute=substitute,
        since=since,
        until=until,
    )


def test_substitute_opens_messages_assigned_to_the_absent_colleague_with_a_reason(
    hall: School,
) -> None:
    message_id, unassigned = hall.offered(), hall.offered()
    unit.assign(hall.line, hall.kari(), message_id, to=OLA)
    assert not opens(hall, hall.handler(), message_id, REASON)

    row = stands_in(hall)

    assert not opens(hall, hall.handler(), message_id)
    assert opens(hall, hall.handler(), message_id, REASON)
    assert not opens(hall, hall.handler(), unassigned, REASON)
    (read,) = hall.leaves("message:read", message_id)
    assert (read["rule"], read["duties"], set(read["committed"])) == (
        *("A10", "log reason"),
        {"reason"},
    )
    end_access(hall.line, hall.kari(), row.id)
    assert not opens(hall, hall.handler(), message_id, REASON)


def test_delegation_opens_messages_from_its_start_until_its_end(hall: School) -> None:
    message_id = hall.offered()
    unit.assign(hall.line, hall.kari(), message_id, to=OLA)
    row = stands_in(hall, substitute=LARS, after=1, days=1)
    tick, now = timedelta(microseconds=1), hall.world.clock.now
    expected = {
        row.active_from - tick: False,
        row.active_from: True,
        row.active_until - tick: True,
        row.active_until: False,
    }
    opened = {}
    try:
        for moment in expected:
            hall.world.clock.now = moment
            opened[moment] = opens(hall, hall.handler("lars"), message_id, REASON)
    finally:
        hall.world.clock.now = now

    assert opened == expected


@pytest.mark.parametrize("days", [0, -1, 90.1])
def test_delegation_period_must_be_positive_and_at_most_ninety_days(
    hall: School, days: float
) -> None:
    with pytest.raises(Invalid, match=r"access\.period"):
        stands_in(hall, days=days)


def test_delegation_with_a_past_start_begins_now(hall: School) -> None:
    row = stands_in(hall, absent=LARS, substitute=OLA, after=-2, days=3)

    assert row.active_from == hall.world.clock.now


def test_delegate_requires_two_different_handlers_of_the_leaders_unit(hall: School) -> None:
    paul = hall.world.person("paul", Role.LEADER, "ppt", strong=False)
    with pytest.raises(NotFound):
        stands_in(hall, paul)
    with pytest.raises(NotPermitted):
        stands_in(hall, substitute=PER)
    with pytest.raises(Invalid, match=r"access\.no_handler"):
        stands_in(hall, absent=PER)
    with pytest.raises(Invalid, match=r"access\.same_person"):
        stands_in(hall, absent=NINA)


def test_second_delegation_of_the_same_pair_is_a_conflict_until_the_first_ends(
    hall: School,
) -> None:
    row = stands_in(hall, absent=NINA, substitute=OLA)

    with pytest.raises(Conflict, match=r"access\.stands"):
        stands_in(hall, absent=NINA, substitute=OLA, after=2)
    end_access(hall.line, hall.kari(), row.id)
    again = stands_in(hall, absent=NINA, substitute=OLA, after=1)
    end_access(hall.line, hall.kari(), again.id)

    with hall.line.store.reading() as tx:
        ended = tx.get_one(Delegation, again.id)
    assert ended.active_from == ended.active_until


# Ended


def test_end_access_ends_an_assignment_and_closes_its_task(hall: School) -> None:
    message_id = hall.offered()
    unit.assign(hall.line, hall.kari(), message_id, to=NINA)
    assert opens(hall, hall.handler(), message_id)
    (assigned,) = [
        each
        for each in open_access.open_access_in_unit(hall.line, hall.kari())
        if each.message_id == message_id
    ]

    end_access(hall.line, hall.kari(), assigned.id, reason=REASON)

    assert not opens(hall, hall.handler(), message_id)
    assert hall.tasks(message_id) == set()
    (leaf,) = hall.leaves("access:ended", assigned.id)
    assert (leaf["rule"], leaf["message"], leaf["duties"]) == ("A38", message_id, "log")


def test_end_access_is_a_conflict_when_ended_and_not_found_in_another_unit(hall: School) -> None:
    row = given(hall, hall.message())
    paul = hall.world.person("paul", Role.LEADER, "ppt", strong=False)

    for who, access_id in ((paul, row.id), (hall.kari(), "nothing"), (paul, "nothing")):
        with pytest.raises(NotFound) as told:
            end_access(hall.line, who, access_id)
        assert (told.value.code, told.value.reason) == ("not_found", "")
    end_access(hall.line, hall.kari(), row.id)

    with pytest.raises(Conflict, match=r"access\.over"):
        end_access(hall.line, hall.kari(), row.id)


@pytest.mark.parametrize("how", ["hand_back", "place"])
def test_hand_back_and_place_end_all_access_to_the_message_in_the_old_unit(
    hall: School, how: str
) -> None:
    message_id, other = hall.message(), hall.message()
    rows = [
        given(hall, message_id),
        breakglass(hall.line, hall.handler("lars"), message_id, reason=REASON),
    ]
    unit.assign(hall.line, hall.kari(), message_id, to=OLA)
    left = given(hall, other)
    hall.later(minutes=1)
    moved_at = hall.world.clock.now

    if how == "hand_back":
        unit.hand_back(
            hall.line,
            hall.kari(),
            message_id,
            expected_version=hall.seen(message_id),
            reason=REASON,
        )
    else:
        archive_staff.place(
            hall.line, hall.anne(), message_id, unit="ppt", expected_version=hall.seen(message_id)
        )

    assert [hall.row(row.id).active_until for row in rows] == [moved_at, moved_at]
    assert hall.row(left.id).active_until == left.active_until
    assert [len(hall.leaves("access:ended", row.id)) for row in rows] == [1, 1]
    assert hall.tasks(rows[0].id) == set()
    assert {kind for kind, _, _ in hall.tasks(rows[1].id)} == {"emergency", "review"}
    with hall.line.store.reading() as tx:
        assigned = tx.exec(
            select(Assignment.active_until).where(col(Assignment.message_id) == message_id)
        )
        assert list(assigned) == [moved_at]


def test_access_ended_by_a_move_does_not_revive_when_the_message_returns(
    hall: School,
) -> None:
    message_id = hall.message()
    row = given(hall, message_id)
    archive_staff.place(
        hall.line, hall.anne(), message_id, unit="ppt", expected_version=hall.seen(message_id)
    )

    archive_staff.place(
        hall.line, hall.anne(), message_id, unit="skole", expected_version=hall.seen(message_id)
    )

    assert row.id not in {
        each.id for each in open_access.open_access_in_unit(hall.line, hall.kari())
    }
    given(hall, message_id)


@pytest.mark.parametrize(
    ("was", "by", "became", "values", "ends"),
    [
        (MessageState.OPENED, "route", MessageState.ROUTED, {"unit": "ppt"}, True),
        (MessageState.RELEASED, "offer", MessageState.UNROUTED, {"unit": None}, True),
        (MessageState.RELEASED, "withdraw", MessageState.ROUTED, {}, False),
    ],
)
def test_settle_ends_access_only_when_the_message_changes_unit(
    hall: School,
    was: MessageState,
    by: str,
    became: MessageState,
    values: dict[str, str | None],
    ends: bool,  # noqa: FBT001 - a column of the table
) -> None:
    message_id = hall.message()
    row = given(hall, message_id)
    hall.state(message_id, was)

    with hall.line.store.transaction() as tx:
        message = tx.get_one(Message, message_id)
        settle(tx, Step(row=message, became=became, by=by, values=values))

    assert (hall.row(row.id).active_until == tx.now) is ends


# Reviewed


def test_review_is_stored_and_closes_its_task_and_a_second_review_is_a_conflict(
    hall: School,
) -> None:
    message_id, lars = hall.offered(), hall.handler("lars")
    row = breakglass(hall.line, lars, message_id, reason=REASON)

    review(hall.line, hall.siv(), row.id, outcome=ReviewOutcome.UPHELD, reason="Barnet var i fare")

    reviewed = hall.row(row.id)
    assert (reviewed.review, reviewed.reviewed_by) == ("upheld", "siv")
    assert unsealed(hall, reviewed, "sealed_review") == "Barnet var i fare"
    assert hall.tasks(row.id) == {("emergency", "leader", "skole")}
    (leaf,) = hall.leaves("access:reviewed", row.id)
    assert (leaf["rule"], leaf["code"], leaf["duties"]) == ("A22", "upheld", "log")
    assert "fare" not in json.dumps(leaf)
    assert not opens(hall, lars, message_id)
    with pytest.raises(Conflict, match=r"access\.reviewed"):
        review(hall.line, hall.siv(), row.id, outcome=ReviewOutcome.MISUSED, reason=REASON)


def test_review_by_an_involved_person_or_without_strong_sign_in_is_not_found(hall: School) -> None:
    message_id = hall.message()
    row = breakglass(hall.line, hall.handler("nina"), message_id, reason=REASON)
    mine = breakglass(hall.line, hall.handler("lars"), hall.message(), reason=REASON)

    for who, access_id in (("lars", row.id), ("lars", mine.id), ("siv", "nothing")):
        with pytest.raises(NotFound):
            review(hall.line, hall.siv(who), access_id, outcome=ReviewOutcome.UPHELD, reason=REASON)
    with pytest.raises(NotFound):
        review(
            hall.line,
            replace(hall.siv(), strong_auth=False),
            row.id,
            outcome=ReviewOutcome.UPHELD,
            reason=REASON,
        )

    assert hall.row(row.id).reviewed_at is None


def test_review_as_misused_ends_the_grant_and_review_as_upheld_keeps_the_grant(
    hall: School,
) -> None:
    misused, upheld = hall.offered(), hall.offered()
    rows = given(hall, misused), given(hall, upheld)

    review(hall.line, hall.siv(), rows[0].id, outcome=ReviewOutcome.MISUSED, reason=REASON)
    review(hall.line, hall.siv(), rows[1].id, outcome=ReviewOutcome.UPHELD, reason=REASON)

    assert not opens(hall, hall.handler(), misused)
    assert opens(hall, hall.handler(), upheld)
    assert hall.leaves("access:reviewed", rows[0].id)[0]["rule"] == "A22b"


def test_review_after_erasure_keeps_only_a_commitment_to_its_reason(hall: School) -> None:
    row = breakglass(hall.line, hall.handler(), hall.message(), reason=REASON)
    with hall.line.store.transaction() as tx:
        key = tx.get_one(WrappedKey, row.message_id)
        key.kek_id, key.wrapped, key.destroyed_at = None, None, tx.now
        tx.get_one(Message, row.message_id).erased_at = tx.now

    review(hall.line, hall.siv(), row.id, outcome=ReviewOutcome.UNCLEAR, reason=REASON)

    assert hall.row(row.id).sealed_review is None
    assert "reason" in hall.leaves("access:reviewed", row.id)[0]["committed"]


# Looked at


def test_open_access_of_unit_lists_only_access_in_the_leaders_own_unit(hall: School) -> None:
    mine, elsewhere = hall.message(), hall.message(unit="bv")
    unit.assign(hall.line, hall.kari(), mine, to=OLA)
    rows = {
        given(hall, mine).id: "grant",
        breakglass(hall.line, hall.handler("lars"), mine, reason=REASON).id: "emergency",
    }
    bv = hall.world.person("kari", Role.LEADER, "bv", strong=False)
    grant(hall.line, bv, elsewhere, to=OLA, duration=WEEK, reason=REASON)

    seen = open_access.open_access_in_unit(hall.line, hall.kari())

    kinds = {each.id: each.kind for each in seen if each.message_id == mine}
    assert rows.items() <= kinds.items()
    assert sorted(kinds.values()) == ["assignment", "emergency", "grant"]
    assert elsewhere not in {each.message_id for each in seen}
    hall.conflict("kari", mine)
    assert mine not in {
        each.message_id for each in open_access.open_access_in_unit(hall.line, hall.kari())
    }
    with pytest.raises(NotFound):
        open_access.open_access_in_unit(hall.line, hall.handler())
    olga = strongly(hall.world.person("olga", Role.LEADER, "oppvekst", strong=False))
    breakglass(hall.line, olga, hall.message(), reason=REASON)
    assert list(open_access.open_access_in_unit(hall.line, olga)) == []


def test_open_access_to_review_leaves_out_access_the_reviewer_was_involved_in(hall: School) -> None:
    taken = breakglass(hall.line, hall.handler("nina"), hall.message(), reason=REASON).id
    granted = given(hall, hall.message(unit="skole")).id
    own = breakglass(hall.line, hall.handler("ola"), hall.message(), reason=REASON).id

    siv = {each.id for each in open_access.access_to_review(hall.line, hall.siv())}
    ola = {each.id for each in open_access.access_to_review(hall.line, hall.siv("ola"))}

    assert {taken, granted, own} <= siv
    assert own not in ola
    assert taken in ola
    review(hall.line, hall.siv(), taken, outcome=ReviewOutcome.UPHELD, reason=REASON)
    assert taken not in {each.id for each in open_access.access_to_review(hall.line, hall.siv())}
    with pytest.raises(NotFound):
        open_access.access_to_review(hall.line, hall.kari())


def test_ended_capacity_of_a_person_closes_a_grant_at_the_next_request(hall: School) -> None:
    message_id = hall.offered()
    given(hall, message_id, PER)
    per = hall.handler("per", "ppt")
    assert opens(hall, per, message_id)

    with hall.line.store.transaction() as tx:
        tx.get_one(CapacityRow, per.id).active_until = tx.now
    closed = opens(hall, per, message_id)
    with hall.line.store.transaction() as tx:
        tx.get_one(CapacityRow, per.id).active_until = None

    assert not closed


def test_access_moves_raise_the_same_not_found_for_foreign_and_unknown_ids(hall: School) -> None:
    message_id = hall.message()
    row = breakglass(hall.line, hall.handler(), message_id, reason=REASON)
    paul = hall.world.person("paul", Role.LEADER, "ppt", strong=False)
    per = hall.handler("per", "ppt")

    def told(message: str, access: str) -> list[str]:
        errors = []
        for move in (
            lambda: grant(hall.line, paul, message, to=NINA, duration=WEEK, reason=REASON),
            lambda: breakglass(hall.line, per, message, reason=REASON),
            lambda: content.read(hall.line, per, message, reason=REASON),
            lambda: end_access(hall.line, paul, access),
            lambda: review(
                hall.line, hall.siv("lars"), access, outcome=ReviewOutcome.UPHELD, reason=REASON
            ),
        ):
            with pytest.raises(NotFound) as error:
                move()
            errors.append(repr(error.value))
        return errors

    assert told(message_id, row.id) == told("nothing", "nothing")


def test_delivery_api_rejects_personal_codes_and_capacity_ids_with_401(hall: School) -> None:
    with hall.line.store.transaction() as tx:
        code = issue_code(tx, "odd")
    message_id = hall.offered()
    delivery = hall.world.delivery(message_id).id

    with TestClient(create_app(hall.line)) as client:
        for key in (code, "odd", hall.kari().id):
            answer = client.get(
                f"/api/v1/deliveries/{delivery}", headers={"authorization": f"Bearer {key}"}
            )
            assert answer.status_code == 401


def test_audit_and_tasks_of_grant_and_breakglass_do_not_contain_the_reason(hall: School) -> None:
    given(hall, hall.message())
    breakglass(hall.line, hall.handler(), hall.message(), reason=REASON)

    with hall.line.store.reading() as tx:
        leaves = [bytes(leaf) for leaf in tx.exec(select(AuditEntry.leaf))]
        told = b"".join(leaves).decode()
        told += str([task.model_dump() for task in tx.exec(select(Task))])

    assert "access:taken" in told
    assert REASON not in told
    assert "familien" not in told


def test_emergency_access_is_shown_to_its_person_and_to_the_leader(hall: School) -> None:
    message_id = hall.message()
    row = breakglass(hall.line, hall.handler(), message_id, reason=REASON)
    others = (hall.handler("lars"), hall.handler("per", "ppt"), hall.anne(), hall.siv())

    for who in (hall.handler(), hall.kari()):
        found = open_access.emergency_access(hall.line, who, row.id)
        assert found is not None
        assert (found.reason, found.since) == (REASON, row.active_from)
        assert found.until == row.active_until
    assert [open_access.emergency_access(hall.line, who, row.id) for who in others] == [None] * 4
    assert open_access.emergency_access(hall.line, hall.kari(), "nothing") is None
    grant_row = given(hall, hall.message())
    assert open_access.emergency_access(hall.line, hall.kari(), grant_row.id) is None
    hall.conflict("kari", message_id)
    assert open_access.emergency_access(hall.line, hall.kari(), row.id) is None


def test_emergency_access_has_no_reason_once_its_key_is_destroyed(hall: School) -> None:
    row = breakglass(hall.line, hall.handler(), message_id := hall.message(), reason=REASON)
    with hall.line.store.transaction() as tx:
        tx.delete(tx.get_one(WrappedKey, message_id))

    found = open_access.emergency_access(hall.line, hall.handler(), row.id)

    assert found is not None
    assert found.reason == ""
