"""A server on loopback that takes a connection and gives its answer a piece at a time."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread


@dataclass
class Trickle:
    """First `head` at once, then `piece` again and again, `pieces` times, and `tail` at the end.

    It is a whole answer in the end, so that only a deadline makes a difference.
    """

    head: bytes = b""
    piece: bytes = b""
    tail: bytes = b""
    pieces: int = 60
    pause_seconds: float = 0.05
    given: list[int] = field(default_factory=list)
    """For each connection, the pieces that it got."""
    ended: Event = field(default_factory=Event)
    """Once it is set, what is under way ends without the rest of the answer."""
    url: str = ""

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rsplit(":", 1)[1])

    def answer(self, connection: socket.socket) -> None:
        """Read a request and give the answer, unless the caller leaves before."""
        self.given.append(0)
        mine = len(self.given) - 1
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(self.head)
            for _ in range(self.pieces):
                connection.sendall(self.piece)
                self.given[mine] += 1
                if self.ended.wait(self.pause_seconds):
                    return
            connection.sendall(self.tail)


@contextmanager
def trickling(trickle: Trickle) -> Iterator[Trickle]:
    """It listens until the `with` ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    trickle.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            Thread(target=trickle.answer, args=(connection,), daemon=True).start()

    Thread(target=accept, daemon=True).start()
    try:
        yield trickle
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
