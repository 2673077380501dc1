"""The case systems' journal and the ear of their webhooks, in a process that is never killed."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit

from sqlmodel import col, select

from inbox.simulator.casesystem.registry import JournalEntry, Registry
from inbox.simulator.casesystem.webhook_check import check_signature, read_event
from inbox.simulator.http.asgi import Receive, Scope, Send
from inbox.simulator.http.server import serve
from inbox.tables import CaseSystem
from tests.worlds import World


class Archive:
    """`POST /entries` registers, `POST /hooks` hears of a delivery; the application of a server."""

    def __init__(self, secret: bytes, clock: Callable[[], datetime]) -> None:
        self._registry, self._secret, self._clock = Registry(), secret, clock
        self.events: list[tuple[str, str]] = []
        """Each event that came, as its id and its delivery."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        body, more = b"", True
        while more:
            event = await receive()
            part = event.get("body", b"")
            body += part if isinstance(part, bytes) else b""
            more = bool(event.get("more_body", False))
        pairs = scope["headers"]
        assert isinstance(pairs, list)
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in pairs}
        take = self._heard if scope["path"] == "/hooks" else self._entered
        answer = await asyncio.to_thread(take, headers, body)
        length = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": answer})

    def _heard(self, headers: Mapping[str, str], body: bytes) -> bytes:
        event_id = check_signature(self._secret, headers, body, self._clock())
        self.events.append((event_id, read_event(body)))
        return b""

    def _entered(self, _: Mapping[str, str], body: bytes) -> bytes:
        asked = json.loads(body)
        entry = self._registry.enter(
            message_id=asked["message_id"], sha256=asked["sha256"], at=self._clock()
        )
        return entry.reference.encode()

    def entries(self, message_id: str) -> list[JournalEntry]:
        """What is registered of a sender's message."""
        return [each for each in self._registry.entries() if each.message_id == message_id]


@contextmanager
def archive_of(world: World) -> Iterator[tuple[Archive, str]]:
    """An archive that hears the webhooks of this world; its address."""
    archive = Archive(world.keys["sak"][1], world.clock.sim)
    with serve(archive) as url:
        with world.line.store.transaction() as (session, _):
            query = select(CaseSystem).where(col(CaseSystem.id) == "sak")
            session.exec(query).one().webhook_url = f"{url}/hooks"
        yield archive, url


def port_of(url: str) -> int:
    """The port in the address of a server of ours."""
    port = urlsplit(url).port
    assert port is not None
    return port
