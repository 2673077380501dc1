"""A task tells the security reviewers of an action that the active policy is too old to know."""

from dataclasses import replace

from sqlmodel import col, select

from inbox.access.files.active import ActivePolicies
from inbox.domain import TaskState
from inbox.line.settle import close_tasks
from inbox.line.task_kinds import TaskKind
from inbox.line.upkeep.gap import compare_and_report
from inbox.line.upkeep.new_actions import report_new_actions
from inbox.tables import Task
from tests.access.kept_policies import files_of_fewer_names, keep_as_rule_1
from tests.access.town import files_of_vocabulary_1
from tests.line.old_database import checkpoint_file, sign_more_than_is_there
from tests.worlds import World


def tasks(world: World) -> list[tuple[str, str | None, str, TaskState]]:
    with world.line.store.reading() as tx:
        query = select(Task).where(col(Task.kind) == TaskKind.NEW_ACTION.value)
        found = tx.exec(query.order_by(col(Task.opened_at))).all()
        return [(task.subject_id, task.code, task.role, task.state) for task in found]


def keep(world: World, files: dict[str, bytes]) -> None:
    """Make the files the active policy, as a program of before did."""
    with world.line.store.transaction() as tx:
        keep_as_rule_1(tx, files)


def older(world: World) -> World:
    """The world as it would be after an upgrade: its policy has no word for `note`."""
    world.line = replace(world.line, policies=ActivePolicies())
    keep(world, files_of_fewer_names())
    world.edited = True
    return world


def test_new_action_without_rows_is_a_task_for_security_reviewers_once(small_world: World) -> None:
    world = older(small_world)

    report_new_actions(world.line)
    report_new_actions(world.line)

    assert sorted(tasks(world)) == [
        (action, action, "security_reviewer", TaskState.OPEN)
        for action in ("ask_access", "declare_conflict", "end_conflict", "figures", "note")
    ]


def test_task_closes_by_itself_when_the_policy_decides_the_action(small_world: World) -> None:
    world = older(small_world)
    report_new_actions(world.line)
    keep(world, files_of_vocabulary_1())

    report_new_actions(world.line)

    assert [state for subject, *_, state in tasks(world) if subject == "note"] == [TaskState.DONE]


def test_task_that_a_person_closed_is_not_opened_again(small_world: World) -> None:
    world = older(small_world)
    report_new_actions(world.line)
    with world.line.store.transaction() as tx:
        close_tasks(tx, subject="note", kinds=[TaskKind.NEW_ACTION], who="siv")

    report_new_actions(world.line)

    assert [state for subject, *_, state in tasks(world) if subject == "note"] == [TaskState.DONE]


def test_shipped_policy_opens_no_task_for_new_actions(small_world: World) -> None:
    report_new_actions(small_world.line)

    assert tasks(small_world) == []


def test_no_task_is_opened_while_the_policy_cannot_be_read(small_world: World) -> None:
    world = older(small_world)
    files = files_of_fewer_names()
    keep(world, {**files, "deny.csv": files["deny.csv"].replace(b"p, D01,", b"P, D01,")})

    report_new_actions(world.line)

    assert tasks(world) == []


def test_no_task_is_opened_while_the_line_holds_still(small_world: World) -> None:
    world = older(small_world)
    sign_more_than_is_there(world)
    assert compare_and_report(world.line, checkpoint_file(world)) is not None

    report_new_actions(world.line)

    assert tasks(world) == []
