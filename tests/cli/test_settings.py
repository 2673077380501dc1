"""Settings: what is refused and how it is said, and what is shown."""

import json
import tomllib

import pytest

from tests.cli.conftest import SETTINGS, Installation, run_here


def test_an_unknown_key_in_the_file_is_named_with_those_there_are(bare: Installation) -> None:
    bare.config.write_text("databse = 'x'\n" + SETTINGS.format(folder=bare.folder))

    told = bare.inbox("config", "check")

    assert told.code == 2
    assert "databse: is no setting; there are" in told.err
    assert "database" in told.err


def test_an_unknown_key_in_a_part_of_the_file_is_named_too(bare: Installation) -> None:
    bare.config.write_text(SETTINGS.format(folder=bare.folder) + "undo_hours = 1\n")

    told = bare.inbox("serve")

    assert told.code == 2
    assert "terms.undo_hours: is no setting; there are" in told.err


def test_an_unknown_key_in_the_environment_is_named(bare: Installation) -> None:
    told = bare.inbox("config", "check", env={"INBOX_DATABSE": "sqlite:///secret"})

    assert told.code == 2
    assert "INBOX_DATABSE is no setting" in told.err
    assert "secret" not in told.err


def test_the_environment_goes_before_the_file(bare: Installation) -> None:
    told = bare.inbox("config", "show", "--json", env={"INBOX_ORIGIN": "other.example"})

    assert json.loads(told.out)["origin"] == "other.example"


def test_no_settings_at_all_says_how_to_name_the_file() -> None:
    told = run_here("config", "check")

    assert told.code == 2
    assert "--config" in told.err


def test_a_file_that_is_not_there_is_one_line(bare: Installation) -> None:
    bare.config.unlink()

    told = bare.inbox("config", "check")

    assert told.code == 2
    assert told.err == "inbox: config.unreadable: inbox.toml: No such file or directory\n"


def test_a_file_that_is_no_toml_is_said_with_its_line(bare: Installation) -> None:
    bare.config.write_text("database\n")

    told = bare.inbox("config", "check")

    assert told.code == 2
    assert "inbox.toml is not TOML" in told.err


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_no_password_is_shown(bare: Installation, flags: list[str]) -> None:
    address = "postgresql://inbox:hemmelig@db.example/inbox?passfile=hemmelig"

    told = bare.inbox("config", "show", *flags, env={"INBOX_DATABASE": address})

    assert told.code == 0
    assert "hemmelig" not in told.out
    assert "db.example/inbox" in told.out


def test_what_is_shown_is_toml_that_says_the_same(bare: Installation) -> None:
    told = bare.inbox("config", "show")

    shown = tomllib.loads(told.out)
    assert shown["origin"] == "test.example/inbox"
    assert shown["worker"]["small"] == 3
    assert "# policies is not set" in told.out


def test_settings_that_can_be_used_are_fine(bare: Installation) -> None:
    assert bare.inbox("config", "check").code == 0
