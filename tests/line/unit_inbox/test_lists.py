"""*Min enhet* and *Tildelt meg*: what may be listed, whose it is, what is late, titles, counts."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from inbox.access.lists.queue_search import Whose
from inbox.access.policy.vocabulary import Action
from inbox.domain import DeliveryState, MessageState, PersonId, UnitId
from inbox.errors import NotFound
from inbox.line.access.grants import breakglass, delegate, grant
from inbox.line.moves import unit
from inbox.line.unit_inbox.colleagues import colleagues
from inbox.line.unit_inbox.leader_page import leader_page, work_of
from inbox.line.unit_inbox.lists import (
    Holder,
    ListFilters,
    UnitList,
    UnitPage,
    unit_front_page,
    unit_page,
)
from inbox.line.unit_inbox.message_view import unit_message_view
from inbox.tables import Message
from tests.line.desk.desk_world import CANARY, at, mail
from tests.line.school import School, school_on

NINA, LARS, OLA = PersonId("nina"), PersonId("lars"), PersonId("ola")
REASON = "Barnet er på vei inn nå"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def hall(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[School]:
    with school_on(request, tmp_path_factory.mktemp("hall")) as made:
        yield made


def routed(hall: School, hours: float = 0, **columns: object) -> str:
    return mail(hall, MessageState.ROUTED, received_at=at(hall, hours=hours), **columns)


def ids(page: UnitPage) -> list[str]:
    return [each.row.id for each in page.rows]


def listed(hall: School, which: UnitList = UnitList.UNIT, **filters: object) -> list[str]:
    chosen = ListFilters(**filters)  # type: ignore[arg-type]
    return ids(unit_page(hall.line, hall.handler(), which, chosen))


def test_unit_has_what_one_may_list_the_oldest_first_with_titles(hall: School) -> None:
    new, old = routed(hall, hours=1), routed(hall, hours=2)
    routed(hall, unit="bv")
    mail(hall)
    theirs = routed(hall)
    unit.assign(hall.line, hall.kari(), theirs, to=LARS)

    page = unit_page(hall.line, hall.handler(), UnitList.UNIT)

    assert ids(page) == [old, new]
    assert {each.title for each in page.rows} == {CANARY}
    assert (page.side.unit.count, page.side.own.count, page.side.nobody.count) == (2, 0, 2)


def test_leader_sees_who_has_what_and_hands_it_out_to_who_may_have_it(hall: School) -> None:
    mine, free = routed(hall, hours=2), routed(hall, hours=1)
    unit.take(hall.line, hall.handler(), mine)

    found = leader_page(hall.line, hall.kari())

    assert [each.row.id for each in found.unassigned] == [free]
    assert {each.person: each.open for each in found.colleagues if each.open} == {NINA: 1}
    assert found.side.nobody.count == 1
    work = work_of(hall.line, hall.kari(), NINA)
    assert [each.row.id for each in work.rows] == [mine]
    assert NINA not in work.others
    targets = colleagues(hall.line, hall.kari(), free, Action.ASSIGN)
    assert {each.person for each in targets} >= {NINA, LARS}
    hall.conflict("nina", free)
    assert NINA not in {
        each.person for each in colleagues(hall.line, hall.kari(), free, Action.ASSIGN)
    }


@pytest.mark.parametrize("who", ["handler", "anne"])
def test_page_of_a_leader_is_for_leaders(hall: School, who: str) -> None:
    with pytest.raises(NotFound):
        leader_page(hall.line, getattr(hall, who)())
    with pytest.raises(NotFound):
        work_of(hall.line, getattr(hall, who)(), NINA)


def test_work_of_somebody_of_another_unit_is_not_there(hall: School) -> None:
    with pytest.raises(NotFound):
        work_of(hall.line, hall.kari(), "per")


def test_own_list_has_own_covered_given_and_emergency_each_by_its_kind(hall: School) -> None:
    own, covered, given, taken, other = (routed(hall, hours=each) for each in range(5, 0, -1))
    unit.take(hall.line, hall.handler(), own)
    for each in (covered, given, taken):
        unit.assign(hall.line, hall.kari(), each, to=LARS)
    grant(hall.line, hall.kari(), given, to=NINA, duration=timedelta(days=2), reason=REASON)
    breakglass(hall.line, hall.handler(), taken, reason=REASON)

    page = unit_page(hall.line, hall.handler(), UnitList.OWN)

    kinds = {str(each.row.id): each.holdings.whose for each in page.rows}
    assert kinds == {own: Whose.OWN, given: Whose.GRANTED, taken: Whose.EMERGENCY}
    until = hall.line.terms.delegation_longest / 2 + hall.world.clock.now
    skole = UnitId("skole")
    delegate(hall.line, hall.kari(), unit=skole, absent=LARS, substitute=NINA, until=until)
    kinds = {
        str(each.row.id): each.holdings.whose
        for each in unit_page(hall.line, hall.handler(), UnitList.OWN).rows
    }
    assert kinds[covered] is Whose.COVERED
    assert kinds[given] is Whose.COVERED
    assert other not in kinds
    # By now it is covered, too, which owes nothing: the entry is of the first look.
    assert len(hall.leaves("message:listed", taken)) == 1


def test_message_that_owes_an_entry_is_counted_nowhere_and_audited_when_shown(hall: School) -> None:
    taken = routed(hall, shielding="hemmelig")
    assert listed(hall) == []
    breakglass(hall.line, hall.handler(), taken, reason=REASON)

    page = unit_page(hall.line, hall.handler(), UnitList.OWN)

    assert ids(page) == [taken]
    assert (page.side.unit.count, page.side.own.count) == (0, 0)
    assert len(hall.leaves("message:listed", taken)) == 1
    assert unit_front_page(hall.line, hall.handler()).side.own.count == 0


def test_list_is_narrowed_by_holder_deadline_and_what_is_done(hall: School) -> None:
    late, new = routed(hall, hours=100), routed(hall)
    unit.take(hall.line, hall.handler(), new)
    done = routed(hall)
    unit.take(hall.line, hall.handler(), done)
    hall.state(done, MessageState.REGISTERED)

    assert listed(hall) == [late, new]
    assert listed(hall, holder=Holder.NOBODY) == [late]
    assert listed(hall, holder=Holder.OWN) == [new]
    assert listed(hall, late=True) == [late]
    assert listed(hall, done=True) == [done]
    assert listed(hall, UnitList.OWN, done=True) == [done]


def test_next_page_begins_after_the_last_row(hall: School) -> None:
    made = [routed(hall, hours=each) for each in (3, 2, 1)]

    first = unit_page(hall.line, hall.handler(), UnitList.UNIT, at_most=2)
    second = unit_page(hall.line, hall.handler(), UnitList.UNIT, after=first.cursor, at_most=2)

    assert [*ids(first), *ids(second)] == made
    assert second.cursor is None


def test_conflict_takes_it_out_of_lists_counts_and_pages(hall: School) -> None:
    message_id = routed(hall)
    unit.take(hall.line, hall.handler(), message_id)
    hall.conflict("nina", message_id)

    for which in UnitList:
        page = unit_page(hall.line, hall.handler(), which)
        assert (ids(page), page.side.unit.count, page.side.own.count) == ([], 0, 0)
    with pytest.raises(NotFound):
        unit_message_view(hall.line, hall.handler(), message_id)


def test_message_page_has_its_neighbours_holder_and_delivery(hall: School) -> None:
    before, message_id, after = (routed(hall, hours=each) for each in (3, 2, 1))
    unit.take(hall.line, hall.handler(), message_id)
    found = unit_message_view(hall.line, hall.handler(), message_id, which=UnitList.UNIT)

    assert found.neighbours is not None
    assert (found.neighbours.previous, found.neighbours.next) == (before, after)
    assert found.holdings.assigned_to is not None
    assert found.holdings.assigned_to.person == NINA
    assert found.opens_by is not None
    assert (found.title, found.opens_by.rule, found.missing) == (CANARY, "A09", ())
    assert found.decisions[Action.RELEASE].allowed
    assert not found.decisions[Action.ASSIGN].allowed

    offered = hall.offered()
    held = unit_message_view(hall.line, hall.kari(), offered)
    assert held.holdings.delivery is not None
    assert (held.holdings.delivery.by_hand, held.holdings.delivery.state) == (
        True,
        DeliveryState.OPEN,
    )
    assert held.decisions[Action.ASSIGN].allowed
    assert held.opens_by is None
    assert {part.fact for row in held.missing for part in row.parts} >= {"has_breakglass"}


def test_page_says_which_need_is_missing_to_open_it(hall: School) -> None:
    message_id = routed(hall)

    found = unit_message_view(hall.line, hall.handler(), message_id)

    assert found.opens_by is None
    missing = {part.fact for row in found.missing for part in row.parts if not part.holds}
    held = {part.fact for row in found.missing for part in row.parts if part.holds}
    assert {"assigned", "has_grant", "covers"} <= missing
    assert {"in_unit", "cleared", "readable"} <= held
    assert all(row.bases for row in found.missing)


def test_damaged_title_is_left_out_and_the_row_says_so(hall: School) -> None:
    message_id = routed(hall)
    with hall.line.store.transaction() as tx:
        message = tx.get_one(Message, message_id)
        assert message.sealed_archive is not None
        message.sealed_archive = message.sealed_archive[:-1] + b"x"

    [row] = unit_page(hall.line, hall.handler(), UnitList.UNIT).rows

    assert row.title is None
    assert row.row.damaged is not None
