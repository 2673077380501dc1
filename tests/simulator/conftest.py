"""A clock, a gateway that runs by it with a client, and a case system beside a small product."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.asgi import Receive, Scope, Send
from inbox.simulator.http.server import serve
from inbox.simulator.packages.envelopes import receipt_json, sbd_json
from tests.gateway.scripted_gateway import NO_TLS
from tests.simulator.case_system_world import World
from tests.simulator.product import Product


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)


OURS = "c2b9a5d0-4d5b-4bc4-8c0e-0c9a7d1f3e50"
Sample = Callable[[str], Path]


@pytest.fixture(scope="session")
def sample(samples: Path) -> Sample:
    """One public sample file by its name; a missing one fails."""

    def path(name: str) -> Path:
        found = samples / name
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
    with httpx.Client(base_url=switch.url, trust_env=False, verify=NO_TLS) as client:
        yield client


@pytest.fixture
def envelope(clock: Clock) -> dict[str, object]:
    return sbd_json(created_at=clock.now)


@pytest.fixture
def original(gateway: GatewaySimulator, envelope: dict[str, object]) -> str:
    return gateway.put(envelope, b"bytes")


@pytest.fixture
def body(original: str) -> dict[str, Any]:
    """The least of a kvittering that is accepted; tests change one thing each."""
    full: dict[str, Any] = receipt_json(related_to=original, message_id=OURS)
    header = full["standardBusinessDocumentHeader"]
    del header["documentIdentification"]["creationDateAndTime"]
    del header["businessScope"]["scope"][0]["scopeInformation"]
    return full


@pytest.fixture
def product() -> Product:
    return Product()


@pytest.fixture
def world(product: Product) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack, product)
