"""What the tests of the channels share."""

from collections.abc import Iterator

import pytest

from inbox.simulator.http.server import serve
from tests.gateway.world import Socket, World, client_of


@pytest.fixture(scope="package")
def listening() -> Iterator[Socket]:
    listening = Socket()
    with serve(listening) as listening.url:
        yield listening


@pytest.fixture
def world(listening: Socket) -> Iterator[World]:
    world = World(listening.url)
    listening.gateway = world.there
    with client_of(listening.url) as world.here:
        yield world
