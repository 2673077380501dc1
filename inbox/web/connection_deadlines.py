"""Deadlines and a limit for the connections of a listener, which uvicorn has none of.

Without them a client that connects and says nothing keeps a connection for ever, and as many of
them as a process may have descriptors stop it. Once a second each connection is looked at: which
part of a request is awaited, since when, and whether what was written gets through. One that is too
late is aborted: closing would wait for unsent bytes for ever. uvicorn's own keep-alive time-out
stays as it is.
"""

import asyncio
import resource
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from inbox import log
from inbox.log import LogEvent, LogField

LOOK_SECONDS: Final = 1.0
RESERVED_DESCRIPTORS: Final = 256
"""For the worker, the database, the vault and gateways, whatever connects to the listeners."""
OPERATOR_CONNECTIONS: Final = 64
PEOPLE_CONNECTIONS: Final = 256
_MOST_API_CONNECTIONS: Final = 1000
_FEWEST_API_CONNECTIONS: Final = 16


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits:
    """Seconds that a client may take, and how many connections a listener has at most."""

    connections: int
    head: float = 10.0
    """For a whole head, from the connection or from when the answer before it was taken."""
    body: float = 20.0
    """For a whole body: 64 KiB at most."""
    write: float = 30.0
    """For the client to take what is buffered: 2 kB a second."""


def descriptor_limit() -> int:
    """How many descriptors this process may have."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def api_connections(descriptors: int) -> int:
    """How many connections the API gets, so that the reserve and the operators keep theirs."""
    free = descriptors - RESERVED_DESCRIPTORS - OPERATOR_CONNECTIONS
    return max(_FEWEST_API_CONNECTIONS, min(_MOST_API_CONNECTIONS, free))


class _OncePerSecond:
    """Logs connections that were cut: one line a second for each cause, with their number."""

    def __init__(self) -> None:
        self._logged: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def log_cut(self, now: float, code: str) -> None:
        self._counts[code] = self._counts.get(code, 0) + 1
        if now - self._logged.get(code, now - 2) < 1:
            return
        self._logged[code] = now
        count = self._counts.pop(code)
        log.emit(LogEvent.CUT, {LogField.CODE: code, LogField.COUNT: count})


class LimitedProtocol(H11Protocol):
    """A connection that is looked at once a second; `protocol_with` sets its limits."""

    limits: ClassVar[ConnectionLimits]
    cuts: ClassVar[_OncePerSecond]

    def connection_made(  # type: ignore[override]  # as uvicorn's own
        self, transport: asyncio.Transport
    ) -> None:
        """Begin to look at the connection, or refuse it as one of too many."""
        super().connection_made(transport)
        self._awaited: object = None
        self._since = self._unread_since = self.loop.time()
        self._look: asyncio.TimerHandle | None = None
        if len(self.connections) > self.limits.connections:
            self.cuts.log_cut(self.loop.time(), "serve.too_many_connections")
            transport.abort()
            return
        self._look = self.loop.call_later(LOOK_SECONDS, self._look_at)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look at it no more."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """The client has taken what was buffered."""
        self._unread_since = self.loop.time()
        super().resume_writing()

    def _look_at(self) -> None:
        now = self.loop.time()
        code = self._reading_lateness(now) or self._writing_lateness(now)
        if code is not None:
            self.cuts.log_cut(now, code)
            self.transport.abort()
            return
        self._look = self.loop.call_later(LOOK_SECONDS, self._look_at)

    def _writing_lateness(self, now: float) -> str | None:
        if not self.transport.get_write_buffer_size():
            self._unread_since = now
        return "serve.slow_reader" if now - self._unread_since > self.limits.write else None

    def _reading_lateness(self, now: float) -> str | None:
        awaited: tuple[Any, object] = (self.conn.their_state, self.cycle)
        is_taking_answer = awaited[0] is h11.IDLE and self.transport.get_write_buffer_size() > 0
        if awaited != self._awaited or is_taking_answer:
            self._awaited, self._since = awaited, now
        waited = now - self._since
        if awaited[0] is h11.IDLE and waited > self.limits.head:
            return "serve.slow_head"
        if awaited[0] is h11.SEND_BODY and waited > self.limits.body:
            return "serve.slow_body"
        return None


def protocol_with(limits: ConnectionLimits) -> type[H11Protocol]:
    """The class of uvicorn's protocol that keeps to these limits."""
    return type("Protocol", (LimitedProtocol,), {"limits": limits, "cuts": _OncePerSecond()})
