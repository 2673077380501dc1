"""The database's version on the command line."""

import sqlite3

from inbox.store import SCHEMA_REVISION
from tests.cli.installed import Installed


def test_upgrading_again_changes_nothing(installed: Installed) -> None:
    assert installed.ask("database", "upgrade").code == 0
    assert installed.ask("database", "version").out.startswith(
        f"the database is of version {SCHEMA_REVISION}"
    )


def test_an_empty_database_says_to_upgrade_it(empty: Installed) -> None:
    empty.ask("keys", "create")

    answers = [empty.ask("database", "version"), empty.ask("message", "list"), empty.ask("serve")]

    assert [answer.code for answer in answers] == [2, 2, 2]
    assert all(answer.err.startswith("inbox: database.empty: ") for answer in answers)


def test_a_database_of_a_newer_program_is_neither_used_nor_changed(installed: Installed) -> None:
    database = sqlite3.connect(installed.folder / "inbox.db")
    with database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()

    answers = [
        installed.ask("database", "version"),
        installed.ask("database", "upgrade"),
        installed.ask("serve"),
    ]

    assert [answer.code for answer in answers] == [2, 2, 2]
    assert all("database.version" in answer.err and "9999" in answer.err for answer in answers)


def test_a_database_that_is_not_there_says_what_to_check(empty: Installed) -> None:
    text = empty.config.read_text().replace("inbox.db", "nowhere/inbox.db")
    empty.config.write_text(text)

    answers = [empty.ask("database", "upgrade"), empty.ask("message", "list")]

    assert [answer.code for answer in answers] == [1, 1]
    assert all(answer.err.startswith("inbox: database.unavailable: ") for answer in answers)
    assert all("check `database` in the settings" in answer.err for answer in answers)
