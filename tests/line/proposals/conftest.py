"""A municipality in which two archivists change rules."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inbox import audit
from inbox.store import Store, create_engine
from tests import databases, worlds
from tests.gateway.scripted_gateway import NO_TLS
from tests.line.proposals.rule_people import Two, two_of
from tests.worlds import Clock, World


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A municipality with its people, made once, on SQLite."""
    folder = tmp_path_factory.mktemp("rules")
    with worlds.world(databases.sqlite_database(folder), folder):
        pass
    return folder


@pytest.fixture
def two(furnished: Path, tmp_path: Path) -> Iterator[Two]:
    """They change rules; no mail comes meanwhile."""
    shutil.copy(furnished / "inbox.db", tmp_path / "inbox.db")
    clock = Clock()
    engine = worlds.sharing_statements(create_engine(f"sqlite:///{tmp_path}/inbox.db"))
    store = Store(engine, seal=audit.seal, clock=clock)
    with httpx.Client(verify=NO_TLS) as nobody, worlds.closing_engine(engine):
        yield two_of(worlds.line_of(store, furnished, worlds.channel_of(nobody)), clock)


@pytest.fixture
def two_on_each_database(world: World) -> Two:
    return two_of(world.line, world.clock)
