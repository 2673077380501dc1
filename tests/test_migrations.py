"""The migrations make exactly the models, up and down and with rows in them, on both databases."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

import inbox.tables  # noqa: F401 - fills the metadata
from inbox.errors import ConfigurationError
from inbox.migrations import downgrade, shipped_folder, upgrade
from inbox.store import SCHEMA_REVISION, Store, create_engine
from tests import databases, worlds


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    made = create_engine(database)
    yield made
    made.dispose()


def _differences(engine: sa.Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))


def test_migrated_schema_equals_the_models(engine: sa.Engine) -> None:
    assert _differences(engine) == []


def test_schema_comparison_detects_a_missing_table(engine: sa.Engine) -> None:
    with engine.execution_options(inbox_writes=True).begin() as connection:
        connection.exec_driver_sql("DROP TABLE pulse")

    assert _differences(engine) != []


def test_migrations_run_down_to_base_and_up_again(engine: sa.Engine) -> None:
    downgrade(engine, "base")
    assert set(sa.inspect(engine).get_table_names()) <= {"alembic_version"}

    upgrade(engine)
    upgrade(engine)

    assert _differences(engine) == []


def test_upgrade_from_0001_keeps_people_and_lets_refused_codes_be_counted(
    engine: sa.Engine,
) -> None:
    downgrade(engine, "0001")
    with engine.execution_options(inbox_writes=True).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO person (id, name, active_from) VALUES ('kari', 'Kari', '2026-01-01')"
        )

    upgrade(engine)

    with engine.execution_options(inbox_writes=True).begin() as connection:
        connection.exec_driver_sql("INSERT INTO refused_sign_in VALUES ('kari', 1, '2026-01-01')")
        assert connection.exec_driver_sql("SELECT id FROM person").scalars().all() == ["kari"]


def test_upgrade_from_0002_says_of_every_version_that_its_digest_is_of_rule_1(
    engine: sa.Engine,
) -> None:
    downgrade(engine, "0002")
    with engine.execution_options(inbox_writes=True).begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO policy_version (id, kind, digest, files, proposed_by, proposed_at)"
                " VALUES ('v', 'policy', 'd', :files, 'kari', '2026-01-01')"
            ),
            {"files": b"{}"},
        )

    upgrade(engine)

    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT id, digest, digest_rule FROM policy_version")
        assert [tuple(row) for row in rows] == [("v", "d", 1)]


def test_upgrade_from_0003_keeps_the_audit_and_lets_gaps_and_codes_be_kept(
    engine: sa.Engine,
) -> None:
    downgrade(engine, "0003")
    with engine.execution_options(inbox_writes=True).begin() as connection:
        connection.exec_driver_sql("INSERT INTO audit_head VALUES (1, 1, 'aa')")
        connection.exec_driver_sql("INSERT INTO refused_sign_in VALUES ('kari', 1, '2026-01-01')")

    upgrade(engine)

    with engine.execution_options(inbox_writes=True).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO audit_gap (id, code, size, signed_size, signed_root, found_at)"
            " VALUES ('a', 'audit.cut', 1, 9, 'ff', '2026-01-01')"
        )
        connection.exec_driver_sql(
            "INSERT INTO restore_code VALUES ('kari', 'aa', 'ff', 1, 'ee', '2026-01-01')"
        )
        assert connection.exec_driver_sql("SELECT size FROM audit_head").scalars().all() == [1]
        people = connection.exec_driver_sql("SELECT person FROM refused_sign_in").scalars().all()
        assert people == ["kari"]


def test_upgrade_from_0005_keeps_pulses_and_lets_conditions_be_noted(engine: sa.Engine) -> None:
    downgrade(engine, "0005")
    with engine.execution_options(inbox_writes=True).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO pulse (name, at, code) VALUES ('gateway:ip', '2026-01-01', 'gateway.slow')"
        )

    upgrade(engine)

    with engine.connect() as connection:
        pulse = connection.exec_driver_sql("SELECT name, code, status FROM pulse").one()
        conditions = connection.exec_driver_sql("SELECT count(*) FROM health_condition").scalar()
    assert tuple(pulse) == ("gateway:ip", "gateway.slow", None)
    assert conditions == 0


_MESSAGE = (
    "INSERT INTO message (id, state, version, organisation, channel, service, wire_id, digest,"
    " size, received_at, shares_wire_id, waivers, unit, rule, urgent, transfers, attempts)"
    " VALUES ('m', 'ROUTED', 4, '910075918', 'ip', 'DPO', 'w', 'd', 1, '2026-01-01', :no, '',"
    " 'bv', 'R1', :no, 2, 0)"
)


_UNIT = (
    "INSERT INTO unit (id, organisation, name, active_from, shares_unassigned)"
    " VALUES ('bv', '910075918', 'BV', '2026-01-01', :no)"
)


def _with_message_of_0006(engine: sa.Engine) -> None:
    with engine.execution_options(inbox_writes=True).begin() as connection:
        for statement in (_UNIT, _MESSAGE):
            connection.execute(sa.text(statement), {"no": False})


def _kept_message(engine: sa.Engine, columns: str) -> tuple[object, ...]:
    named: list[sa.ColumnClause[Any]] = [sa.column(name) for name in columns.split(", ")]
    found: sa.Select[*tuple[Any, ...]] = sa.select(*named).select_from(sa.table("message"))
    with engine.connect() as connection:
        return tuple(connection.execute(found).one())


def test_upgrade_from_0006_keeps_messages_of_which_nobody_can_undo_anything(
    engine: sa.Engine,
) -> None:
    downgrade(engine, "0006")
    _with_message_of_0006(engine)

    upgrade(engine)

    kept = _kept_message(engine, "state, version, unit, rule, transfers")
    assert kept == ("ROUTED", 4, "bv", "R1", 2)
    new = "placing_unit, placing_state, moved_by, moved_as, moved_with, from_state, from_code"
    assert set(_kept_message(engine, f"{new}, from_unit, from_rule, from_transfers")) == {None}


def test_downgrade_to_0006_takes_a_message_that_is_being_placed_back(engine: sa.Engine) -> None:
    downgrade(engine, "0006")
    _with_message_of_0006(engine)
    upgrade(engine)
    with engine.execution_options(inbox_writes=True).begin() as connection:
        connection.exec_driver_sql(
            "UPDATE message SET state = 'PLACING', unit = NULL, placing_unit = 'ppt',"
            " from_state = 'ROUTED', from_unit = 'bv', due_at = '2026-01-01'"
        )

    downgrade(engine, "0006")

    assert _kept_message(engine, "state, unit, due_at") == ("ROUTED", "bv", None)
    upgrade(engine)
    assert _differences(engine) == []


def test_upgrade_from_0009_says_of_what_was_opened_in_a_unit_that_it_is_worked_on(
    engine: sa.Engine,
) -> None:
    downgrade(engine, "0006")
    _with_message_of_0006(engine)
    upgrade(engine, "0009")
    opened = "INSERT INTO opening (id, message_id, person, opened_at) SELECT 'o', id, 'kari', '{}'"
    with engine.execution_options(inbox_writes=True).begin() as connection:
        connection.exec_driver_sql("UPDATE message SET opened_at = '2026-01-02', unit = 'bv'")
        connection.exec_driver_sql(
            "INSERT INTO person (id, name, active_from) VALUES ('kari', 'Kari', '2026-01-01')"
        )
        connection.exec_driver_sql(opened.format("2026-01-02") + " FROM message")

    upgrade(engine)

    opened_at, worked_at = _kept_message(engine, "opened_at, worked_at")
    assert opened_at == worked_at
    assert worked_at is not None
    with engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT part, rule, gave_reason FROM opening").one()
    assert tuple(row) == ("", "", False)
    downgrade(engine, "0009")
    upgrade(engine)
    assert _differences(engine) == []


def test_upgrade_from_0006_keeps_people_and_lets_one_identity_be_one_person(
    engine: sa.Engine,
) -> None:
    downgrade(engine, "0006")
    with engine.execution_options(inbox_writes=True).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO person (id, name, active_from)"
            " VALUES ('kari', 'Kari', '2026-01-01'), ('ola', 'Ola', '2026-01-01')"
        )

    upgrade(engine)

    bound = (
        "INSERT INTO identity VALUES ('{}', '{}', 'https://i', 'aa', 'import', '2026-01-01', {})"
    )
    with engine.execution_options(inbox_writes=True).begin() as connection:
        people = connection.exec_driver_sql("SELECT id, language FROM person ORDER BY id").all()
        connection.exec_driver_sql(bound.format("a", "kari", "'2026-02-01'"))
        connection.exec_driver_sql(bound.format("b", "kari", "NULL"))
    assert [tuple(row) for row in people] == [("kari", None), ("ola", None)]
    with (
        pytest.raises(sa.exc.IntegrityError),
        engine.execution_options(inbox_writes=True).begin() as connection,
    ):
        connection.exec_driver_sql(bound.format("c", "ola", "NULL"))


def test_upgrade_from_0006_keeps_mail_and_lets_the_desk_note_views_and_terms(
    engine: sa.Engine,
) -> None:
    downgrade(engine, "0006")
    with engine.execution_options(inbox_writes=True).begin() as connection:
        for table, columns, values in (
            ("person", "id, name, active_from", "'kari', 'Kari', '2026-01-01'"),
            (
                "health_condition",
                "subject, code, since, seen_at, seen_by",
                "'vault', 'vault', '2026-01-01', '2026-01-01', 'w'",
            ),
            (
                "unit",
                "id, organisation, name, shares_unassigned, active_from",
                "'bv', '910075918', 'BV', false, '2026-01-01'",
            ),
            (
                "message",
                (
                    "id, state, version, attempts, organisation, channel, service, wire_id, digest,"
                    " size, received_at, shares_wire_id, waivers, urgent, transfers"
                ),
                (
                    "'m', 'ROUTED', 0, 0, '910075918', 'ip', 'DPO', 'w', 'd', 1, '2026-01-01',"
                    " false, '', false, 0"
                ),
            ),
        ):
            connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) VALUES ({values})")  # noqa: S608 - names of ours

    upgrade(engine)

    with engine.execution_options(inbox_writes=True).begin() as connection:
        for statement in (
            "INSERT INTO in_hand VALUES ('m', 'kari', '2026-01-01', '2026-01-02')",
            "INSERT INTO saved_view VALUES ('v', 'kari', 'karantene', '', '2026-01-01')",
            "INSERT INTO unit_terms VALUES ('bv', 4, 3, 480, 960)",
        ):
            connection.exec_driver_sql(statement)
        kept = connection.exec_driver_sql(
            "SELECT message.id, in_hand.person, health_condition.level"
            " FROM message JOIN in_hand ON in_hand.message_id = message.id, health_condition"
        )
        assert [tuple(row) for row in kept] == [("m", "kari", None)]


def test_repeated_upgrade_keeps_the_rows(tmp_path: Path) -> None:
    with worlds.world(databases.sqlite_database(tmp_path), tmp_path) as world:
        world.send()
        world.collect()
        world.work()

        upgrade(world.line.store.engine)

        assert len(world.messages()) == 1


def test_schema_constant_names_the_newest_migration() -> None:
    newest = max(path.name for path in (shipped_folder("alembic") / "versions").glob("*.py"))

    assert newest.split("_", maxsplit=1)[0] == SCHEMA_REVISION


def test_migrations_do_not_refer_to_product_modules() -> None:
    for path in (shipped_folder("alembic") / "versions").glob("*.py"):
        assert re.search(r"\binbox\.", path.read_text()) is None


def test_check_schema_and_upgrade_refuse_another_database_version(engine: sa.Engine) -> None:
    with engine.execution_options(inbox_writes=True).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store = Store(engine, seal=lambda tx: None)

    with pytest.raises(ConfigurationError, match=r"database.version.*9999"):
        store.check_schema()
    with pytest.raises(ConfigurationError, match=r"database.version.*9999"):
        upgrade(engine)


def test_check_schema_of_an_empty_database_points_to_database_upgrade(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/empty.db")

    with pytest.raises(ConfigurationError, match="inbox database upgrade"):
        Store(engine, seal=lambda tx: None).check_schema()
    engine.dispose()
