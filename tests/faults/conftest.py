"""What the tests of faults share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import rig


@pytest.fixture
def outside(database: str, tmp_path: Path) -> Iterator[rig.Outside]:
    """Neighbours that outlive the processes of the line, on each database."""
    with rig.outside(database, tmp_path) as made:
        yield made
