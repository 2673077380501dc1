"""Unusual use is told once a day to a reviewer who had no part in it, and counted without names."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlmodel import col, select

from inbox.access.question import Capacity
from inbox.domain import PersonId
from inbox.errors import Conflict
from inbox.health.current import conditions_of
from inbox.line.access.grants import breakglass, grant
from inbox.line.moves import archive_staff, content, unit
from inbox.tables import Task
from inbox.web.metrics import exposition_of
from inbox.web.operator_totals import totals_of
from tests import databases
from tests.line.school import School, school
from tests.worker_thread import until, working

REASON = "Haster"


@pytest.fixture(scope="module")
def one_school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder = tmp_path_factory.mktemp("hall")
    with school(databases.sqlite_database(folder), folder) as made:
        terms = replace(
            made.line.terms,
            breakglass_per_person_day=2,
            breakglass_per_unit_week=4,
            opens_per_person_hour=2,
        )
        made.world.line = replace(made.line, terms=terms)
        yield made


@pytest.fixture
def hall(one_school: School) -> Iterator[School]:
    """The same school eight days later: nothing of another test counts, and its alarms are told."""
    ordinary = one_school.line
    one_school.world.clock.now = datetime.combine(
        one_school.world.clock.now.date() + timedelta(days=8), time(8), UTC
    )
    yield one_school
    one_school.world.line = ordinary


def alarms(hall: School) -> list[tuple[str | None, str, str, str | None]]:
    """Code, role, state and unit of the alarms of this week."""
    with hall.line.store.reading() as tx:
        found = tx.exec(
            select(Task)
            .where(col(Task.kind) == "unusual", col(Task.opened_at) > tx.now - timedelta(days=7))
            .order_by(col(Task.opened_at))
        ).all()
        return [(task.code, task.role, task.state.value, task.unit) for task in found]


def alarm(hall: School, code: str) -> str:
    with hall.line.store.reading() as tx:
        told = select(Task.id).where(col(Task.code) == code, col(Task.closed_at).is_(None))
        return tx.exec(told.order_by(col(Task.opened_at).desc())).all()[0]


def take(hall: School, capacity: Capacity, times: int = 1) -> None:
    for _ in range(times):
        breakglass(hall.line, capacity, hall.message(), reason=REASON)


def test_unusual_breakglass_by_one_person_opens_one_task_a_day(
    hall: School,
) -> None:
    nina = hall.handler()
    take(hall, nina, 2)
    assert alarms(hall) == []

    take(hall, nina, 2)
    told = [("unusual.breakglass_person", "security_reviewer", "OPEN", None)]
    assert alarms(hall) == told
    archive_staff.close_by_hand(
        hall.line, hall.siv(), alarm(hall, "unusual.breakglass_person"), reason="Sett på"
    )
    assert [state for _, _, state, _ in alarms(hall)] == ["DONE"]

    hall.later(hours=14, minutes=59)  # 22:59 UTC: a minute to midnight here
    terms = replace(hall.line.terms, breakglass_per_unit_week=99)
    hall.world.line = replace(hall.line, terms=terms)
    take(hall, nina)
    assert len(alarms(hall)) == 1
    hall.later(minutes=1)
    take(hall, nina)
    assert len(alarms(hall)) == 2


def test_grants_do_not_count_as_unusual_breakglass(hall: School) -> None:
    for _ in range(5):
        to, lasts = PersonId("nina"), timedelta(days=1)
        grant(hall.line, hall.kari(), hall.message(), to=to, duration=lasts, reason=REASON)

    take(hall, hall.handler())

    assert alarms(hall) == []


def test_breakglass_a_day_old_does_not_count_as_unusual(hall: School) -> None:
    take(hall, hall.handler(), 2)
    hall.later(hours=24)

    take(hall, hall.handler(), 2)

    assert alarms(hall) == []


def test_unusual_breakglass_in_a_unit_within_a_week_opens_a_task(
    hall: School,
) -> None:
    nina, ola = hall.handler(), hall.handler("ola")
    take(hall, nina, 2)
    hall.later(days=2)
    take(hall, ola, 2)
    assert alarms(hall) == []

    hall.later(days=4, hours=23)
    take(hall, hall.handler("lars"))

    assert alarms(hall) == [("unusual.breakglass_unit", "security_reviewer", "OPEN", None)]


def test_unusual_use_task_cannot_be_closed_by_an_involved_person(hall: School) -> None:
    take(hall, hall.handler("ola"))
    hall.later(days=7)
    take(hall, hall.handler("lars"), 3)
    take(hall, hall.handler(), 2)
    of_person, of_unit = (
        alarm(hall, "unusual.breakglass_person"),
        alarm(hall, "unusual.breakglass_unit"),
    )

    for task in (of_person, of_unit):
        with pytest.raises(Conflict, match=r"task\.about_oneself"):
            archive_staff.close_by_hand(hall.line, hall.siv("lars"), task, reason=REASON)
        archive_staff.close_by_hand(hall.line, hall.siv("ola"), task, reason=REASON)

    assert {state for _, _, state, _ in alarms(hall)} == {"DONE"}


def test_opening_unusually_many_messages_in_an_hour_opens_a_task(hall: School) -> None:
    nina, messages = hall.handler(), [hall.offered() for _ in range(4)]
    for message_id in messages:
        unit.take(hall.line, nina, message_id)

    for _ in range(3):
        content.read(hall.line, nina, messages[0])
    content.read(hall.line, nina, messages[1])
    assert alarms(hall) == []
    hall.later(hours=1)
    content.read(hall.line, nina, messages[2])
    content.read(hall.line, nina, messages[1])
    assert alarms(hall) == []
    content.read(hall.line, nina, messages[3])

    assert alarms(hall) == [("unusual.opens", "security_reviewer", "OPEN", None)]


def test_metrics_count_unusual_use_tasks_without_naming_person_or_unit(hall: School) -> None:
    before = _metric(hall, "unusual"), _metric(hall, "review")

    take(hall, hall.handler(), 3)

    assert (_metric(hall, "unusual"), _metric(hall, "review")) == (before[0] + 1, before[1] + 3)
    told = exposition_of(totals_of(hall.line), conditions_of(hall.line)).decode()
    assert not [name for name in ("nina", "skole") if name in told]


def _metric(hall: School, kind: str) -> float:
    count = totals_of(hall.line).tasks.get(kind)
    told = exposition_of(totals_of(hall.line), conditions_of(hall.line)).decode()
    number = 0 if count is None else count.number
    assert (f'inbox_tasks_open{{kind="{kind}"}} {float(number)}' in told) is (count is not None)
    return number


def test_review_task_of_breakglass_cannot_be_closed_by_hand(hall: School) -> None:
    row = breakglass(hall.line, hall.handler(), hall.message(), reason=REASON)
    with hall.line.store.reading() as tx:
        reviews = select(Task.id).where(col(Task.subject_id) == row.id, col(Task.kind) == "review")
        task = tx.exec(reviews).one()

    with pytest.raises(Conflict, match=r"task\.closes_itself"):
        archive_staff.close_by_hand(hall.line, hall.siv(), task, reason=REASON)


def test_worker_closes_the_task_of_an_expired_grant(hall: School) -> None:
    short, long = [
        grant(
            hall.line,
            hall.kari(),
            hall.message(),
            to=PersonId("nina"),
            duration=timedelta(days=days),
            reason=REASON,
        )
        for days in (1, 2)
    ]
    hall.later(hours=24)

    with working(hall.world):
        until(lambda: hall.tasks(short.id) == set())

    assert hall.tasks(long.id) == {("granted", "handler", "skole")}
    assert [leaf["who"] for leaf in hall.leaves("task:done", _task(hall, short.id))] == ["worker"]


def _task(hall: School, subject: str) -> str:
    with hall.line.store.reading() as tx:
        return tx.exec(select(Task.id).where(col(Task.subject_id) == subject)).one()
