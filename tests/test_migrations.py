"""The migrations make exactly the models, up and down and with rows in them, on both databases."""

import re
from collections.abc import Iterator
from pathlib import Path

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
