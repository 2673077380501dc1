"""Once a night the worker compares what decides with the audit; what differs is a task."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.days import OSLO
from inbox.domain import TaskState
from inbox.errors import IntegrityError
from inbox.health.current import conditions_of
from inbox.line.moves import archive_staff
from inbox.line.upkeep.state_check import SUBJECT, check_state_nightly
from inbox.tables import CapacityRow, Task
from inbox.web.metrics import exposition_of
from inbox.web.operator_totals import totals_of
from inbox.worker import Worker
from tests.worlds import World

BEGUN = datetime(2026, 11, 20, 12, 0, tzinfo=OSLO)


def _at(world: World, hour: int, *, days: int = 0) -> World:
    """The world at this hour in Norway."""
    world.clock.now = BEGUN.replace(hour=hour) + timedelta(days=days)
    return world


def _edit(world: World, statement: str) -> None:
    """One statement past the program."""
    world.edited = True
    engine = world.line.store.engine.execution_options(inbox_writes=True)
    with engine.begin() as connection:
        assert connection.exec_driver_sql(statement).rowcount > 0


def _tasks(world: World) -> list[Task]:
    with world.line.store.reading() as tx:
        return list(tx.exec(select(Task).where(col(Task.kind) == "state_differs")))


def _metrics(world: World) -> bytes:
    return exposition_of(totals_of(world.line), conditions_of(world.line))


EDIT = "UPDATE capacity SET role = 'other' WHERE id = (SELECT min(id) FROM capacity)"


def test_the_worker_opens_a_task_in_the_night_after_an_edit(world: World) -> None:
    assert check_state_nightly(_at(world, 12).line) is None
    _edit(world, EDIT)
    assert check_state_nightly(_at(world, 23).line) is None

    report = check_state_nightly(_at(world, 2, days=1).line)

    assert report is not None
    assert [finding.table for finding in report.findings] == ["capacity"]
    (task,) = _tasks(world)
    assert (task.role, task.subject_id, task.code) == (
        "security_reviewer",
        SUBJECT,
        "state.differs",
    )
    assert task.sealed_text is None


def test_state_is_checked_once_a_night_and_again_in_the_next(small_world: World) -> None:
    check_state_nightly(_at(small_world, 12).line)

    done = [
        check_state_nightly(_at(small_world, hour, days=days).line) is not None
        for days, hour in ((1, 0), (1, 1), (1, 2), (1, 4), (1, 12), (2, 0), (2, 3), (2, 4))
    ]

    assert done == [False, True, False, False, False, False, True, False]


def test_a_check_in_the_first_hour_of_a_day_does_not_stand_for_its_night(
    small_world: World,
) -> None:
    check_state_nightly(_at(small_world, 0).line)

    assert check_state_nightly(_at(small_world, 1).line) is not None


def test_state_is_checked_by_day_after_36_hours_without_a_night(small_world: World) -> None:
    check_state_nightly(_at(small_world, 12).line)

    assert check_state_nightly(_at(small_world, 23, days=1).line) is None
    assert check_state_nightly(_at(small_world, 0, days=2).line) is not None


def test_an_installation_in_order_gets_no_task(small_world: World) -> None:
    check_state_nightly(_at(small_world, 12).line)
    small_world.send()
    small_world.collect()
    small_world.work()

    report = check_state_nightly(_at(small_world, 3, days=1).line)

    assert report is not None
    assert report.findings == ()
    assert _tasks(small_world) == []


def test_the_task_stays_when_the_row_is_put_back_and_a_reviewer_closes_it(
    small_world: World,
) -> None:
    check_state_nightly(_at(small_world, 12).line)
    _edit(small_world, "UPDATE person SET name = name || '!' WHERE id = 'ola'")
    check_state_nightly(_at(small_world, 2, days=1).line)
    _edit(small_world, "UPDATE person SET name = trim(name, '!') WHERE id = 'ola'")
    check_state_nightly(_at(small_world, 2, days=2).line)
    (task,) = _tasks(small_world)
    assert task.state is TaskState.OPEN

    with small_world.line.store.transaction() as tx:
        tx.add(
            CapacityRow(
                id="r", person="bjorn", unit="desk", role="security_reviewer", active_from=tx.now
            )
        )
    bjorn = small_world.person("bjorn", Role.SECURITY_REVIEWER, "desk")
    archive_staff.close_by_hand(small_world.line, bjorn, task.id, reason="Rettet for hånd")

    assert [each.state for each in _tasks(small_world)] == [TaskState.DONE]


def test_a_check_that_is_stopped_tells_nothing(small_world: World) -> None:
    check_state_nightly(_at(small_world, 12).line)
    _edit(small_world, "DELETE FROM capacity WHERE person = 'ola'")

    report = check_state_nightly(_at(small_world, 2, days=1).line, stopped=lambda: True)

    assert report is not None
    assert report.findings == ()


def test_a_text_that_cannot_be_read_is_a_task_too(small_world: World) -> None:
    check_state_nightly(_at(small_world, 12).line)
    _edit(small_world, "UPDATE person SET name = CAST(x'ff' AS TEXT) WHERE id = 'ola'")

    with pytest.raises(IntegrityError, match=r"database\.damaged"):
        check_state_nightly(_at(small_world, 2, days=1).line)

    assert [task.code for task in _tasks(small_world)] == ["database.damaged"]


def test_metrics_say_that_rows_differ_until_the_task_is_closed(small_world: World) -> None:
    assert b"task.state_differs" not in _metrics(small_world)
    check_state_nightly(_at(small_world, 12).line)
    _edit(small_world, EDIT)

    check_state_nightly(_at(small_world, 2, days=1).line)

    assert b'subject="task:state_differs"} 1.0' in _metrics(small_world)


def test_worker_logs_how_many_rows_differ(
    small_world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    check_state_nightly(_at(small_world, 12).line)
    _edit(small_world, EDIT)
    _at(small_world, 2, days=1)
    worker = Worker(small_world.line, poll_seconds=1, checkpoints=tmp_path / "c.txt")

    with caplog.at_level("INFO", "inbox"):
        worker._check_state()

    (record,) = [each for each in caplog.records if each.message == "state_checked"]
    assert record.__dict__["inbox_fields"] == {"count": 1}
