"""Who sees what is wrong: those who operate everything, and others nothing about mail."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.health.condition import Level
from inbox.health.record import ConditionRecorder
from inbox.health.visible import visible_conditions
from inbox.line.settle import open_task
from inbox.line.task_kinds import TaskKind
from inbox.tables import HealthConditionRow, Pulse
from tests.line.desk.desk_world import statements
from tests.line.school import School, school_on


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def hall(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[School]:
    with school_on(request, tmp_path) as made:
        made.world.edited = True
        yield made


def operator(hall: School) -> Capacity:
    return hall.world.person("odd", Role.OPERATOR, "desk", strong=False)


def note(hall: School, subject: str, code: str, level: Level = Level.WRONG) -> None:
    with hall.line.store.transaction() as tx:
        tx.add(
            HealthConditionRow(
                subject=subject,
                code=code,
                since=tx.now,
                seen_at=tx.now,
                seen_by="w",
                level=level.value,
            )
        )


def beat(hall: School) -> None:
    """The worker is there."""
    with hall.line.store.transaction() as tx:
        tx.merge(Pulse(name="worker", at=tx.now))


def seen_by(hall: School, capacity: Capacity) -> list[tuple[str, str]]:
    return [(each.subject, each.code) for each in visible_conditions(hall.line, capacity)]


def test_operator_sees_all_conditions_and_an_archivist_none_about_mail_or_units(
    hall: School,
) -> None:
    beat(hall)
    note(hall, "gateway:eformidling", "gateway.silent", Level.UNREADY)
    note(hall, "unit:skole", "unit.no_leader")
    note(hall, "unit:ppt", "unit.no_leader")
    note(hall, "task:damaged", "task.damaged", Level.WARNING)

    assert seen_by(hall, operator(hall)) == [
        ("gateway:eformidling", "gateway.silent"),
        ("unit:ppt", "unit.no_leader"),
        ("unit:skole", "unit.no_leader"),
        ("task:damaged", "task.damaged"),
    ]
    assert seen_by(hall, hall.anne()) == [
        ("gateway:eformidling", "gateway.silent"),
        ("unit", "unit.no_leader"),
    ]


def test_silent_worker_is_seen_though_nobody_can_note_it(hall: School) -> None:
    beat(hall)
    assert seen_by(hall, hall.anne()) == []

    hall.later(minutes=16)

    assert seen_by(hall, hall.anne()) == [("worker", "worker.silent")]


def test_visible_conditions_have_the_level_and_time_that_the_worker_noted(hall: School) -> None:
    with hall.line.store.transaction() as tx:
        open_task(tx, kind=TaskKind.DAMAGED, subject="x")
        began = tx.now
    ConditionRecorder(hall.line, tick=lambda: 0.0).look()
    hall.later(seconds=40)

    (shown,) = [
        each for each in visible_conditions(hall.line, operator(hall)) if each.kind == "task"
    ]

    assert (shown.level, shown.since) == (Level.WARNING, began)
    assert timedelta(seconds=40) < timedelta(minutes=15)


def test_visible_conditions_take_the_same_statements_however_many_there_are(hall: School) -> None:
    seen, capacity = [], replace(hall.anne())
    for number in (1, 9):
        for each in range(number):
            note(hall, f"gateway:g{number}{each}", "gateway.silent")
        with statements(hall.line.store.engine) as texts:
            visible_conditions(hall.line, capacity)
        seen.append(texts)

    assert seen[0] == seen[1]
    assert len(seen[0]) <= 6
