"""An office for the journeys of people, and a browser to walk them in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.people.journeys.busy_office import BusyOffice, open_busy_office
from tests.web.people.journeys.office import Office, open_office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """A staff inbox with nothing in it."""
    with open_office(tmp_path) as made:
        yield made


@pytest.fixture
def reading_office(tmp_path: Path) -> Iterator[Office]:
    """The same, in which people read what is in the letters."""
    with open_office(tmp_path, is_read=True) as made:
        yield made


@pytest.fixture(scope="session")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BusyOffice]:
    """A staff inbox with something in every queue, for tests that only look."""
    with open_busy_office(tmp_path_factory.mktemp("busy")) as made:
        yield made
