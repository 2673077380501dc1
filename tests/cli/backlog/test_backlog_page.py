"""The page on what waits: its commands are given to the program; it has every kind of task."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from typer.main import get_command

from inbox.cli import app
from inbox.cli.backlog.settling_commands import SETTLING_COMMANDS
from inbox.cli.common.lazy import COMMANDS
from inbox.domain import new_id
from inbox.line.settle import open_task
from inbox.line.task_kinds import ROLE_OF_TASK, TaskKind
from tests.cli.backlog.office import REASON, Office
from tests.cli.page_commands import fits, shown

PAGE: Final = Path(__file__).parents[3] / "docs" / "backlog.md"
_TAKES_REASON: Final = re.compile(r" (propose-\w+|withdraw|hand-back|accept|close)|receipt send-")


def sections() -> Iterator[tuple[str, str]]:
    """The heading of each section of the page, and its text."""
    for part in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        yield heading, text


def _missed(office: Office) -> dict[str, str]:
    return {"ARRIVAL": office.world.arrival(office.missed()).id}


def _unrouted(office: Office) -> dict[str, str]:
    return {"MESSAGE": office.arrived("Om noe annet").id}


def _offered(office: Office) -> dict[str, str]:
    return {"DELIVERY": office.world.delivery(office.arrived("Melding om barnevern").id).id}


def _unanswered(office: Office) -> dict[str, str]:
    return {"MESSAGE": office.unanswerable().id}


def _tasks(office: Office) -> dict[str, str]:
    office.missed()
    office.arrived("Om noe helt annet")
    stuck = new_id()
    with office.world.line.store.transaction() as tx:
        open_task(tx, kind=TaskKind.STUCK, subject=new_id(), task_id=stuck)
    (missed,) = office.value("task", "list", "--kind", "missed")["tasks"]
    return {"TASK": missed["id"], "STUCK": stuck}


_WAITING: Final[Mapping[str, Callable[[Office], dict[str, str]]]] = {
    "Mail that was missed": _missed,
    "Messages": _unrouted,
    "Deliveries": _offered,
    "Receipts": _unanswered,
    "Tasks": _tasks,
}
"""What waits before the commands of each section are given."""


def test_command_examples_in_backlog_md_match_program_output(office: Office) -> None:
    run = set()
    for heading, text in sections():
        ids = _WAITING[heading](office)
        for command, expected in shown(text):
            words = [ids.get(word, word) for word in shlex.split(command)]
            assert words.pop(0) == "inbox"
            reason = REASON if _TAKES_REASON.search(command) else None
            if "--by" in words:
                by = words[words.index("--by") + 1]
                del words[words.index("--by") : words.index("--by") + 2]
                told = office.says(by, *words, reason=reason)
            else:
                told = office.ask(*words)
            if "propose-" in command:
                ids["PROPOSAL"] = told.out.partition(":")[0]
            for name, value in ids.items():
                expected = expected.replace(name, value)  # noqa: PLW2901 - with the ids of this run
            assert fits(expected, told.out + told.err), f"{command}\n{told.out}{told.err}"
            run.add(tuple(command.split()[1:3]))
            office.work()

    assert {group for group, _ in run} >= {"arrival", "proposal", "delivery", "receipt", "task"}
    assert {group for group, _ in run} <= set(COMMANDS)
    assert len(run) > 20


def test_every_kind_of_task_is_in_backlog_md_with_its_role_and_its_commands() -> None:
    table = PAGE.read_text().partition("| kind |")[2]
    rows = {
        kind: (role, re.findall(r"`(inbox [^`]+)`", commands))
        for kind, role, commands in re.findall(
            r"^\| `(\w+)` \| [^|]+ \| (\w+) \| (.+) \|$", table, re.MULTILINE
        )
    }

    assert rows == {
        kind.value: (role, [_without_ids(each) for each in SETTLING_COMMANDS[kind]])
        for kind, role in ROLE_OF_TASK.items()
    }


def _without_ids(command: str) -> str:
    words = command.split()[:3]
    return " ".join(word for word in words if word == word.lower() and not word.startswith("--"))


def test_every_kind_of_task_has_commands_that_exist() -> None:
    root: Any = get_command(app)
    context = root.make_context("inbox", [], resilient_parsing=True)

    assert set(SETTLING_COMMANDS) == set(TaskKind) == set(ROLE_OF_TASK)
    for commands in SETTLING_COMMANDS.values():
        assert commands
        for command in commands:
            words = [word for word in command.split()[1:] if word == word.lower()]
            here, within = root, context
            for word in words:
                if word.startswith("--"):
                    assert word in [option for each in here.params for option in each.opts]
                    continue
                found = here.get_command(within, word)
                assert found is not None, command
                within = found.make_context(word, [], parent=within, resilient_parsing=True)
                here = within.command
