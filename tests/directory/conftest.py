"""An installation for each database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inbox.line import Line
from tests import databases
from tests.directory import house


@pytest.fixture
def line(database: str, tmp_path: Path) -> Iterator[Line]:
    """A line on each database."""
    made = house.build(database, tmp_path)
    yield made
    made.store.engine.dispose()


@pytest.fixture
def small_line(tmp_path: Path) -> Iterator[Line]:
    """A line on SQLite, for what no database can change."""
    made = house.build(databases.sqlite_database(tmp_path), tmp_path)
    yield made
    made.store.engine.dispose()
