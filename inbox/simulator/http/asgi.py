"""From sockets to calls and back: reads a request, keeps the journal, lets faults strike, sends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Protocol
from urllib.parse import parse_qsl

from inbox.simulator.http.faults import Does, Fault, On
from inbox.simulator.http.wire import JSON, Call, Refusal, SimulatedResponse, refusal_answer

Scope = MutableMapping[str, object]
Event = MutableMapping[str, object]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

CUT, RESET = "inbox.simulator.cut", "inbox.simulator.reset"
"""What `server.serve` puts into the scope: functions that end the connection, politely or not."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request in the journal, in the order in which they came in."""

    number: int
    method: str
    path: str
    """The template, as `/api/messages/in/pop/{messageId}`; the path itself where there is none."""
    message_id: str | None
    query: str
    at: datetime
    status: int | None = None
    """What the caller was answered; None while it waits and if it got no answer."""
    effect: int | None = None
    """What the gateway did, as a status; None if a fault struck before it."""
    whole: bool = False
    """The whole answer left here."""
    body_bytes: int = 0
    faults: tuple[Does, ...] = ()


class Desk(Protocol):
    """What stands behind the socket; every method may be called from any thread."""

    def now(self) -> datetime:
        """The gateway's own time, also in `Date`."""

    def enter(self, call: Call) -> tuple[Seen, list[Fault]]:
        """Write the journal and find the faults that strike."""

    def finish(self, seen: Seen) -> None:
        """Complete that line of the journal."""

    def answer(self, call: Call) -> SimulatedResponse:
        """Do it."""

    def strike(self, fault: Fault, message_id: str | None) -> None:
        """Do to the message what the fault says."""


def _fault_page(status: int, words: str) -> SimulatedResponse:
    body = f"<!DOCTYPE html><html><head><title>{words}</title></head><body>{words}</body></html>"
    return SimulatedResponse(
        status=status, headers={"content-type": "text/html"}, body=body.encode()
    )


def _staged(fault: Fault, call: Call) -> SimulatedResponse | None:
    """The answer that comes in place of doing anything."""
    if fault.does is Does.ANSWER:
        if fault.status < 400:  # noqa: PLR2004 - below it Spring writes no error body
            return SimulatedResponse(status=fault.status)
        name = "org.springframework.web.server.ResponseStatusException"
        return refusal_answer(Refusal(fault.status, name, "by the script"), call.path, call.at)
    if fault.does is Does.ANSWER_EMPTY:
        return SimulatedResponse(status=fault.status)
    if fault.does is Does.ANSWER_HTML:
        return _fault_page(fault.status, "Velkommen")
    if fault.does is Does.ANSWER_GARBAGE:
        return SimulatedResponse(
            status=fault.status, headers=JSON, body=b'{"standardBusinessDocumentHeader": {'
        )
    return None


class DeskApp:
    """The ASGI application of a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        call = await self._read(scope, receive)
        seen, faults = await asyncio.to_thread(self._desk.enter, call)
        exchange = _Exchange(self._desk, scope, receive, send, call=call, seen=seen)
        try:
            await exchange.carry_out(faults)
        finally:
            self._desk.finish(exchange.seen)

    async def _read(self, scope: Scope, receive: Receive) -> Call:
        body, more = b"", True
        while more:
            event = await receive()
            part = event.get("body", b"")
            body += part if isinstance(part, bytes) else b""
            more = bool(event.get("more_body", False))
        query, headers = scope["query_string"], scope["headers"]
        assert isinstance(query, bytes)
        assert isinstance(headers, list)
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        return Call(
            method=str(scope["method"]),
            path=str(scope["path"]),
            query=dict(reversed(pairs)),
            headers={name.decode().lower(): value.decode("latin-1") for name, value in headers},
            body=body,
            at=self._desk.now(),
        )


class _Exchange:
    """One call and its answer, with whatever goes wrong in between."""

    def __init__(
        self, desk: Desk, scope: Scope, receive: Receive, send: Send, *, call: Call, seen: Seen
    ) -> None:
        self._desk = desk
        self._scope = scope
        self._receive = receive
        self._send = send
        self._call = call
        self.seen = seen

    async def carry_out(self, faults: list[Fault]) -> None:
        """Before, doing it, after: each fault at its place."""
        kinds = {fault.does: fault for fault in faults}
        if Does.RESET in kinds:
            await self._end(RESET)
            return
        for fault in faults:
            staged = _staged(fault, self._call)
            if staged is not None:
                await self._tell(staged, kinds)
                return
        for does in (Does.EXPIRE, Does.GO_MISSING):
            await self._strike(kinds.get(does))
        answer = await asyncio.to_thread(self._desk.answer, self._call)
        about = self.seen.message_id or answer.message_id
        self.seen = replace(self.seen, effect=answer.status, message_id=about)
        for does in (Does.REDELIVER, Does.CRASH):
            await self._strike(kinds.get(does))
        if kinds.keys() & {Does.LOSE_ANSWER, Does.CRASH}:
            await self._end(CUT)
            return
        if Does.REPLACE in kinds:
            answer = _fault_page(kinds[Does.REPLACE].status, "Bad Gateway")
        await self._tell(answer, kinds)

    async def _strike(self, fault: Fault | None) -> None:
        if fault is not None:
            await asyncio.to_thread(self._desk.strike, fault, self.seen.message_id)

    async def _end(self, how: str) -> None:
        """End the connection for real; without a socket, raise."""
        self._desk.finish(self.seen)
        end = self._scope.get(how)
        if not callable(end):
            raise ConnectionError("cut by the fault script")
        end()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _tell(self, answer: SimulatedResponse, kinds: dict[Does, Fault]) -> None:
        headers = {
            "date": format_datetime(self._desk.now().astimezone(UTC), usegmt=True),
            **answer.headers,
        }
        if isinstance(answer.body, bytes) and Does.END_EARLY not in kinds and answer.status != 204:  # noqa: PLR2004
            headers["content-length"] = str(len(answer.body))
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self._send(
            {"type": "http.response.start", "status": answer.status, "headers": encoded}
        )
        self.seen = replace(self.seen, status=answer.status)
        if self._call.method == "HEAD":
            await self._last(b"", whole=True)
            return
        body = answer.body
        await self._stream(iter((body,)) if isinstance(body, bytes) else body, kinds)

    async def _stream(self, chunks: Iterator[bytes], kinds: dict[Does, Fault]) -> None:
        """Send the body, shaped by the faults; a piece is held until it is known to be the last."""
        await self._strike(kinds.get(Does.LOSE_LOCK))
        slow = kinds.get(Does.SLOW)
        held = b""
        left = asyncio.ensure_future(self._receive())
        try:
            async for piece in self._pieces(chunks, kinds):
                await self._push(held)
                held = piece
                if left.done():
                    return
                if slow is not None:
                    await asyncio.sleep(slow.after.total_seconds())
        finally:
            left.cancel()
        if Does.CUT in kinds:
            await self._push(held)
            await self._end(CUT)
        else:
            await self._last(held, whole=Does.END_EARLY not in kinds)

    async def _pieces(
        self, chunks: Iterator[bytes], kinds: dict[Does, Fault]
    ) -> AsyncIterator[bytes]:
        """The body as far as the faults let it go, in kilobytes where it is to be slow."""
        limits = [kinds[does].after_bytes for does in (Does.CUT, Does.END_EARLY) if does in kinds]
        room = min(limits, default=None)
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            whole = chunk if room is None else chunk[:room]
            step = 1024 if Does.SLOW in kinds else max(len(whole), 1)
            for start in range(0, len(whole), step):
                yield whole[start : start + step]
            room = None if room is None else room - len(whole)
            if room == 0:
                return

    async def _push(self, piece: bytes) -> None:
        if piece:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            self.seen = replace(self.seen, body_bytes=self.seen.body_bytes + len(piece))

    async def _last(self, piece: bytes, *, whole: bool) -> None:
        """The end of the answer. The journal is complete before the caller can have seen it."""
        count = self.seen.body_bytes + len(piece)
        self.seen = replace(self.seen, body_bytes=count, whole=whole)
        self._desk.finish(self.seen)
        await self._send({"type": "http.response.body", "body": piece, "more_body": False})


def operation_of(template: str, method: str) -> On | None:
    """The word by which a fault names this call."""
    return OPERATIONS.get((method if method != "HEAD" else "GET", template))


OPERATIONS = {
    ("GET", "/api/messages/in"): On.FIND,
    ("GET", "/api/messages/in/peek"): On.PEEK,
    ("GET", "/api/messages/in/pop/{messageId}"): On.POP,
    ("DELETE", "/api/messages/in/{messageId}"): On.DELETE,
    ("POST", "/api/messages/out"): On.CREATE,
    ("POST", "/api/messages/out/{messageId}"): On.SEND,
    ("GET", "/api/capabilities/{identifier}"): On.CAPABILITIES,
    ("GET", "/api/statuses"): On.STATUSES,
    ("GET", "/api/statuses/{messageId}"): On.STATUSES,
    ("GET", "/api/conversations"): On.CONVERSATIONS,
    ("GET", "/manage/health"): On.HEALTH,
}
