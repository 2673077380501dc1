"""The database's version on the command line."""

import sqlite3
from contextlib import closing

from inbox.access.files.versions import pack_files
from inbox.store import SCHEMA_REVISION
from tests.access.kept_policies import files_of_other_facts
from tests.cli.installation import Installed


def test_repeated_database_upgrade_keeps_the_current_version(installed: Installed) -> None:
    assert installed.ask("database", "upgrade").code == 0
    assert installed.ask("database", "version").out.startswith(
        f"the database is of version {SCHEMA_REVISION}"
    )


def test_commands_refuse_an_empty_database_with_code_database_empty(empty: Installed) -> None:
    empty.ask("keys", "create")

    answers = [empty.ask("database", "version"), empty.ask("message", "list"), empty.ask("serve")]

    assert [answer.code for answer in answers] == [2, 2, 75]
    assert all(answer.err.startswith("inbox: database.empty: ") for answer in answers)
    assert all("or mount its disk" in answer.err for answer in answers)
    assert not (empty.folder / "inbox.db").exists()


def test_database_of_a_newer_program_is_refused_by_version_upgrade_and_serve(
    installed: Installed,
) -> None:
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


def test_unreachable_database_error_points_to_the_database_setting(empty: Installed) -> None:
    text = empty.config.read_text().replace("inbox.db", "nowhere/inbox.db")
    empty.config.write_text(text)

    answers = [empty.ask("database", "upgrade"), empty.ask("message", "list")]

    assert [answer.code for answer in answers] == [1, 1]
    assert all(answer.err.startswith("inbox: database.unavailable: ") for answer in answers)
    assert all("check `database` in the settings" in answer.err for answer in answers)


def test_database_upgrade_refuses_a_policy_with_a_removed_fact_and_says_what_to_do(
    installed: Installed,
) -> None:
    with closing(sqlite3.connect(installed.folder / "inbox.db")) as database, database:
        files = pack_files(files_of_other_facts())
        database.execute("UPDATE policy_version SET files = ? WHERE kind = 'policy'", [files])

    refused = installed.ask("database", "upgrade")
    forced = installed.ask("database", "upgrade", "--although-all-is-denied")

    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("inbox: policy.condition_name: the active policy cannot be read")
    assert "read «urgent»" in refused.err
    assert "with the program of before, let two people activate a policy without it" in refused.err
    assert forced.code == 0
