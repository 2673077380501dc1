"""A publisher of revocation lists on loopback that can be slow, wrong, too much or away."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from inbox.simulator.http.asgi import CUT, Receive, Scope, Send
from inbox.simulator.http.server import serve
from inbox.trust.crl_download import CrlDownloader, build_http_client
from inbox.trust.crl_schedule import CrlSchedule

PATH = "/issuer.crl"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Without any certificates: reading those of the system takes longer than all else here."""


@dataclass
class Publisher:
    """What it answers can be changed while it runs."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    drip_seconds: float = 0
    """Between two bytes, if not at once."""
    cut: bool = False
    """End the connection in the middle."""
    asked: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def address(self) -> str:
        return self.url + PATH

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        self.asked.append(str(scope["path"]))
        length = (b"content-length", str(len(self.body)).encode())
        headers = [length, *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if self.cut:
            half = self.body[: len(self.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            end = scope[CUT]
            assert callable(end)
            end()
            return
        pieces = [self.body]
        if self.drip_seconds:
            pieces = [self.body[at : at + 1] for at in range(len(self.body))]
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(self.drip_seconds)
        await send({"type": "http.response.body", "body": b""})


@contextmanager
def publishing(body: bytes = b"") -> Iterator[Publisher]:
    publisher = Publisher(body=body)
    with serve(publisher) as url:
        publisher.url = url
        yield publisher


@contextmanager
def asking(*addresses: str, seconds: float = 20) -> Iterator[CrlSchedule]:
    """A schedule that asks these addresses, each for so long at most, and for 100 kB."""
    patience = timedelta(seconds=seconds)
    with build_http_client(tls=NO_TLS) as http:
        source = CrlDownloader(http, patience=patience, max_bytes=100_000)
        yield CrlSchedule(source=source, listed=addresses, every=timedelta(hours=1))
