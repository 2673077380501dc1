"""An installation for each database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inbox.line import Line
from tests import databases
from tests.directory import installation
from tests.worlds import House


@pytest.fixture
def line(database: str, tmp_path: Path) -> Iterator[Line]:
    """A line on each database."""
    made = installation.build(database, tmp_path)
    yield made
    made.store.engine.dispose()


@pytest.fixture(scope="module")
def same_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """A line on SQLite for tests of which nothing stays."""
    folder = tmp_path_factory.mktemp("line")
    made = installation.build(databases.sqlite_database(folder), folder)
    yield made
    made.store.engine.dispose()


@pytest.fixture
def town(line: Line, tmp_path: Path) -> House:
    """A line on each database in which the municipality of the tests works."""
    return installation.settled(line, tmp_path)


@pytest.fixture
def small_town(small_line: Line, tmp_path: Path) -> House:
    """The same on SQLite."""
    return installation.settled(small_line, tmp_path)


@pytest.fixture
def small_line(tmp_path: Path) -> Iterator[Line]:
    """A line on SQLite, for what no database can change."""
    made = installation.build(databases.sqlite_database(tmp_path), tmp_path)
    yield made
    made.store.engine.dispose()
