"""Databases with the schema and nothing in it: migrated once, copied often, and used again."""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import Connection
from sqlmodel import SQLModel

from inbox.migrations import upgrade
from inbox.store import SCHEMA_REVISION, create_engine

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


_EMPTY: defaultdict[str, list[str]] = defaultdict(list)
"""By server, the databases that tests have given back."""
_MOST_ROWS = 2_000
"""Of which a test with more in it leaves a database whose tables are not like new ones."""
_CATALOGS = dict.fromkeys(
    (
        *("class", "attribute", "attrdef", "constraint", "index", "trigger", "proc", "type"),
        *("namespace", "rewrite", "policy", "extension"),
    ),
    "count(*), max(xmin::text::bigint)",
)
_CATALOGS |= {"db_role_setting": "count(*)"}


@contextmanager
def lent_postgres_database(admin: str) -> Iterator[str]:
    """The address of a PostgreSQL database with the schema and nothing in it, for one test.

    Making one takes longer than most tests. So it is emptied afterwards and lent again, unless the
    test did more than write rows; then it is dropped.
    """
    idle = _EMPTY[admin]
    url = idle.pop() if idle else postgres_database(admin)
    yield url
    if _is_empty_again(admin, url):
        idle.append(url)
    else:
        name = url.split("/")[3].partition("?")[0]
        run(admin, f'DROP DATABASE "{name}" WITH (FORCE)')


def _is_empty_again(admin: str, url: str) -> bool:
    """Whether it is as a new one, after its rows were deleted."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        as_new = _catalog_of(connection) == _new_catalog(admin) and _is_of_our_version(connection)
        rows = _delete_rows(connection) if as_new else 0
    engine.dispose()
    return as_new and rows <= _MOST_ROWS


def _delete_rows(connection: Connection) -> int:
    """Delete the rows of all tables; how many there were."""
    names = [table.name for table in SQLModel.metadata.sorted_tables]
    looks = ", ".join(f'EXISTS (SELECT FROM "{name}")' for name in names)
    found = connection.exec_driver_sql(f"SELECT {looks}").one()
    connection.exec_driver_sql("SET session_replication_role = replica")
    return sum(
        connection.exec_driver_sql(f'DELETE FROM "{name}"').rowcount  # noqa: S608 - as above
        for name, is_filled in zip(names, found, strict=True)
        if is_filled
    )


def _catalog_of(connection: Connection) -> tuple[object, ...]:
    """Changes with everything in a database that is no row of the program's tables.

    A change of the catalog writes a row of it anew, under the number of a later transaction. The
    copy of a database has the numbers of the original.
    """
    return tuple(
        tuple(connection.exec_driver_sql(f"SELECT {what} FROM pg_{name}").one())  # noqa: S608 - fixed names
        for name, what in _CATALOGS.items()
    )


def _is_of_our_version(connection: Connection) -> bool:
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()
    return list(found) == [SCHEMA_REVISION]


@cache
def _new_catalog(admin: str) -> tuple[object, ...]:
    engine = create_engine(postgres_database(admin))
    with engine.connect() as connection:
        found = _catalog_of(connection)
    engine.dispose()
    return found


def run(admin: str, statement: str) -> None:
    """One statement that is no transaction's, as CREATE DATABASE."""
    engine = create_engine(admin).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
