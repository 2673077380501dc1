"""The case systems' journal and the ear of their webhooks, in a process that is never killed."""

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlmodel import col, select

from inbox.simulator.casesystem.registry import JournalEntry, Registry
from inbox.simulator.casesystem.webhook_check import check_signature, read_event
from inbox.simulator.http.asgi import Receive, Scope, Send
from inbox.simulator.http.server import serve
from inbox.tables import CaseSystem
from tests.worlds import World


class ArchiveServer:
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
def archive_server_for(world: World) -> Iterator[tuple[ArchiveServer, str]]:
    """An archive that hears the webhooks of this world; its address."""
    archive = ArchiveServer(world.keys["sak"][1], world.clock.sim)
    with serve(archive) as url:
        with world.line.store.transaction() as tx:
            query = select(CaseSystem).where(col(CaseSystem.id) == "sak")
            tx.exec(query).one().webhook_url = f"{url}/hooks"
        yield archive, url


def port_of(url: str) -> int:
    """The port in the address of a server of ours."""
    port = urlsplit(url).port
    assert port is not None
    return port


class ArchiveFile:
    """One line per entry: whose it is, the sender's id, the reference; `-` takes one away.

    A case system enters a *delivery* once. So a message that is offered twice, and registered by
    both, has two entries.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "archive"

    def enter(self, owner: str, wire_id: str) -> str:
        """The reference of what this owner has registered; the same one each time it is asked."""
        lines = self._lines()
        for line in lines:
            if line[0] == owner:
                return line[2]
        reference = f"2026/{len(lines) + 1:06}-1"
        self._append(owner, wire_id, reference)
        return reference

    def delete(self, owner: str, wire_id: str) -> None:
        """Taken away again: as if it had never been there."""
        self._append(f"-{owner}", wire_id, "-")

    def held(self) -> dict[str, list[str]]:
        """The references by the sender's id."""
        lines = self._lines()
        gone = {owner.removeprefix("-") for owner, _, _ in lines if owner.startswith("-")}
        held: dict[str, list[str]] = {}
        for owner, wire_id, reference in lines:
            if owner not in gone and not owner.startswith("-"):
                held.setdefault(wire_id, []).append(reference)
        return held

    def _lines(self) -> list[list[str]]:
        text = self._path.read_text() if self._path.exists() else ""
        return [line.split() for line in text.splitlines()]

    def _append(self, *words: str) -> None:
        with self._path.open("a") as file:
            file.write(" ".join(words) + "\n")
            file.flush()
            os.fsync(file.fileno())
