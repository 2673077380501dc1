"""A clock that tests turn, a gateway that runs by it, and a client that talks to it by socket."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from inbox.simulator.asgi import Receive, Scope, Send
from inbox.simulator.gateway import GatewaySimulator
from inbox.simulator.server import serve


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)


Sample = Callable[[str], Path]


@pytest.fixture(scope="session")
def sample() -> Sample:
    folder = os.environ.get("INBOX_SAMPLES")
    if folder is None:
        pytest.skip("INBOX_SAMPLES names no folder of public samples")

    def path(name: str) -> Path:
        found = Path(folder) / name
        assert found.is_file(), f"INBOX_SAMPLES has no {name}"
        return found

    return path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gateway(clock: Clock) -> GatewaySimulator:
    return GatewaySimulator(clock=clock)


class Switch:
    """One server for all tests: it passes each request to the gateway of the test that runs."""

    gateway: GatewaySimulator
    url: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.gateway.app(scope, receive, send)


@pytest.fixture(scope="session")
def switch() -> Iterator[Switch]:
    switch = Switch()
    with serve(switch) as switch.url:
        yield switch


@pytest.fixture
def http(gateway: GatewaySimulator, switch: Switch) -> Iterator[httpx.Client]:
    switch.gateway = gateway
    with httpx.Client(base_url=switch.url, trust_env=False) as client:
        yield client
