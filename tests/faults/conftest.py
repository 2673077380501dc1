"""What the tests of faults share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.databases import postgres_database, sqlite_database
from tests.faults.harness import outside_world

Made = Callable[[str], str]


@pytest.fixture
def outside(database: str, tmp_path: Path) -> Iterator[outside_world.OutsideWorld]:
    """Neighbours that outlive the processes of the line, on each database."""
    with outside_world.outside_world(database, tmp_path) as made:
        yield made


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    """Gives the address of a new database with the schema: `sqlite` or `postgresql`."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            return sqlite_database(tmp_path)
        server: str = request.getfixturevalue("postgres_server")
        return postgres_database(server)

    return make
