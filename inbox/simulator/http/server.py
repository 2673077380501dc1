"""Serve an ASGI application on loopback for the time of a `with`; connections can be cut."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from inbox.simulator.http.asgi import CUT, RESET, Receive, Scope, Send

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
GRACE_SECONDS = 1.0
LINGER_ZERO = struct.pack("ii", 1, 0)


class _CuttableProtocol(H11Protocol):
    """Gives the application the means to end its own connection."""

    def connection_made(  # type: ignore[override]  # as uvicorn's own
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        inner = self.app
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def reset() -> None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
            transport.abort()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope[CUT], scope[RESET] = transport.close, reset
            await inner(scope, receive, send)

        self.app = app


class _Server(uvicorn.Server):
    """Says when it is up, and ends at a signal instead of looking ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.up.set()
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's own, without the tenth of a second that it always sleeps."""
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        until = time.monotonic() + GRACE_SECONDS
        while self._is_busy() and time.monotonic() < until:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.001)
        for task in self.server_state.tasks:
            task.cancel()

    def _is_busy(self) -> bool:
        return bool(self.server_state.connections or self.server_state.tasks)

    def end(self) -> None:
        """Stop accepting, let open transfers have their second, and return from `run`."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ended.set)


@contextmanager
def serve(app: Application, *, port: int = 0) -> Iterator[str]:
    """The base URL of the application on 127.0.0.1, until the `with` ends; port 0 is a free one.

    Transfers still open at the end are cut after a second.
    """
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        app,
        http=_CuttableProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
    )
    server = _Server(config)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="simulator", daemon=True
    )
    thread.start()
    try:
        if not server.up.wait(timeout=10):
            raise TimeoutError("the simulator's server did not start")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.end()
        thread.join(timeout=10)
        listener.close()
