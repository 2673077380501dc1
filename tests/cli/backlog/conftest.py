"""An office on SQLite, as the program meets it."""

import pytest

from tests.cli.backlog.office import Office, open_today, staff
from tests.cli.installation import installation_of
from tests.worlds import World


@pytest.fixture
def office(small_world: World) -> Office:
    """People at the command line of a line that works."""
    made = Office(small_world, installation_of(small_world))
    open_today(made)
    staff(made)
    return made
