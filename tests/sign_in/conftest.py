"""An office on each database, and one on SQLite for what no database can change."""

from collections.abc import Iterator

import pytest

from tests.sign_in.office import Office, office
from tests.worlds import World


@pytest.fixture
def both(world: World) -> Iterator[Office]:
    """On each database; Anne and Bjørn are bound."""
    with office(world) as made:
        made.bind("anne")
        made.bind("bjorn")
        yield made


@pytest.fixture
def house(small_world: World) -> Iterator[Office]:
    """On SQLite; Anne and Bjørn are bound."""
    with office(small_world) as made:
        made.bind("anne")
        made.bind("bjorn")
        yield made
