"""Keys, database and the first two people: the order, and what is said when it is not kept."""

import shutil
import stat

import pytest

from inbox.cli.init import init
from inbox.store import SCHEMA
from tests import worlds
from tests.cli.conftest import INIT, Installation


def test_keys_are_made_once_and_never_shown(bare: Installation) -> None:
    made = bare.inbox("keys", "create")
    again = bare.inbox("keys", "create")
    listed = bare.inbox("keys", "list")

    assert made.code == 0
    assert "audit test.example/inbox+" in made.out
    assert again.code == 1
    assert "keys.exist" in again.err
    assert "inbox keys add" in again.err
    secrets = [path.read_text().strip() for path in (bare.folder / "keys").glob("*.key")]
    assert len(secrets) == 3
    assert [s for s in secrets if s in made.out + listed.out] == []


def test_an_added_key_is_the_active_one_and_the_old_one_stays(installed: Installation) -> None:
    before = (installed.folder / "keys" / "active").read_text().strip()

    added = installed.inbox("keys", "add")

    listed = installed.inbox("keys", "list", "--json")
    assert added.code == 0
    assert before in listed.out
    assert (installed.folder / "keys" / "active").read_text().strip() != before
    assert installed.inbox("audit", "verify").err == ""


def test_a_new_database_is_closed_to_others(bare: Installation) -> None:
    made = bare.inbox("database", "upgrade")
    again = bare.inbox("database", "upgrade")

    assert (made.code, again.code) == (0, 0)
    assert SCHEMA in bare.inbox("database", "version").out
    assert stat.S_IMODE((bare.folder / "inbox.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "command", [INIT, ("message", "list"), ("serve",), ("work",), ("database", "version")]
)
def test_an_empty_database_says_what_to_run(bare: Installation, command: tuple[str, ...]) -> None:
    bare.inbox("keys", "create")

    told = bare.inbox(*command)

    assert told.code == 2
    assert "database.empty" in told.err
    assert "inbox database upgrade" in told.err


@pytest.mark.parametrize("command", [("message", "list"), ("serve",), ("database", "upgrade")])
def test_a_database_of_another_version_is_refused(
    installed: Installation, command: tuple[str, ...]
) -> None:
    installed.sql("UPDATE alembic_version SET version_num = '9999'")

    told = installed.inbox(*command)

    assert told.code == 2
    assert "database.version" in told.err
    assert "9999" in told.err


def test_a_database_whose_folder_is_not_there_is_one_line(bare: Installation) -> None:
    env = {"INBOX_DATABASE": f"sqlite:///{bare.folder}/nowhere/inbox.db"}

    told = bare.inbox("database", "upgrade", env=env)

    assert told.code == 1
    assert "database.unavailable" in told.err
    assert "`database` in the settings" in told.err


@pytest.mark.parametrize("command", [INIT, ("serve",), ("audit", "verify"), ("keys", "list")])
def test_missing_keys_say_what_to_run(bare: Installation, command: tuple[str, ...]) -> None:
    worlds.sqlite_database(bare.folder)

    told = bare.inbox(*command)

    assert told.code == 2
    assert "keys." in told.err
    assert "inbox keys create" in told.err


@pytest.mark.parametrize("command", [("serve",), ("work",), ("audit", "verify"), ("keys", "add")])
def test_the_keys_of_another_installation_are_refused(
    installed: Installation, command: tuple[str, ...]
) -> None:
    shutil.rmtree(installed.folder / "keys")
    installed.inbox("keys", "create")

    told = installed.inbox(*command)

    assert told.code == 2
    assert "keys.not_these" in told.err
    assert "put the right key folder in place" in told.err


def test_the_first_two_get_their_codes_once(bare: Installation) -> None:
    bare.begin()

    again = bare.inbox(*INIT)

    assert len(set(bare.codes.values())) == 2
    assert again.code == 1
    assert "init.done" in again.err
    assert "inbox directory import" in again.err


def test_the_desk_is_that_of_the_routing_rules(installed: Installation) -> None:
    assert "dokumentsenteret" in installed.inbox("directory", "show").out


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("--desk", "skole=Skole"), "names the desk dokumentsenteret"),
        (("--person", "cecilie=Cecilie"), "give --person twice"),
        (("--person", "Anne"), "write ID=NAME"),
        (("--organisation", "123456789"), "org_number"),
        (("--organisation", "910077473"), "give --desk UNIT=NAME"),
    ],
)
def test_a_beginning_that_cannot_be_meant_is_usage(
    bare: Installation, changed: tuple[str, str], said: str
) -> None:
    bare.inbox("keys", "create")
    worlds.sqlite_database(bare.folder)

    told = bare.inbox(*INIT, *changed)

    assert told.code == 2
    assert said in told.err


def test_one_person_twice_is_not_two(bare: Installation) -> None:
    people = ("--person", "anne=Anne", "--person", "anne=Anne")

    told = bare.inbox("init", "--organisation", "910075918", *people)

    assert told.code == 2
    assert "two different people" in told.err


def test_the_help_of_init_says_what_comes_before_and_after() -> None:
    assert init.__doc__ is not None
    assert "inbox keys create" in init.__doc__
