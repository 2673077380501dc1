"""A placing waits with no unit, is decided again, and can be undone by its person alone."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from inbox.access import permit
from inbox.access.files.active import POLICY_KIND
from inbox.access.files.folder import read_policy
from inbox.access.files.versions import keep_first_version
from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity, RequestFacts
from inbox.domain import HoldCause, MessageState, OrgNumber, PersonId, UnitId, new_id
from inbox.errors import Conflict, NotFound, NotPermitted
from inbox.line import people_lists
from inbox.line.authorize import message_subject
from inbox.line.moves import archive_staff, unit
from inbox.line.people_lists import ListRequest
from inbox.line.queue import claim
from inbox.line.settle import open_task
from inbox.line.stations import advance
from inbox.line.task_kinds import TaskKind
from inbox.tables import Assignment, CapacityRow, Message, Task, Unit
from tests.access.town import files_of_vocabulary_2
from tests.line.school import School, school_on

M = MessageState
GRACE, WINDOW = timedelta(seconds=60), timedelta(minutes=10)
Row = tuple[MessageState, str | None, str | None, int, str | None]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def hall(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[School]:
    """A world with a grace and a window, in which undoing is possible."""
    with school_on(request, tmp_path_factory.mktemp("hall")) as made:
        terms = replace(made.line.terms, placing_grace=GRACE, undo_window=WINDOW)
        made.world.line = replace(made.line, terms=terms)
        yield made


def message_in(hall: School, state: MessageState, unit_id: str | None, **values: object) -> str:
    """A message that a rule brought there."""
    message_id = hall.message(state, unit=unit_id)
    with hall.line.store.transaction() as tx:
        row = tx.get_one(Message, message_id)
        for name, value in {"rule": "R7", "code": "some.code", "transfers": 1, **values}.items():
            setattr(row, name, value)
    return message_id


def row_of(hall: School, message_id: str) -> Message:
    with hall.line.store.reading() as tx:
        return tx.get_one(Message, message_id)


def stands(hall: School, message_id: str) -> Row:
    row = row_of(hall, message_id)
    return row.state, row.unit, row.rule, row.transfers, row.code


def tasks(hall: School, message_id: str) -> set[tuple[str, str, str | None]]:
    """Id, kind and unit of the open tasks: the same ones are meant, not others like them."""
    with hall.line.store.reading() as tx:
        found = tx.exec(
            select(Task).where(col(Task.subject_id) == message_id, col(Task.closed_at).is_(None))
        )
        return {(task.id, task.kind, task.unit) for task in found}


def place(hall: School, message_id: str, to: str, by: Capacity | None = None) -> None:
    archive_staff.place(
        hall.line, by or hall.anne(), message_id, unit=to, expected_version=hall.seen(message_id)
    )


def release_to(hall: School, message_id: str, to: str) -> None:
    """Place and release it, as an archivist does with what waits to be distributed."""
    seen = hall.seen(message_id)
    archive_staff.place_and_release(
        hall.line, hall.anne(), message_id, unit=to, expected_version=seen
    )


def undo(hall: School, message_id: str, by: Capacity | None = None) -> None:
    seen = hall.seen(message_id)
    archive_staff.undo(hall.line, by or hall.anne(), message_id, expected_version=seen)


def bjorn(hall: School) -> Capacity:
    return hall.world.person("bjorn", Role.ARCHIVIST, "desk", strong=False)


def turn(hall: School) -> None:
    """One round of a worker over messages."""
    while (job := claim(hall.line, Message)) is not None:
        while job is not None:
            job = advance(hall.line, job)


def come_due(hall: School, after: timedelta = GRACE) -> None:
    hall.world.clock.advance(after)
    turn(hall)


# The grace


@pytest.mark.parametrize(("state", "home"), [(M.UNROUTED, None), (M.ROUTED, "ppt")])
def test_placing_lasts_its_grace_and_then_the_unit_has_the_message(
    hall: School, state: MessageState, home: str | None
) -> None:
    message_id = message_in(hall, state, home)

    place(hall, message_id, "skole")
    before = stands(hall, message_id)
    come_due(hall, GRACE - timedelta(seconds=1))
    waits = stands(hall, message_id)
    come_due(hall, timedelta(seconds=1))

    assert before[:4] == waits[:4] == (M.PLACING, None, "R7", 1)
    assert stands(hall, message_id) == (M.ROUTED, "skole", None, 2, None)
    assert hall.tasks(message_id) == {("release", "leader", "skole")}
    assert row_of(hall, message_id).moved_by is None


def test_placing_and_releasing_waits_its_grace_and_then_its_window(hall: School) -> None:
    message_id = message_in(hall, M.UNROUTED, None)

    release_to(hall, message_id, "skole")
    placing = row_of(hall, message_id)
    come_due(hall)
    released = row_of(hall, message_id)
    come_due(hall, WINDOW)

    assert (placing.state, placing.placing_unit, placing.placing_state) == (
        *(M.PLACING, "skole"),
        M.RELEASED,
    )
    assert (released.state, released.unit, released.released_by) == (M.RELEASED, "skole", "anne")
    assert released.due_at == hall.world.clock.now
    assert row_of(hall, message_id).state is M.OFFERED


def test_urgent_message_is_placed_at_once(hall: School) -> None:
    message_id = message_in(hall, M.UNROUTED, None, urgent=True)

    place(hall, message_id, "skole")

    assert stands(hall, message_id) == (M.ROUTED, "skole", None, 2, None)


def test_placing_without_a_grace_is_placed_at_once(hall: School) -> None:
    message_id = message_in(hall, M.UNROUTED, None)
    terms = replace(hall.line.terms, placing_grace=timedelta(0))
    hall.world.line = replace(hall.line, terms=terms)

    place(hall, message_id, "skole")

    assert stands(hall, message_id) == (M.ROUTED, "skole", None, 2, None)


# Nobody of a unit has it meanwhile


def people(hall: School) -> list[Capacity]:
    """Everybody but the archivists, in every role and unit of the world."""
    with hall.line.store.reading() as tx:
        rows = tx.exec(select(CapacityRow).where(col(CapacityRow.role) != Role.ARCHIVIST)).all()
    return [
        Capacity(
            id=row.id,
            person=PersonId(row.person),
            unit=UnitId(row.unit),
            role=Role(row.role),
            organisation=OrgNumber("910075918"),
            strong_auth=True,
        )
        for row in rows
    ]


def seen_by(hall: School, capacity: Capacity, action: Action) -> tuple[int, int, int]:
    """The rows of a list, what is counted, and what is counted by unit."""
    asked = ListRequest(capacity=capacity, action=action)
    rows = people_lists.page(hall.line, asked, at_most=500).rows
    facets = people_lists.facets(hall.line, asked)
    return len(rows), people_lists.count(hall.line, asked), sum(facets.states.values())


def allowed_to(
    hall: School, everybody: list[Capacity], message_id: str
) -> set[tuple[Role, Action]]:
    """All that anybody of them may do with it, whatever the request brings."""
    given = RequestFacts(
        reason_given=True, reference_given=True, period_given=True, waivable=True,
        target=PersonId("nina"), same_documents=True,
    )  # fmt: skip
    with hall.line.store.reading() as tx:
        policy = hall.line.policies.current(tx)
        return {
            (capacity.role, action)
            for capacity in everybody
            for action in Action
            if permit(
                tx, policy, tx.now, capacity=capacity, action=action,
                subject=message_subject(message_id), request=given,
            ).allowed
        }  # fmt: skip


@pytest.mark.parametrize(("state", "home"), [(M.UNROUTED, None), (M.ROUTED, "ppt")])
def test_nobody_of_any_unit_sees_anything_of_a_message_that_is_being_placed(
    hall: School, state: MessageState, home: str | None
) -> None:
    message_id = message_in(hall, state, home)
    with hall.line.store.transaction() as tx:
        for person in ("nina", "per"):
            tx.add(
                Assignment(id=new_id(), message_id=message_id, person=person, active_from=tx.now)
            )
    place(hall, message_id, "skole")

    everybody = people(hall)
    saw = {
        (capacity.person, capacity.role, action): seen
        for capacity in everybody
        for action in (Action.ROUTE, Action.LIST)
        if any(seen := seen_by(hall, capacity, action))
    }

    assert {capacity.role for capacity in everybody} >= {Role.HANDLER, Role.LEADER}
    assert saw == {}
    assert allowed_to(hall, everybody, message_id) == set()
    assert seen_by(hall, hall.anne(), Action.ROUTE) == (1, 1, 1)
    come_due(hall)
    assert seen_by(hall, hall.kari(), Action.LIST) == (1, 1, 1)
    assert (Role.LEADER, Action.LIST) in allowed_to(hall, everybody, message_id)


# Undo


@pytest.mark.parametrize(
    ("state", "home", "move"),
    [
        (M.UNROUTED, None, place),
        (M.UNROUTED, None, release_to),
        (M.ROUTED, "ppt", place),
        (M.RETURNED, "ppt", place),
    ],
)
def test_undo_in_the_grace_leaves_all_as_it_was(
    hall: School,
    state: MessageState,
    home: str | None,
    move: Callable[[School, str, str], None],
) -> None:
    message_id = message_in(hall, state, home)
    with hall.line.store.transaction() as tx:
        if home is not None:
            open_task(tx, kind=TaskKind.ASSIGNED, subject=message_id, unit=home)
        tx.add(Assignment(id=new_id(), message_id=message_id, person="per", active_from=tx.now))
        row = tx.get_one(Message, message_id)
        row.held_for, row.held_until = HoldCause.UNIT_ASKED, tx.now + timedelta(days=3)
    before = stands(hall, message_id), tasks(hall, message_id), row_of(hall, message_id).held_until

    move(hall, message_id, "skole")
    undo(hall, message_id)

    after = stands(hall, message_id), tasks(hall, message_id), row_of(hall, message_id).held_until
    assert after[0] == before[0]
    assert after[2] == before[2]
    assert before[1] <= after[1]
    with hall.line.store.reading() as tx:
        (assignment,) = tx.exec(
            select(Assignment).where(col(Assignment.message_id) == message_id)
        ).all()
    assert assignment.active_until is None
    (leaf,) = [
        leaf for leaf in hall.leaves(f"message:{state.lower()}", message_id) if leaf["by"] == "undo"
    ]
    assert (leaf["was"], leaf["who"], leaf["duties"]) == ("PLACING", hall.anne().id, "log")
    come_due(hall)
    assert stands(hall, message_id) == before[0]


def test_placing_with_release_is_undone_until_the_message_is_offered(hall: School) -> None:
    message_id = message_in(hall, M.UNROUTED, None)
    release_to(hall, message_id, "skole")
    come_due(hall)
    assert row_of(hall, message_id).state is M.RELEASED

    undo(hall, message_id)

    assert stands(hall, message_id) == (M.UNROUTED, None, "R7", 1, "some.code")
    assert hall.tasks(message_id) == {("distribute", "archivist", None)}


@pytest.mark.parametrize("state", [M.ROUTED, M.RETURNED])
def test_leader_undoes_a_release_and_the_unit_keeps_the_message(
    hall: School, state: MessageState
) -> None:
    message_id = message_in(hall, state, "skole")
    with hall.line.store.transaction() as tx:
        tx.add(Assignment(id=new_id(), message_id=message_id, person="nina", active_from=tx.now))
    before = stands(hall, message_id)
    unit.release(hall.line, hall.kari(), message_id, expected_version=hall.seen(message_id))

    undo(hall, message_id, hall.kari())

    assert stands(hall, message_id) == before
    with hall.line.store.reading() as tx:
        assert tx.exec(select(Assignment.active_until)).one() is None


def test_release_of_an_offered_message_is_not_undone(hall: School) -> None:
    message_id = message_in(hall, M.UNROUTED, None)
    release_to(hall, message_id, "skole")
    come_due(hall)
    come_due(hall, WINDOW)

    with pytest.raises(NotPermitted):
        undo(hall, message_id)

    assert row_of(hall, message_id).state is M.OFFERED


def test_nobody_but_the_person_who_placed_it_undoes_it(hall: School) -> None:
    message_id = message_in(hall, M.UNROUTED, None)
    place(hall, message_id, "skole")

    for other in (bjorn(hall), hall.kari(), hall.handler()):
        with pytest.raises((NotPermitted, NotFound)):
            undo(hall, message_id, other)

    assert row_of(hall, message_id).state is M.PLACING


def test_undo_of_another_version_is_stale(hall: School) -> None:
    message_id = message_in(hall, M.UNROUTED, None)
    place(hall, message_id, "skole")

    with pytest.raises(Conflict, match="stale"):
        archive_staff.undo(hall.line, hall.anne(), message_id, expected_version=0)


def test_message_that_is_being_placed_is_not_placed_by_another(hall: School) -> None:
    message_id = message_in(hall, M.UNROUTED, None)
    place(hall, message_id, "skole")

    with pytest.raises(NotPermitted):
        place(hall, message_id, "ppt", bjorn(hall))


def test_undo_goes_to_the_successor_or_to_archive_staff_where_the_unit_has_closed(
    hall: School,
) -> None:
    message_id = message_in(hall, M.ROUTED, "ppt")
    place(hall, message_id, "skole")
    hall.later(seconds=1)
    with hall.line.store.transaction() as tx:
        tx.get_one(Unit, "ppt").active_until = tx.now

    undo(hall, message_id)

    assert stands(hall, message_id) == (M.UNROUTED, None, "R7", 1, "unit.passive")
    assert hall.tasks(message_id) == {("distribute", "archivist", None)}


# Decided again when it is due


@pytest.mark.parametrize(
    ("state", "home", "task"),
    [
        (M.UNROUTED, None, ("distribute", "archivist", None)),
        (M.ROUTED, "ppt", ("release", "leader", "ppt")),
        (M.RETURNED, "ppt", ("returned", "leader", "ppt")),
    ],
)
def test_placing_that_is_denied_when_it_is_due_goes_back_with_a_code_and_a_task(
    hall: School, state: MessageState, home: str | None, task: tuple[str, str, str | None]
) -> None:
    message_id = message_in(hall, state, home)
    place(hall, message_id, "skole")
    hall.conflict("anne", message_id)

    come_due(hall)

    assert stands(hall, message_id) == (state, home, "R7", 1, "place.denied")
    assert hall.tasks(message_id) == {task, ("not_placed", "archivist", home)}
    place(hall, message_id, "skole", bjorn(hall))
    come_due(hall)
    assert stands(hall, message_id) == (M.ROUTED, "skole", None, 2, None)
    assert hall.tasks(message_id) == {("release", "leader", "skole")}


def test_placing_is_denied_where_the_capacity_that_placed_it_has_ended(hall: School) -> None:
    message_id = message_in(hall, M.UNROUTED, None)
    place(hall, message_id, "skole")
    hall.later(seconds=1)
    with hall.line.store.transaction() as tx:
        tx.get_one(CapacityRow, hall.anne().id).active_until = tx.now

    come_due(hall)

    assert stands(hall, message_id) == (M.UNROUTED, None, "R7", 1, "place.denied")


def test_placing_with_a_unit_that_has_closed_goes_back(hall: School) -> None:
    message_id = message_in(hall, M.UNROUTED, None)
    place(hall, message_id, "skole")
    hall.later(seconds=1)
    with hall.line.store.transaction() as tx:
        tx.get_one(Unit, "skole").active_until = tx.now

    come_due(hall)

    assert stands(hall, message_id) == (M.UNROUTED, None, "R7", 1, "place.unit_passive")


# The third placing climbs


def records_manager(hall: School) -> Capacity:
    with hall.line.store.transaction() as tx:
        tx.add(
            CapacityRow(
                id="leads-records",
                person="olga",
                unit="desk",
                role="records_manager",
                active_from=tx.now,
            )
        )
    return hall.world.person("olga", Role.RECORDS_MANAGER, "desk", strong=False)


def test_third_placing_is_a_task_for_the_records_manager_who_sees_no_more_than_where_it_is(
    hall: School,
) -> None:
    olga = records_manager(hall)
    message_id = message_in(hall, M.UNROUTED, None, transfers=1)
    place(hall, message_id, "skole")
    come_due(hall)
    second = hall.tasks(message_id), seen_by(hall, olga, Action.ROUTE)

    place(hall, message_id, "ppt")
    in_the_grace = hall.tasks(message_id)
    come_due(hall)

    climbed = ("escalated", "records_manager", None)
    assert second == ({("release", "leader", "skole")}, (0, 0, 0))
    assert climbed not in in_the_grace
    assert hall.tasks(message_id) == {("release", "leader", "ppt"), climbed}
    assert seen_by(hall, olga, Action.ROUTE) == (1, 1, 1)
    assert seen_by(hall, olga, Action.LIST) == (0, 0, 0)
    with pytest.raises(NotPermitted):
        place(hall, message_id, "skole", olga)


def test_third_placing_that_is_undone_takes_its_task_with_it(hall: School) -> None:
    message_id = message_in(hall, M.UNROUTED, None, transfers=2)
    release_to(hall, message_id, "skole")
    come_due(hall)
    assert ("escalated", "records_manager", None) in hall.tasks(message_id)

    undo(hall, message_id)

    assert hall.tasks(message_id) == {("distribute", "archivist", None)}


def test_task_of_a_message_that_climbed_ends_with_its_way(hall: School) -> None:
    olga = records_manager(hall)
    message_id = message_in(hall, M.UNROUTED, None, transfers=2)
    place(hall, message_id, "skole")
    come_due(hall)
    with hall.line.store.reading() as tx:
        task = tx.exec(select(Task.id).where(col(Task.kind) == "escalated")).one()

    archive_staff.close_by_hand(hall.line, olga, task, reason="Snakket med begge")

    assert hall.tasks(message_id) == {("release", "leader", "skole")}


# A policy that is older than the action


def activate_vocabulary_2(hall: School) -> None:
    """The folder that was shipped before is active."""
    files = files_of_vocabulary_2()
    digest = read_policy(files).digest
    with hall.line.store.transaction() as tx:
        keep_first_version(
            tx, kind=POLICY_KIND, digest=digest, files=files, proposed_by="anne",
            approved_by="bjorn",
        )  # fmt: skip
    with hall.line.store.reading() as tx:
        assert Action.UNDO in hall.line.policies.current(tx).later.stand_ins


def test_policy_that_is_older_decides_a_placing_again_as_it_did_before(hall: School) -> None:
    activate_vocabulary_2(hall)
    message_id = message_in(hall, M.ROUTED, "ppt")

    place(hall, message_id, "skole")
    come_due(hall)

    assert stands(hall, message_id) == (M.ROUTED, "skole", None, 2, None)


def test_policy_that_is_older_lets_who_may_place_undo_their_own_placing(hall: School) -> None:
    activate_vocabulary_2(hall)
    message_id = message_in(hall, M.UNROUTED, None)
    before = stands(hall, message_id)
    place(hall, message_id, "skole")

    with pytest.raises(NotPermitted):
        undo(hall, message_id, bjorn(hall))
    undo(hall, message_id)

    assert stands(hall, message_id) == before
