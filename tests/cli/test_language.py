"""The option --language: one for all commands, INBOX_LANGUAGE beside it, and JSON that stays."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer._click import Command, Context
from typer.main import get_command

from inbox.cli import app
from inbox.cli.common.lazy import COMMANDS
from inbox.migrations import shipped_folder
from tests.cli.installation import Installed
from tests.cli.rule_edits import EXCEPT_DPF, RULE_FILE, replace_in_file

SPEAKING = {
    *("package inspect", "message held", "message list", "message show", "message missed"),
    *("arrival list", "arrival show", "delivery list", "delivery show", "receipt list"),
    *("task list", "task show", "proposal list", "proposal show"),
    *("policy lint", "route lint"),
    *(f"route {name}" for name in ("show", "diff", "explain", "simulate")),
    *(f"policy {name}" for name in ("show", "prove", "diff", "explain", "who-can", "what-can")),
}


def commands() -> Iterator[tuple[str, Command]]:
    """Every command of the program, by its words."""
    group = get_command(app)
    for name in COMMANDS:
        context = group.get_command(Context(group), name).make_context(  # type: ignore[attr-defined]
            name, [], resilient_parsing=True
        )
        found = context.command
        inner = getattr(found, "commands", None)
        if inner is None:
            yield name, found
        for word, command in (inner or {}).items():
            yield f"{name} {word}", command


def test_every_command_that_speaks_a_language_has_the_same_option() -> None:
    options = {
        words: option
        for words, command in commands()
        for option in command.params
        if "--language" in option.opts
    }

    assert options.keys() >= SPEAKING
    assert {option.envvar for option in options.values()} == {"INBOX_LANGUAGE"}
    assert {option.default for option in options.values()} == {None}
    assert len({getattr(option, "help", "") for option in options.values()}) == 1


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A policy folder in which somebody has widened a row."""
    folder = Path(shutil.copytree(shipped_folder("policies"), tmp_path / "other"))
    replace_in_file(folder / RULE_FILE, EXCEPT_DPF, "")
    text = (folder / "allow.csv").read_text()
    assert "in_unit and assigned and cleared, log" in text
    (folder / "allow.csv").write_text(text.replace("in_unit and assigned and cleared", "assigned"))
    return folder


@pytest.mark.parametrize(
    "words", [*(f"policy {each}" for each in ("show", "prove", "diff", "lint")),
              *("route show", "route diff", "route explain --sender 312100010")]
)  # fmt: skip
def test_json_is_the_same_in_every_language_and_text_is_not(
    empty: Installed, other: Path, words: str
) -> None:
    folders = [str(shipped_folder("policies")), str(other)]
    more = folders if words.endswith("diff") else ["--policies", str(other)]
    asked = [*words.split(), *more]

    values = {empty.ask(*asked, "--language", each, "--json").out for each in ("nb", "nn", "en")}
    texts = {empty.ask(*asked, "--language", each).out for each in ("nb", "nn", "en")}

    assert len(values) == 1
    assert len(texts) == 3


def test_environment_chooses_the_language_where_the_option_does_not(
    empty: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("policy", "show", "--policies", str(shipped_folder("policies")))
    nobody_chose = empty.ask(*asked)
    monkeypatch.setenv("INBOX_LANGUAGE", "nn")

    assert "  når dette gjelder:\n" in nobody_chose.out
    assert "  når dette gjeld:\n" in empty.ask(*asked).out
    assert "  when this holds:\n" in empty.ask(*asked, "--language", "en").out
    assert empty.ask("config", "show").code == 0


def test_unknown_language_in_the_environment_is_usage(
    empty: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INBOX_LANGUAGE", "klingon")

    told = empty.ask("policy", "show", "--policies", str(shipped_folder("policies")))

    assert (told.code, told.out) == (2, "")
