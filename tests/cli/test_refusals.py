"""What every command that needs something says where it is missing or another's."""

import json
import shutil
import tomllib

import pytest

from inbox.cli.common.lazy import COMMANDS
from tests.cli.database_edits import change
from tests.cli.installation import OURS, Installed, program

INIT = (
    *("init", "--organisation", OURS),
    *("--person", "anne=Anne Arkivar", "--person", "bjorn=Bjorn Arkivar", "--json"),
)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_prints_usage_with_help(empty: Installed, name: str) -> None:
    told = empty.ask(name, "--help")

    assert told.code == 0
    assert f"Usage: inbox {name}" in told.out


@pytest.mark.parametrize(
    "words",
    [
        *(INIT, ("serve",), ("work",), ("message", "list"), ("message", "show", "x")),
        *(("directory", "show"), ("audit", "verify"), ("policy", "show"), ("keys", "add")),
        *((group, "list") for group in ("arrival", "task", "delivery", "receipt", "proposal")),
    ],
)
def test_commands_on_an_empty_database_point_to_database_upgrade(
    empty: Installed, words: tuple[str, ...]
) -> None:
    empty.ask("keys", "create")

    told = empty.ask(*words)

    # A service is started again, since the disk of the database may come later.
    assert told.code == (75 if words[0] in {"serve", "work"} else 2)
    assert told.err.startswith("inbox: database.empty")
    assert "inbox database upgrade" in told.err


@pytest.mark.parametrize(
    "words", [INIT, ("serve",), ("message", "list"), ("audit", "export", "leaves.jsonl")]
)
def test_commands_refuse_a_database_of_another_version(
    installed: Installed, words: tuple[str, ...]
) -> None:
    change(installed, "UPDATE alembic_version SET version_num = '9999'")

    told = installed.ask(*words)

    assert told.code == 2
    assert told.err.startswith("inbox: database.version: the database is of version 9999")
    assert "inbox database upgrade" in told.err


@pytest.mark.parametrize(
    "words", [("serve",), ("work",), ("audit", "verify"), ("audit", "key"), ("keys", "list")]
)
def test_commands_without_keys_point_to_keys_create(
    installed: Installed, words: tuple[str, ...]
) -> None:
    shutil.rmtree(installed.folder / "keys")

    told = installed.ask(*words)

    # A service is started again, since the disk of the keys may come later.
    assert told.code == (75 if words[0] in {"serve", "work"} else 2)
    assert told.err.startswith("inbox: keys.")
    assert "inbox keys create" in told.err


@pytest.mark.parametrize("words", [("serve",), ("work",), ("audit", "verify"), ("keys", "add")])
def test_commands_refuse_the_keys_of_another_installation(
    installed: Installed, words: tuple[str, ...]
) -> None:
    shutil.rmtree(installed.folder / "keys")
    installed.ask("keys", "create")

    told = installed.ask(*words)

    assert told.code == 2
    assert told.err.startswith("inbox: keys.not_these")
    assert "put the right key folder in place" in told.err


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("--desk", "skole=Skole"), "names the desk dokumentsenteret"),
        (("--desk", "skole"), "write ID=NAME"),
        (("--person", "cecilie=Cecilie"), "give --person twice"),
        (("--organisation", "910077473"), "give --desk UNIT=NAME"),
    ],
)
def test_init_with_invalid_desk_person_or_organisation_exits_2(
    empty: Installed, changed: tuple[str, str], said: str
) -> None:
    told = empty.ask(*INIT, *changed)

    assert told.code == 2
    assert said in told.err


def test_init_reads_the_desk_from_the_routing_rules(empty: Installed) -> None:
    empty.ask("keys", "create")
    empty.ask("database", "upgrade")

    told = empty.ask(*INIT)

    assert told.code == 0
    assert "dokumentsenteret" in empty.ask("directory", "show").out


def test_unexpected_error_prints_its_type_without_its_text(installed: Installed) -> None:
    change(
        installed,
        "INSERT INTO message (id, state, version, attempts, organisation, channel, service,"
        " wire_id, digest, size, received_at, shares_wire_id, waivers, urgent, transfers)"
        " VALUES ('m', 'SECRET', 0, 0, '910075918', 'c', 'DPO', 'w', 'd', 1,"
        " '2026-01-01 00:00:00', 0, '', 0, 0)",
    )

    told = installed.ask("message", "list")

    assert told.code == 1
    assert told.err.startswith("inbox: internal: ValueError")
    assert told.err.count("\n") == 1
    assert "SECRET" not in told.err


def test_unknown_key_in_a_settings_section_is_named(empty: Installed) -> None:
    empty.config.write_text(empty.config.read_text() + "undo_hours = 1\n")

    told = empty.ask("serve")

    assert told.code == 2
    assert "worker.undo_hours: there is no such setting; allowed:" in told.err


def test_missing_settings_file_is_reported_in_one_line(empty: Installed) -> None:
    empty.config.unlink()

    told = empty.ask("config", "check")

    assert told.code == 2
    assert told.err == "inbox: config.unreadable: inbox.toml: No such file or directory\n"


def test_environment_overrides_the_settings_file(empty: Installed) -> None:
    words = ("--config", empty.config, "config", "show", "--json")

    told = program(*words, env={"INBOX_ORIGIN": "other.example"})

    assert json.loads(told.out)["origin"] == "other.example"


def test_config_show_prints_valid_toml_and_notes_unset_keys(empty: Installed) -> None:
    told = empty.ask("config", "show")

    shown = tomllib.loads(told.out)
    assert shown["origin"] == "inbox"
    assert shown["worker"]["poll_seconds"] == 0.2
    assert "# policies is not set" in told.out
