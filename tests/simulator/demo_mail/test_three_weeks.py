"""The demo's three weeks: enough in every queue, histories of senders, and office hours."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from itertools import islice

import pytest

from inbox.simulator.demo_mail import senders
from inbox.simulator.demo_mail.expectations import BY_HAND, REGISTERED, Fate
from inbox.simulator.demo_mail.three_weeks import (
    SPAN,
    OfficeTime,
    PlannedLetter,
    Proposed,
    new_letters,
    planned_letters,
    three_weeks,
)
from inbox.simulator.packages.certificates import TestAuthority

MONDAY = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
WAITING = (
    *(Fate.UNROUTED, Fate.QUARANTINED, Fate.MISSED),
    *(Fate.UNANSWERED, Fate.OFFERED, Fate.SENT_BACK),
)


@pytest.fixture(scope="module")
def planned() -> list[PlannedLetter]:
    return planned_letters()


def test_three_weeks_have_120_letters_of_which_seventy_are_done(
    planned: list[PlannedLetter],
) -> None:
    fates = Counter(each.plan.expect.fate for each in planned)

    assert len(planned) == len({each.plan.name for each in planned}) == 120
    assert sum(fates[fate] for fate in REGISTERED - {Fate.UNANSWERED}) == 70


def test_three_weeks_have_six_free_letters_in_each_queue_that_waits_for_people(
    planned: list[PlannedLetter],
) -> None:
    free = Counter(each.plan.expect.fate for each in planned if not each.held)

    assert [fate for fate in WAITING if free[fate] < 6] == []
    assert sum(each.held for each in planned) >= 6
    assert sum(each.proposed is not None for each in planned) >= 12


def test_proposals_of_the_three_weeks_come_in_pairs_for_the_two_archivists(
    planned: list[PlannedLetter],
) -> None:
    proposed = Counter(each.proposed for each in planned if each.proposed is not None)

    assert set(proposed) == set(Proposed)
    assert [kind for kind, number in proposed.items() if number % 2] == []


def registered_by_systems(planned: list[PlannedLetter]) -> dict[str, Counter[str | None]]:
    units: dict[str, Counter[str | None]] = {}
    for each in planned:
        expect = each.plan.expect
        if expect.held_by not in (None, BY_HAND):
            units.setdefault(each.plan.sender, Counter())[expect.unit] += 1
    return units


def test_some_senders_of_undistributed_letters_have_a_history_and_others_none(
    planned: list[PlannedLetter],
) -> None:
    history = registered_by_systems(planned)
    waiting = {each.plan.sender for each in planned if each.plan.expect.fate is Fate.UNROUTED}

    assert history[senders.POLICE] == {"bv": 18, "nav": 2}
    long = {sender for sender in waiting if history.get(sender, Counter()).total() >= 10}
    assert len(long) >= 4
    assert len(waiting - long) >= 4


@pytest.mark.parametrize("now", [MONDAY, MONDAY - timedelta(days=1), MONDAY.replace(hour=1)])
def test_three_weeks_begin_three_weeks_ago_and_lie_in_office_hours(now: datetime) -> None:
    office = OfficeTime(now - SPAN, now)
    moments = [office.moment(number / 40) for number in range(41)]

    assert moments == sorted(moments)
    assert moments[0] - (now - SPAN) < timedelta(days=3)
    assert now - timedelta(days=3) < moments[-1] <= now
    assert {each.weekday() for each in moments} <= {0, 1, 2, 3, 4}
    assert all(time(7) <= each.time() <= time(14, 30) for each in moments)


def test_rounds_of_the_office_end_each_of_its_days() -> None:
    rounds = list(OfficeTime(MONDAY - timedelta(days=4), MONDAY).rounds())

    days = {each.date() for each in rounds}
    assert len(days) == 3
    assert rounds[-1] == MONDAY
    assert sum(each.time() == time(14, 30) for each in rounds) == 2


def test_letters_of_the_three_weeks_are_written_before_they_come() -> None:
    authority = TestAuthority(valid_from=MONDAY - 2 * SPAN)

    letters = three_weeks(authority, OfficeTime(MONDAY - SPAN, MONDAY))

    assert [each.at for each in letters] == sorted(each.at for each in letters)
    assert len({each.letter.message_id for each in letters}) == 120
    signed = [each.letter.parcel.signed_at for each in letters]
    assert [at is not None and at < each.at for at, each in zip(signed, letters, strict=True)] == [
        True
    ] * 120


def test_new_letters_never_repeat_an_id_and_are_written_when_asked_for() -> None:
    times = iter(MONDAY + timedelta(minutes=number) for number in range(30))

    letters = list(islice(new_letters(TestAuthority(), lambda: next(times)), 30))

    assert len({letter.message_id for letter in letters}) == 30
    assert letters[-1].parcel.signed_at == MONDAY + timedelta(minutes=29)
    known = {each.plan.name for each in planned_letters()}
    assert known.isdisjoint(letter.name for letter in letters)
