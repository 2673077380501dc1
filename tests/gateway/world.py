"""One stand-in for an integrasjonspunkt, our client of it over real HTTP, and a clock to move."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from inbox.gateway import Notice
from inbox.gateway.integrasjonspunkt import Bounds, Integrasjonspunkt, Subscription, client_for
from inbox.simulator.gateway.queue import Package
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.asgi import Receive, Scope, Send
from inbox.simulator.packages.envelopes import receipt_json, sbd_json
from tests.gateway.scripted_gateway import NO_TLS, RECEIPT_ID, SUBSCRIPTION, THEIRS

BYTES = bytes(range(256)) * 64


class World:
    """The gateway, our client of it, and its clock, which stands still unless it is moved."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)
        self.there = GatewaySimulator(clock=lambda: self.now, pace=timedelta(seconds=1))
        self.here: Integrasjonspunkt

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def put(self, package: Package = BYTES, *, life: timedelta = timedelta(days=1)) -> str:
        return self.there.put(sbd_json(created_at=self.now, life=life), package)

    def announced(self) -> Notice:
        [notice] = self.here.waiting_notices(10)
        return notice

    def fetched(self, notice: Notice) -> bytes:
        with self.here.fetch(notice) as transfer:
            return b"".join(transfer.chunks)

    def create_and_send(self) -> None:
        self.here.create_receipt(RECEIPT_ID, receipt())
        self.here.send_receipt(RECEIPT_ID)

    @property
    def calls(self) -> list[str]:
        return [f"{seen.method} {seen.path}" for seen in self.there.journal]


def receipt(receiver: str = THEIRS) -> dict[str, object]:
    envelope = receipt_json(
        related_to="0b6c2f2e-6c1f-4a53-9a54-6f0a3c1d8e11", message_id=RECEIPT_ID, receiver=receiver
    )
    header = envelope["standardBusinessDocumentHeader"]
    assert isinstance(header, dict)
    scope = header["businessScope"]["scope"][0]
    del scope["scopeInformation"]
    return envelope


@contextmanager
def client_of(
    url: str,
    *subscriptions: Subscription,
    bounds: Bounds | None = None,
    credentials: tuple[str, str] | None = None,
) -> Iterator[Integrasjonspunkt]:
    bounds = bounds or Bounds(read=timedelta(seconds=5), transfer_read=timedelta(seconds=5))
    with client_for(url, bounds=bounds, credentials=credentials, tls=NO_TLS) as client:
        yield Integrasjonspunkt(
            client, channel="ip", subscriptions=subscriptions or (SUBSCRIPTION,), bounds=bounds
        )


class Socket:
    """One listening server for many tests; what answers is changed from test to test."""

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.gateway = GatewaySimulator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.gateway.app(scope, receive, send)
