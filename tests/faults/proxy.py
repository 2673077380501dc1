"""The network between the line and PostgreSQL: it cuts, drops, delays and refuses."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

_COMMIT = b"COMMIT\0"
_PIECE = 65_536


class How(StrEnum):
    """What becomes of a COMMIT."""

    LOST = "carried out, and the answer is lost"
    DROPPED = "cut before it arrives"


class Proxy:
    """Between loopback and the server's socket. All of it may be called from any thread."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.away = False
        """New connections are closed at once."""
        self.delay = 0.0
        """Seconds that each piece from the line takes longer."""
        self.commits = 0
        """Since the staging."""
        self._nth: int | None = None
        self._how = How.LOST
        self.struck = 0

    def stage(self, how: How, nth: int) -> None:
        """The `nth` COMMIT from now."""
        with self._lock:
            self.commits, self.struck, self._nth, self._how = 0, 0, nth, how

    def cut(self) -> None:
        """End every connection now."""
        with self._lock:
            for each in self._open:
                _reset(each)

    def carry(self, line: socket.socket) -> None:
        """One connection, until either side ends it."""
        if self.away:
            _reset(line)
            line.close()
            return
        with socket.socket(socket.AF_UNIX) as server, line:
            try:
                server.connect(self._where)
            except OSError:
                _reset(line)
                return
            with self._lock:
                self._open |= {line, server}
            back = threading.Thread(target=_pour, args=(server, line), daemon=True)
            with suppress(OSError):
                self._forth(line, server, back)
            for each in (line, server):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            if back.ident is not None:
                back.join()
            with self._lock:
                self._open -= {line, server}

    def _forth(self, line: socket.socket, server: socket.socket, back: threading.Thread) -> None:
        back.start()
        while piece := line.recv(_PIECE):
            how = self._of(piece)
            if how is How.LOST:
                _reset(line)
                server.sendall(piece)
                _wait_for_rest(server)
            if how is not None:
                return
            time.sleep(self.delay)
            server.sendall(piece)

    def _of(self, piece: bytes) -> How | None:
        if _COMMIT not in piece:
            return None
        with self._lock:
            self.commits += 1
            if self.commits != self._nth:
                return None
            self.struck += 1
            return self._how


def _reset(end: socket.socket) -> None:
    """The peer sees a reset at once, whatever is on its way."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


def _wait_for_rest(server: socket.socket) -> None:
    """Until the server has carried the COMMIT out: it answers, and the answer goes nowhere."""
    server.shutdown(socket.SHUT_WR)
    time.sleep(0.05)


@contextmanager
def between(url: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy to the server of this address, and the address of the same database through it."""
    parts = urlsplit(url)
    proxy = Proxy(parse_qs(parts.query)["host"][0] + "/.s.PGSQL.5432")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def accept() -> None:
            with suppress(OSError):
                while True:
                    line, _ = listener.accept()
                    threading.Thread(target=proxy.carry, args=(line,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield proxy, f"postgresql://inbox@127.0.0.1:{port}{parts.path}?sslmode=disable"
        listener.shutdown(socket.SHUT_RDWR)
    proxy.cut()
