"""`inbox doctor` and `inbox task show` give the rows to propose for an action without any."""

import re

import pytest

from inbox.line.upkeep.new_actions import report_new_actions
from tests.access.kept_policies import files_of_fewer_names, keep_as_rule_1
from tests.cli.installation import Answer, Installed, installation_of
from tests.worlds import World

ROW = (
    "p, A47b, note, handler leader, cleared and ((in_unit and assigned) or leads) and readable,"
    " log, allow"
)
FENCE = "p, D03c, note, *, conflict, none, deny"


@pytest.fixture
def upgraded(small_world: World) -> Installed:
    """The program of today on a database whose policy was written without the action `note`."""
    with small_world.line.store.transaction() as tx:
        keep_as_rule_1(tx, files_of_fewer_names())
    small_world.edited = True
    return installation_of(small_world)


def said_of(answer: Answer, subject: str) -> list[dict[str, str]]:
    """What doctor says of one subject."""
    value = answer.value
    assert isinstance(value, list)
    return [each for each in value if each["subject"] == subject]


def test_doctor_gives_the_rows_to_propose_for_a_new_action(upgraded: Installed) -> None:
    answer = upgraded.ask("doctor", "--json")

    (found,) = said_of(answer, "policies:note")
    active = [each["means"] for each in said_of(answer, "policies")]
    assert (found["level"], found["code"]) == ("warning", "policy.new_action")
    assert ROW in str(found)
    assert FENCE in str(found)
    (later,) = [means for means in active if "written for: " in means]
    assert {"needs_reviewer", "note", "undo"} <= set(later.rpartition(": ")[2].split(", "))


def test_task_show_gives_the_rows_to_propose_for_a_new_action(
    upgraded: Installed, small_world: World
) -> None:
    report_new_actions(small_world.line)

    listed = upgraded.ask("task", "list", "--kind", "new_action", "--json").value
    assert isinstance(listed, dict)
    (task,) = [each for each in listed["tasks"] if each["code"] == "note"]
    told = upgraded.ask("task", "show", task["id"])

    assert (task["role"], task["code"]) == ("security_reviewer", "note")
    assert re.findall(r"^  row to propose (.*)$", told.out, re.MULTILINE)[1:] == [ROW, FENCE]
    assert "  settled by     inbox policy propose" in told.out
    shown = upgraded.ask("task", "show", task["id"], "--json").value
    assert isinstance(shown, dict)
    assert shown["rows"][1:] == [ROW, FENCE]
