"""The front page: figures, what is late, tasks of one's own; arrivals and proposals that wait."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity
from inbox.domain import ArrivalState, MessageState, TaskState, new_id
from inbox.errors import NotFound
from inbox.line.backlog.own_tasks import own_tasks
from inbox.line.desk.approval_queue import ApprovalRole, approval_page
from inbox.line.desk.arrival_queue import arrival_page, arrival_view
from inbox.line.desk.front_page import FIGURES, front_page
from inbox.line.desk.queues import Queue
from inbox.line.proposals.message_proposals import ProposalKind, approve, propose
from inbox.package.codes.registry import CODES
from inbox.tables import Task
from tests.line.desk.desk_world import CANARY, arrival, at, mail, statements, trusting
from tests.line.school import School, school_on

_M = MessageState
REVIEWED = next(code for code, said in CODES.items() if said.waivable and said.needs_reviewer)
WAIVABLE = next(code for code, said in CODES.items() if said.waivable and not said.needs_reviewer)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def hall(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[School]:
    with school_on(request, tmp_path) as made:
        made.world.edited = True
        yield made


def task(hall: School, subject: str, kind: str, role: str, **columns: Any) -> str:
    task_id = new_id()
    with hall.line.store.transaction() as tx:
        tx.add(
            Task(
                id=task_id,
                kind=kind,
                subject_id=subject,
                role=role,
                state=TaskState.OPEN,
                opened_at=tx.now,
                **columns,
            )
        )
    return task_id


def bjorn(hall: School) -> Capacity:
    return hall.world.person("bjorn", hall.anne().role, "desk", strong=True)


def everybody(hall: School) -> list[Capacity]:
    return [
        *(hall.anne(), hall.kari(), hall.lars(), hall.handler(), hall.handler("per", "ppt")),
        *(hall.siv(), hall.siv("lars")),
    ]


# Figures and what is late


def test_front_page_shows_figures_with_the_age_and_cause_of_the_oldest(hall: School) -> None:
    mail(hall, received_at=at(hall, days=9), code="route.no_rule")
    mail(hall, _M.QUARANTINED, unit=None, code="x.y")
    arrival(hall, announced_at=at(hall, days=1))

    page = front_page(hall.line, hall.anne())

    shown = {queue: page.figures[queue] for queue in FIGURES}
    assert [figure.count for figure in shown.values()] == [1, 1, 1, 0, 0, 0]
    assert (shown[Queue.DISTRIBUTE].oldest_code, shown[Queue.DISTRIBUTE].oldest_age) == (
        "route.no_rule",
        7,
    )
    assert shown[Queue.MISSED].oldest_age == 1


def test_front_page_shows_the_oldest_late_messages_wherever_they_lie(hall: School) -> None:
    late = [mail(hall, _M.ROUTED, received_at=at(hall, days=20 - n)) for n in range(3)]
    mail(hall)
    mail(hall, _M.ANSWERED, received_at=at(hall, days=99))

    page = front_page(hall.line, hall.anne(), late_at_most=2)

    assert [row.id for row in page.late] == late[:2]
    assert CANARY not in repr(page)


def test_front_page_takes_as_many_statements_whatever_there_is(hall: School) -> None:
    line, anne = trusting(hall.line), hall.anne()
    seen = []
    for number in (1, 8):
        for _ in range(number):
            message_id = mail(hall, received_at=at(hall, days=9))
            arrival_id = arrival(hall)
            task(hall, message_id, "distribute", "archivist", message_id=message_id)
            task(hall, arrival_id, "missed", "archivist")
            propose(
                line, bjorn(hall), ProposalKind.REFUSE, message_id, code="unreadable", reason="R"
            )
        with statements(line.store.engine) as texts:
            page = front_page(line, anne)
        seen.append(texts)

    assert len(seen[0]) == len(seen[1])
    assert len(seen[0]) <= 14
    assert len(page.tasks) >= 10


# Tasks


def test_tasks_of_the_front_page_are_those_that_the_policy_lets_each_know_of(hall: School) -> None:
    for state in (_M.UNROUTED, _M.ROUTED, _M.RETURNED):
        message_id = mail(hall, state)
        for kind, role in (("distribute", "archivist"), ("release", "leader"), ("a", "handler")):
            task(hall, message_id, kind, role, message_id=message_id, unit="skole")
    task(hall, arrival(hall), "missed", "archivist")
    task(hall, arrival(hall, organisation="915933149"), "missed", "archivist")
    task(hall, "policy", "new_action", "security_reviewer")
    task(hall, new_id(), "leaver", "leader", unit="ppt")
    message_id = mail(hall, _M.ROUTED)
    task(hall, message_id, "review", "security_reviewer", message_id=message_id)
    hall.conflict("lars", message_id)
    task(hall, message_id, "release", "leader", message_id=message_id, unit="skole")

    seen = set()
    for capacity in everybody(hall):
        shown = [each.task.id for each in front_page(hall.line, capacity, tasks_at_most=99).tasks]
        known = own_tasks(hall.line, capacity, [col(Task.state) == TaskState.OPEN], at_most=99)
        assert shown == [each.id for each in known], capacity
        seen.update(shown)

    with hall.line.store.reading() as tx:
        everything = set(tx.exec(select(Task.id)))
    assert seen < everything
    assert len(seen) > 8


def test_front_page_says_when_there_are_more_tasks_than_it_shows(hall: School) -> None:
    ids = [
        task(hall, message_id := mail(hall), "distribute", "archivist", message_id=message_id)
        for _ in range(3)
    ]

    page = front_page(hall.line, hall.anne(), tasks_at_most=2)

    assert (len(page.tasks), page.more_tasks) == (2, True)
    assert {each.task.id for each in page.tasks} < set(ids)
    assert all(each.reference for each in page.tasks)


# Arrivals


def test_missed_arrivals_are_listed_oldest_first_for_those_who_may_see_them(hall: School) -> None:
    made = [arrival(hall, announced_at=at(hall, hours=9 - n)) for n in range(5)]
    arrival(hall, ArrivalState.CONFIRMED)
    arrival(hall, organisation="915933149")

    first = arrival_page(hall.line, hall.anne(), at_most=3)
    rest = arrival_page(hall.line, hall.anne(), after=first.cursor, at_most=3)

    assert [row.id for row in (*first.rows, *rest.rows)] == made
    assert rest.cursor is None
    assert arrival_page(hall.line, hall.kari()).rows == ()


def test_arrival_is_shown_with_what_may_be_done_to_it(hall: School) -> None:
    arrival_id = arrival(hall)

    view = arrival_view(hall.line, hall.anne(), arrival_id)

    assert view.row.id == arrival_id
    assert view.decisions[Action.REFETCH].allowed
    assert view.decisions[Action.PROPOSE].allowed
    assert (view.open_proposal, view.row.sender) == (None, None)
    for capacity, wanted in ((hall.kari(), arrival_id), (hall.anne(), new_id())):
        with pytest.raises(NotFound):
            arrival_view(hall.line, capacity, wanted)


# Proposals


def roles(hall: School, capacity: Capacity) -> dict[str, ApprovalRole]:
    return {row.id: row.viewer for row in approval_page(hall.line, capacity).rows}


def test_proposals_are_listed_for_who_could_approve_them_and_for_their_proposer(
    hall: School,
) -> None:
    line, anne = hall.line, hall.anne()
    refusal = propose(line, anne, ProposalKind.REFUSE, mail(hall), code="unreadable", reason="R")
    held = mail(hall, _M.QUARANTINED, unit=None, code=WAIVABLE)
    release = propose(line, anne, ProposalKind.QUARANTINE_RELEASE, held, code=WAIVABLE, reason="R")
    graded = mail(hall, _M.QUARANTINED, unit=None, code=REVIEWED)
    reviewed = propose(
        line, anne, ProposalKind.QUARANTINE_RELEASE, graded, code=REVIEWED, reason="R"
    )

    assert roles(hall, anne) == dict.fromkeys([refusal, release, reviewed], ApprovalRole.PROPOSER)
    assert roles(hall, bjorn(hall)) == dict.fromkeys([refusal, release], ApprovalRole.APPROVER)
    assert roles(hall, hall.siv()) == {reviewed: ApprovalRole.APPROVER}
    assert roles(hall, hall.handler()) == {}

    hall.later(days=15)

    assert roles(hall, anne) == {}


def test_proposal_that_is_listed_for_approval_can_be_approved(hall: School) -> None:
    refusal = propose(
        hall.line, hall.anne(), ProposalKind.REFUSE, mail(hall), code="unreadable", reason="R"
    )
    (row,) = approval_page(hall.line, bjorn(hall)).rows

    approve(hall.line, bjorn(hall), row.id)

    assert (row.id, row.proposer_name, row.kind) == (refusal, "Anne Arkivar", ProposalKind.REFUSE)
    assert approval_page(hall.line, bjorn(hall)).rows == ()


def test_proposal_is_hidden_from_an_approver_in_conflict(hall: School) -> None:
    message_id = mail(hall)
    propose(hall.line, hall.anne(), ProposalKind.REFUSE, message_id, code="unreadable", reason="R")
    hall.conflict("bjorn", message_id)

    assert roles(hall, bjorn(hall)) == {}
