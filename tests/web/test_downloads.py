"""Streams: opened before the answer begins, lazy, and closed when the client goes away."""

import asyncio
import random
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

import pytest
from starlette.types import ASGIApp, Message

from inbox.app import create_app
from inbox.simulator.packages.builder import ParcelDocument
from inbox.vault import FolderVault
from tests.web.conftest import Api, Still

MEBIBYTE = 1 << 20
LARGE = 40 * MEBIBYTE


class Watched(FolderVault):
    """A folder vault that remembers what it opened."""

    def open(self, name: str, key: bytes) -> BinaryIO:
        self.opened = super().open(name, key)
        return self.opened


@dataclass
class Visitor:
    """Speaks ASGI by itself: a test client would keep the whole body."""

    path: str
    headers: dict[str, str]
    spec_version: str
    leaves_after: int | None = None
    """How many bytes are enough; None stays to the end."""
    status: int = 0
    count: int = 0
    largest: int = 0
    ended: bool = False
    _asked: bool = field(default=False)
    _left: asyncio.Event = field(default_factory=asyncio.Event)

    async def visit(self, app: ASGIApp) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": self.spec_version},
            "http_version": "1.1",
            "method": "GET",
            "path": self.path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in self.headers.items()],
        }
        await app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        body = message.get("body", b"")
        self.count += len(body)
        self.largest = max(self.largest, len(body))
        self.ended = message["type"] == "http.response.body" and not message["more_body"]
        if self.leaves_after is not None and self.count >= self.leaves_after:
            self._left.set()
            if self.spec_version == "2.4":
                raise OSError
            await asyncio.sleep(0)


def _large(api: Api) -> str:
    def chunks() -> Iterator[bytes]:
        made = random.Random(1)  # noqa: S311 - it must not shrink, that is all
        for _ in range(LARGE // MEBIBYTE):
            yield made.randbytes(MEBIBYTE)

    documents = (ParcelDocument("brev.pdf", "application/pdf", chunks),)
    wire_id = api.world.send(parcel={"documents": documents})
    api.world.collect()
    api.world.work()
    return f"{api.path}/{api.world.delivery(api.world.message(wire_id).id).id}"


@pytest.mark.long
def test_large_message_is_streamed_in_small_pieces_and_always_closed(api: Api) -> None:
    vault = Watched(api.world.folder / "vault")
    app, address = create_app(replace(api.world.line, vault=vault)), _large(api)

    for end in ("/package", "/documents/1"):
        visitor = Visitor(address + end, api.headers(), "2.3")
        peak = _peak(visitor, app)
        assert (visitor.status, visitor.ended) == (200, True)
        assert visitor.count >= LARGE
        assert visitor.largest <= MEBIBYTE
        assert peak < LARGE / 4
        assert vault.opened.closed

        visitor = Visitor(address + end, api.headers(), "2.3", leaves_after=1)
        asyncio.run(visitor.visit(app))
        assert not visitor.ended
        assert visitor.count < LARGE / 4
        assert vault.opened.closed

        visitor = Visitor(address + end, api.headers(), "2.4", leaves_after=1)
        with pytest.raises(Exception, match=r"^$"):
            asyncio.run(visitor.visit(app))
        assert vault.opened.closed


def _peak(visitor: Visitor, app: ASGIApp) -> int:
    """The most bytes that were held at once beyond what was held before."""
    tracemalloc.start()
    try:
        asyncio.run(visitor.visit(app))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("end", ["/package", "/documents/1"])
def test_failing_disk_answers_503_before_the_first_byte(api: Api, end: str) -> None:
    still = Still(api, api.offered())
    (name,) = (name for name, _ in api.world.line.vault.names())
    stored = next((api.world.folder / "vault").rglob(name))
    stored.unlink()
    stored.mkdir()

    answer = api.client.get(still.address(end), headers=api.headers())

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "30"
    assert answer.json()["code"] == "vault.io"
