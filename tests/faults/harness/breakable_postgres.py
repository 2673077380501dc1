"""A PostgreSQL server of one test's own, to be stopped without warning and started again."""

import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.postgres import _as_nobody, binaries, environment


class Cluster:
    """A durable server on a socket in a folder of its own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._binary, self._who = _as_nobody(home, binaries())
        self.url = f"postgresql://inbox@/postgres?host={home}"
        where = ("-D", home / "data", "-U", "inbox", "-A", "trust", "--no-sync", "-E", "UTF8")
        self._run("initdb", *where)

    def start(self) -> None:
        """Start it, and wait until it answers; it recovers what was committed."""
        options = (
            f"-k {self._home} -c listen_addresses='' -c shared_buffers=16MB -c max_connections=40"
        )
        data = ("-D", self._home / "data", "-l", self._home / "log")
        self._run("pg_ctl", *data, "-w", "-o", options, "start")

    def stop(self) -> None:
        """As if the machine had stopped: no checkpoint, no good-bye."""
        self._run("pg_ctl", "-D", self._home / "data", "-m", "immediate", "-w", "stop")

    def _run(self, name: str, *words: object) -> None:
        subprocess.run(
            [str(self._binary / name), *(str(word) for word in words)],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._home,
            env=environment(self._home),
            **self._who,  # type: ignore[call-overload] # user, group and extra_groups, or nothing
        )


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A running server, ended and removed in the end."""
    home = Path(tempfile.mkdtemp(prefix="inbox-pg-"))
    made = Cluster(home)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


_COMMIT = b"COMMIT\0"
_PIECE = 65_536


class CommitFault(StrEnum):
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
        self._how = CommitFault.LOST
        self.struck = 0

    def stage(self, how: CommitFault, nth: int) -> None:
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
            if how is CommitFault.LOST:
                _reset(line)
                server.sendall(piece)
                _wait_for_rest(server)
            if how is not None:
                return
            time.sleep(self.delay)
            server.sendall(piece)

    def _of(self, piece: bytes) -> CommitFault | None:
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
def proxy_to(url: str) -> Iterator[tuple[Proxy, str]]:
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
