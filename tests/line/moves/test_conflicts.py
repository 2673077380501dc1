"""A person declares a conflict of interest: what ends, who gets the work, and what others learn."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity
from inbox.domain import DeliveryState, MessageState, PersonId, new_id
from inbox.errors import Conflict, NotFound, NotPermitted
from inbox.line.access.grants import delegate, end_access, grant
from inbox.line.backlog.own_tasks import own_tasks
from inbox.line.moves import archive_staff, conflict_settlement, content, unit
from inbox.line.moves.conflicts import ConflictAbout, declare_conflict
from inbox.line.people_lists import ListRequest, page
from inbox.tables import (
    AccessGrant,
    Assignment,
    CapacityRow,
    ConflictOfInterest,
    Delivery,
    Message,
    MessageReference,
    Task,
)
from inbox.tables.periods import not_ended
from tests.line.school import School, school_on
from tests.rows import audited
from tests.worlds import SENDER

NINA, LARS, OLA = map(PersonId, ("nina", "lars", "ola"))
WEEK = timedelta(days=7)
_ABOUT = [pytest.param(each, id=each.value) for each in ConflictAbout]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def hall(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[School]:
    with school_on(request, tmp_path_factory.mktemp("hall")) as made:
        yield made


def mona(hall: School) -> Capacity:
    """The records manager."""
    with hall.line.store.transaction() as tx:
        tx.add(
            CapacityRow(
                id=new_id(), person="olga", unit="desk", role="records_manager", active_from=tx.now
            )
        )
    return hall.world.person("olga", Role.RECORDS_MANAGER, "desk", strong=False)


def assigned(hall: School, to: PersonId = NINA, state: MessageState = MessageState.ROUTED) -> str:
    """A message that a leader has assigned, and that mentions a case."""
    message_id = hall.message(state)
    with hall.line.store.transaction() as tx:
        tx.add(MessageReference(message_id=message_id, reference_hash="c" * 64))
    unit.assign(hall.line, hall.kari(), message_id, to=to)
    return message_id


def no_second_leader(hall: School) -> None:
    """Kari alone leads the school from now on."""
    with hall.line.store.transaction() as tx:
        row = tx.exec(
            select(CapacityRow).where(
                col(CapacityRow.person) == "lars", col(CapacityRow.role) == "leader"
            )
        ).one()
        row.active_until = tx.now


def lists(hall: School, capacity: Capacity, action: Action = Action.LIST) -> set[str]:
    found = page(hall.line, ListRequest(capacity=capacity, action=action))
    return {each.row.id for each in found.rows}


def knows_tasks(hall: School, capacity: Capacity) -> set[tuple[str, str | None]]:
    found = own_tasks(hall.line, capacity, (col(Task.closed_at).is_(None),), at_most=50)
    return {(task.kind, task.message_id) for task in found}


def standing(hall: School, kind: type[Assignment] | type[AccessGrant], person: str) -> set[str]:
    with hall.line.store.reading() as tx:
        held = select(kind.message_id).where(col(kind.person) == person, not_ended(kind, tx.now))
        return set(tx.exec(held))


@pytest.mark.parametrize("about", _ABOUT)
def test_declaring_ends_the_assignment_and_the_leaders_get_a_task(
    hall: School, about: ConflictAbout
) -> None:
    message_id = assigned(hall)
    content.read(hall.line, hall.handler(), message_id)

    declare_conflict(hall.line, hall.handler(), message_id, about=about)

    assert standing(hall, Assignment, NINA) == set()
    assert hall.tasks(message_id) == {("reassign", "leader", "skole")}
    assert knows_tasks(hall, hall.kari()) == {("reassign", message_id)}
    assert lists(hall, hall.handler()) == set()
    with pytest.raises(NotFound):
        content.read(hall.line, hall.handler(), message_id)
    unit.assign(hall.line, hall.kari(), message_id, to=OLA)
    assert hall.tasks(message_id) == {("assigned", "handler", "skole")}


def test_declaring_is_in_the_audit_without_a_name_a_sender_or_a_case(hall: School) -> None:
    message_id = assigned(hall)

    declare_conflict(hall.line, hall.handler(), message_id, about=ConflictAbout.SENDER)

    with hall.line.store.reading() as tx:
        row = tx.exec(select(ConflictOfInterest)).one()
    (leaf,) = hall.leaves("conflict:declared", row.id)
    assert (leaf["who"], leaf["rule"], leaf["code"]) == (
        hall.handler().id,
        "A52",
        "conflict.sender",
    )
    assert (row.person, row.sender, row.declared) == ("nina", SENDER, True)
    assert set(leaf["committed"]) == {"person"}
    assert not [word for word in ("nina", SENDER) if word in json.dumps(leaf)]
    (ended,) = [leaf for leaf in _leaves(hall) if leaf["event"] == "assignment:ended"]
    assert (ended["message"], ended["code"]) == (message_id, "person.conflict")


def _leaves(hall: School) -> list[dict[str, str]]:
    with hall.line.store.reading() as tx:
        return [json.loads(leaf) for leaf in audited(tx)]


def test_conflict_with_a_sender_ends_everything_of_it_and_hides_what_comes_later(
    hall: School,
) -> None:
    first, second = assigned(hall), assigned(hall)
    given = hall.message()
    grant(hall.line, hall.kari(), given, to=NINA, duration=WEEK, reason="Kjenner saken")
    other = assigned(hall, OLA)

    declare_conflict(hall.line, hall.handler(), first, about=ConflictAbout.SENDER)

    later = hall.message()
    assert standing(hall, Assignment, NINA) | standing(hall, AccessGrant, NINA) == set()
    assert standing(hall, Assignment, OLA) == {other}
    assert {each for each in (first, second, given) if hall.tasks(each)} == {first, second}
    assert lists(hall, hall.handler()) == set()
    for message_id in (given, later, new_id()):
        with pytest.raises(NotFound):
            declare_conflict(hall.line, hall.handler(), message_id, about=ConflictAbout.MESSAGE)
    with pytest.raises(NotPermitted):
        unit.assign(hall.line, hall.kari(), later, to=NINA)


def test_conflict_with_a_message_leaves_other_mail_of_the_sender(hall: School) -> None:
    first, second = assigned(hall), assigned(hall)

    declare_conflict(hall.line, hall.handler(), first, about=ConflictAbout.MESSAGE)

    assert standing(hall, Assignment, NINA) == {second}
    assert second in lists(hall, hall.handler())


def test_conflict_with_a_case_is_with_all_that_mention_it(hall: School) -> None:
    first, second = assigned(hall), assigned(hall)
    silent = hall.message()

    declare_conflict(hall.line, hall.handler(), first, about=ConflictAbout.CASE)

    assert not {first, second} & lists(hall, hall.handler())
    assert silent in lists(hall, hall.handler())
    with pytest.raises(Conflict, match=r"conflict\.no_case"):
        declare_conflict(hall.line, hall.handler(), silent, about=ConflictAbout.CASE)


def test_message_without_a_sender_has_no_conflict_with_one(hall: School) -> None:
    message_id = assigned(hall)
    hall.world.edited = True
    with hall.line.store.transaction() as tx:
        tx.get_one(Message, message_id).sender = None

    with pytest.raises(Conflict, match=r"conflict\.no_sender"):
        declare_conflict(hall.line, hall.handler(), message_id, about=ConflictAbout.SENDER)


def test_substitute_declares_and_covers_the_rest_of_the_absent_one(hall: School) -> None:
    mine, other = assigned(hall), assigned(hall)
    delegate(
        hall.line,
        hall.kari(),
        unit=hall.kari().unit,  # type: ignore[arg-type] # a leader has a unit
        absent=NINA,
        substitute=OLA,
        until=hall.world.clock.now + WEEK,
    )

    declare_conflict(hall.line, hall.handler("ola"), mine, about=ConflictAbout.MESSAGE)

    assert standing(hall, Assignment, NINA) == {mine, other}
    assert lists(hall, hall.handler("ola")) == {other}


def test_declared_by_whom_it_is_shared_with_ends_nothing_of_others(hall: School) -> None:
    message_id = hall.message()

    declare_conflict(hall.line, hall.handler(), message_id, about=ConflictAbout.MESSAGE)

    assert hall.tasks(message_id) == set()
    assert message_id in lists(hall, hall.handler("ola"))
    assert message_id not in lists(hall, hall.handler())


def test_task_goes_to_the_records_manager_where_no_leader_may_assign(hall: School) -> None:
    no_second_leader(hall)
    manager, message_id = mona(hall), assigned(hall)
    declare_conflict(hall.line, hall.kari(), message_id, about=ConflictAbout.SENDER)
    assert hall.tasks(message_id) == {("assigned", "handler", "skole")}

    declare_conflict(hall.line, hall.handler(), message_id, about=ConflictAbout.SENDER)

    assert hall.tasks(message_id) == {("unassignable", "records_manager", None)}
    assert knows_tasks(hall, hall.kari()) == set()
    assert knows_tasks(hall, manager) == {("unassignable", message_id)}
    assert lists(hall, manager, Action.ROUTE) == {message_id}
    with pytest.raises(NotFound):
        unit.assign(hall.line, hall.kari(), message_id, to=OLA)


def test_records_manager_knows_nothing_more_once_it_has_left_the_unit(hall: School) -> None:
    no_second_leader(hall)
    manager, message_id = mona(hall), assigned(hall)
    declare_conflict(hall.line, hall.kari(), message_id, about=ConflictAbout.MESSAGE)
    declare_conflict(hall.line, hall.handler(), message_id, about=ConflictAbout.MESSAGE)
    assert lists(hall, manager, Action.ROUTE) == {message_id}

    archive_staff.place(
        hall.line,
        hall.anne(),
        message_id,
        unit="ppt",
        expected_version=hall.seen(message_id),
    )
    hall.later(minutes=2)
    hall.world.work()

    assert hall.tasks(message_id) == {("release", "leader", "ppt")}
    assert lists(hall, manager, Action.ROUTE) == set()


def test_only_leader_who_declares_leaves_what_nobody_has_to_the_records_manager(
    hall: School,
) -> None:
    no_second_leader(hall)
    with hall.line.store.transaction() as tx:
        for row in tx.exec(select(CapacityRow).where(col(CapacityRow.unit) == "skole")):
            if row.role == "handler":
                row.active_until = tx.now
    message_id, done = hall.message(), hall.message(MessageState.REGISTERED)

    declare_conflict(hall.line, hall.kari(), message_id, about=ConflictAbout.SENDER)

    assert hall.tasks(message_id) == {("unassignable", "records_manager", None)}
    assert hall.tasks(done) == set()


def test_messages_that_handlers_may_take_are_left_to_them(hall: School) -> None:
    no_second_leader(hall)
    message_id = hall.message()

    declare_conflict(hall.line, hall.kari(), message_id, about=ConflictAbout.MESSAGE)

    assert hall.tasks(message_id) == set()
    unit.take(hall.line, hall.handler("ola"), message_id)


def test_leader_who_declares_does_not_learn_of_it_by_its_end(hall: School) -> None:
    """What a leader in conflict had given stands, and ends without that leader."""
    message_id = hall.message()
    row = grant(hall.line, hall.kari(), message_id, to=NINA, duration=WEEK, reason="Vikar")

    declare_conflict(hall.line, hall.kari(), message_id, about=ConflictAbout.MESSAGE)

    assert standing(hall, AccessGrant, NINA) == {message_id}
    with pytest.raises(NotFound):
        end_access(hall.line, hall.kari(), row.id)
    end_access(hall.line, hall.lars(), row.id)


def test_person_who_may_not_list_a_message_cannot_declare_a_conflict(hall: School) -> None:
    message_id = assigned(hall)

    for capacity in (hall.anne(), hall.siv(), hall.handler("per", "ppt"), hall.handler("ola")):
        with pytest.raises((NotFound, NotPermitted)) as refused:
            declare_conflict(hall.line, capacity, message_id, about=ConflictAbout.SENDER)
        known = capacity.role is Role.ARCHIVIST
        assert refused.type is (NotPermitted if known else NotFound)
    assert hall.count(ConflictOfInterest) == 0


# What came with the directory, or after the conflict


def test_worker_settles_an_imported_conflict_as_one_that_was_declared(hall: School) -> None:
    message_id, other = assigned(hall), assigned(hall, OLA)
    given = hall.message()
    grant(hall.line, hall.kari(), given, to=NINA, duration=WEEK, reason="Kjenner saken")
    hall.conflict("nina", message_id)
    hall.conflict("nina", given)

    assert conflict_settlement.settle_conflicts(hall.line) == 2
    assert conflict_settlement.settle_conflicts(hall.line) == 0

    assert standing(hall, Assignment, NINA) | standing(hall, AccessGrant, NINA) == set()
    assert hall.tasks(message_id) == {("reassign", "leader", "skole")}
    assert standing(hall, Assignment, OLA) == {other}


def test_worker_gives_the_task_back_to_the_leaders_when_one_may_assign_again(
    hall: School,
) -> None:
    no_second_leader(hall)
    message_id = assigned(hall)
    declare_conflict(hall.line, hall.kari(), message_id, about=ConflictAbout.MESSAGE)
    declare_conflict(hall.line, hall.handler(), message_id, about=ConflictAbout.MESSAGE)
    assert conflict_settlement.settle_conflicts(hall.line) == 0
    with hall.line.store.transaction() as tx:
        tx.add(
            CapacityRow(id=new_id(), person="olga", unit="skole", role="leader", active_from=tx.now)
        )

    assert conflict_settlement.settle_conflicts(hall.line) == 1

    assert hall.tasks(message_id) == {("reassign", "leader", "skole")}


def test_registered_message_gets_no_task_when_its_handler_declares_a_conflict(hall: School) -> None:
    message_id = assigned(hall)
    hall.world.edited = True
    hall.state(message_id, MessageState.REGISTERED)

    declare_conflict(hall.line, hall.handler(), message_id, about=ConflictAbout.MESSAGE)

    assert standing(hall, Assignment, NINA) == set()
    assert hall.tasks(message_id) - {("assigned", "handler", "skole")} == set()


def test_conflict_in_the_middle_of_the_work_by_hand_leaves_the_delivery(hall: School) -> None:
    message_id = hall.offered()
    unit.assign(hall.line, hall.kari(), message_id, to=NINA)
    content.collect_by_hand(hall.line, hall.handler(), message_id)

    declare_conflict(hall.line, hall.handler(), message_id, about=ConflictAbout.MESSAGE)

    with hall.line.store.reading() as tx:
        (delivery,) = tx.exec(select(Delivery).where(col(Delivery.message_id) == message_id))
    assert delivery.state is DeliveryState.COLLECTED
    assert ("reassign", "leader", "skole") in hall.tasks(message_id)
    unit.assign(hall.line, hall.kari(), message_id, to=OLA)
    content.collect_by_hand(hall.line, hall.handler("ola"), message_id)
