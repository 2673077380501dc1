"""What every test may ask for: a world on each database, and the public samples."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases, postgres, worlds
from tests.runs.watcher import watch_run


def pytest_configure() -> None:
    """What the run starts, and its temporary files, end with it, also where it is killed."""
    watch_run()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A running PostgreSQL; a machine without one fails the suite, it does not skip."""
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with the schema and nothing in it, once of each kind."""
    if request.param == "sqlite":
        yield databases.sqlite_database(tmp_path)
        return
    server: str = request.getfixturevalue("postgres_server")
    with databases.lent_postgres_database(server) as url:
        yield url


@pytest.fixture
def world(database: str, tmp_path: Path) -> Iterator[worlds.World]:
    """A line with real neighbours, on each database."""
    with worlds.world(database, tmp_path) as made:
        yield made


@pytest.fixture
def small_world(tmp_path: Path) -> Iterator[worlds.World]:
    """A line with real neighbours on SQLite, for what no database can change."""
    with worlds.world(databases.sqlite_database(tmp_path), tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of public sample files; where it is set, a missing file fails."""
    folder = os.environ.get("INBOX_SAMPLES")
    if not folder:
        pytest.skip("INBOX_SAMPLES is not set")
    found = Path(folder)
    assert found.is_dir(), "INBOX_SAMPLES is set, but there is no such folder"
    return found
