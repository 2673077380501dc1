"""Open tasks are listed exactly when each of them, decided by itself, may be known of."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from inbox.access import Action, Capacity, OfArrival, OfMessage, OfTask, Policy, Role, permit
from inbox.access.facts.registry import FACTS
from inbox.access.lists.tasks import known_tasks
from inbox.access.policy.vocabulary import NO_RULE
from inbox.domain import ArrivalId, ArrivalState, MessageId, MessageState, TaskState
from inbox.tables import Task
from tests.access.town import NOW, Town, allow, deny

CLOSERS = "archivist leader security_reviewer operator"
SEES_MAIL = frozenset({Role.ARCHIVIST, Role.LEADER})
POLICY = Policy(
    [
        allow("A01", "route", "archivist", "unrouted or missed"),
        allow("A02", "list", "leader", "leads"),
        allow("A03", "close_task", CLOSERS, "own_task"),
        deny("D01", "list", "*", "conflict"),
        deny("D02", "route", "security_reviewer", "missed"),
        deny("D03", "close_task", "operator", "late_word"),
    ],
    facts=FACTS,
    digest="d",
)


def may_know(session: Session, capacity: Capacity, task: Task) -> bool:
    """Decided by itself: of mail by distributing or listing it, of anything else by closing."""
    subject: OfMessage | OfArrival | None = None
    if task.message_id is not None:
        subject = OfMessage(message_id=MessageId(task.message_id))
    elif task.kind == "missed":
        subject = OfArrival(arrival_id=ArrivalId(task.subject_id))
    answers = [
        permit(session, POLICY, NOW, capacity=capacity, action=action, subject=subject)
        for action in (Action.ROUTE, Action.LIST)
        if subject is not None
    ]
    if answers and capacity.role in SEES_MAIL:
        return any(answer.allowed for answer in answers)
    of = OfTask(task_id=task.id)
    closing = permit(session, POLICY, NOW, capacity=capacity, action=Action.CLOSE_TASK, subject=of)
    return closing.allowed and all(answer.rule == NO_RULE for answer in answers)


def tasks_for(town: Town, role: Role) -> list[Task]:
    """Tasks about mail in every place, about arrivals, about neither, and one that is done."""
    unrouted = town.message(MessageState.UNROUTED, unit=None)
    routed, elsewhere, kept_from = town.message(), town.message(unit="ppt"), town.message()
    for person in ("archivist", "leader", "security_reviewer", "operator"):
        town.conflict(person, message_id=kept_from.id)
    missed, confirmed = town.arrival(), town.arrival(ArrivalState.CONFIRMED)
    about = (unrouted, routed, elsewhere, kept_from)
    made = [town.task("release", role, message=message) for message in about]
    # A message keeps the id of the arrival that it came as: the task is about the message.
    made.append(town.task("release", role, message=routed, subject=missed.id))
    made += [town.task("missed", role, subject=each.id) for each in (missed, confirmed)]
    made.append(town.task("new_action", role))
    town.task("release", role, message=unrouted, state=TaskState.DONE)
    for age, task in enumerate(made):
        task.opened_at = NOW - timedelta(hours=age)
    town.session.flush()
    return made[::-1]


@pytest.mark.parametrize("role", [*map(Role, CLOSERS.split()), Role.HANDLER])
def test_tasks_are_listed_oldest_first_exactly_when_they_may_be_known_of(
    town: Town, session: Session, role: Role
) -> None:
    capacity = town.capacity(role.value, role, "bv")
    made = tasks_for(town, role)
    tasks_for(town, Role.CASE_SYSTEM)

    found = known_tasks(session, (POLICY, POLICY), NOW, capacity=capacity, at_most=99)

    wanted = [task.id for task in made if may_know(session, capacity, task)]
    assert [task.id for task in found] == wanted
    assert bool(wanted) is (role is not Role.HANDLER)
    some = known_tasks(session, (POLICY, POLICY), NOW, capacity=capacity, at_most=2)
    assert [task.id for task in some] == wanted[:2]


def test_task_names_its_arrival_only_if_it_is_about_one(town: Town, session: Session) -> None:
    ada = town.capacity("archivist", Role.ARCHIVIST, "bv")
    message, arrival = town.message(MessageState.UNROUTED, unit=None), town.arrival()
    town.task("release", Role.ARCHIVIST, message=message, subject=arrival.id)
    town.task("missed", Role.ARCHIVIST, subject=arrival.id)

    found = known_tasks(session, (POLICY, POLICY), NOW, capacity=ada, at_most=9)

    assert {(task.message_id, task.arrival_id) for task in found} == {
        (message.id, None),
        (None, arrival.id),
    }
