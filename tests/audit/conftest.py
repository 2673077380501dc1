"""One audit that the line made, for all tests that change nothing in it or put it back."""

from collections.abc import Iterator

import pytest

from tests.audit.line_audit import Kept, kept_by_the_line
from tests.databases import sqlite_database
from tests.worlds import world


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Two messages: small enough for every bit, with whole salts and with an erased one."""
    folder = tmp_path_factory.mktemp("small")
    with world(sqlite_database(folder), folder) as made:
        yield kept_by_the_line(made, 1)
