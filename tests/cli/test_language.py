"""The option --language: one for all commands, INBOX_LANGUAGE beside it, and JSON that stays."""

import shutil
from pathlib import Path

import pytest

from inbox.migrations import shipped_folder
from tests.cli.backlog.staff_commands import SPEAKING, commands
from tests.cli.installation import Installed
from tests.cli.rule_edits import EXCEPT_DPF, RULE_FILE, replace_in_file


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
    assert "in_unit and assigned and cleared and readable, log" in text
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
