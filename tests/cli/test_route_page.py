"""The page on routing rules: it shows what the program says, and every condition."""

import re
import shlex
import shutil
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inbox.access import Role
from inbox.migrations import shipped_folder
from inbox.routing.conditions import ConditionField
from inbox.routing.rule_reader import read_rules
from tests.cli.installation import Answer, Installed, installation_of
from tests.cli.page_commands import fits, shown
from tests.cli.rule_edits import EXCEPT_DPF, RULE_FILE, replace_in_file
from tests.routing.routed_mail import Post
from tests.worlds import World

PAGE = Path(__file__).parents[2] / "docs" / "routing.md"


class Desk:
    """Where the page's commands are given."""

    def __init__(self, world: World, folder: Path) -> None:
        self.program: Installed = installation_of(world)
        world.person("anne", Role.ARCHIVIST, "desk")
        self.code = world.codes["anne"]
        for name in ("policies", "proposed", "broken"):
            shutil.copytree(shipped_folder("policies"), folder / name)
        replace_in_file(folder / "proposed" / RULE_FILE, EXCEPT_DPF, "")
        replace_in_file(folder / "broken" / RULE_FILE, 'to = "ppt"', 'to = "pp"')
        with world.line.store.transaction() as tx:
            post = Post(keyring=world.line.keyring, session=tx)
            (self.message,) = post.receive(1, sender="312117010", at=datetime.now(UTC))
            post.receive(14, sender="312113619", title="Klage", unit="skole", at=datetime.now(UTC))
            post.receive(3, sender="312100010", title="barnevern", at=datetime.now(UTC))

    def run(self, command: str) -> Answer:
        words = [self.message if word == "ID" else word for word in shlex.split(command)]
        assert words[0] == "inbox"
        return self.program.ask(*words[1:], stdin=f"{self.code}\n")


@pytest.fixture
def desk(small_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Desk(small_world, folder)


def test_command_examples_in_routing_md_match_program_output(desk: Desk) -> None:
    commands = list(shown(PAGE.read_text()))

    assert {command.split()[2] for command, _ in commands} == {
        *("lint", "test", "show", "explain", "diff", "simulate")
    }
    for command, output in commands:
        told = desk.run(command)
        assert output.strip(), command
        assert fits(output, told.out + told.err), f"{command}\n{told.out}{told.err}"


def test_page_example_parser_and_matcher_find_commands_and_mismatches() -> None:
    assert list(shown("```text\n$ a b\nc\nd\n$ e\n```\n")) == [("a b", "c\nd\n"), ("e", "")]
    assert fits("a … c\n…\nd\n", "a b c\nx\ny\nd")
    assert not fits("a\n…", "b\na")
    assert not fits("a", "a\nb")


def test_every_routing_condition_is_listed_in_routing_md() -> None:
    table = PAGE.read_text().partition("### Every condition")[2].partition("###")[0]

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [
        str(field) for field in ConditionField
    ]


def test_every_rule_field_is_described_in_routing_md_and_the_example_is_valid() -> None:
    text = PAGE.read_text()
    (example,) = re.findall(r"^```toml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)

    book = read_rules("910075918.toml", example.encode())

    assert len(book.rules) == 1
    for field in (*tomllib.loads(example)["rule"][0], "before"):
        assert re.search(rf"^\|.*`{field}`.*\|", text, re.MULTILINE), field
