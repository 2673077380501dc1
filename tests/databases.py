"""Databases with the schema and nothing in it: migrated once, copied often."""

import uuid
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from inbox.migrations import upgrade
from inbox.store import create_engine

SQLITE_SOON = pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True
)
"""For a test of both databases that is short enough for one of them in `make test`."""


@cache
def _template() -> bytes:
    """A SQLite database with the schema: migrated once, copied often."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        engine = create_engine(f"sqlite:///{path}")
        upgrade(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        return path.read_bytes()


def sqlite_database(folder: Path) -> str:
    """The address of a SQLite database with the schema."""
    path = folder / "inbox.db"
    path.write_bytes(_template())
    return f"sqlite:///{path}"


@cache
def _postgres_template(admin: str) -> str:
    name = "template"
    run(admin, f'CREATE DATABASE "{name}"')
    engine = create_engine(admin.replace("/postgres?", f"/{name}?"))
    upgrade(engine)
    engine.dispose()
    return name


def postgres_database(admin: str) -> str:
    """The address of a new PostgreSQL database with the schema, on a server for tests."""
    name = f"t{uuid.uuid4().hex}"
    run(
        admin, f'CREATE DATABASE "{name}" TEMPLATE "{_postgres_template(admin)}" STRATEGY file_copy'
    )
    return admin.replace("/postgres?", f"/{name}?")


def run(admin: str, statement: str) -> None:
    """One statement that is no transaction's, as CREATE DATABASE."""
    engine = create_engine(admin).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
