"""A deadline on the whole of a call to a neighbour: from the name of its host to the last byte.

The time-outs of an HTTP client hold between two bytes, so a neighbour that sends a byte of a header
every five seconds, or one 100 Continue after the other, holds its caller for as long as it likes.
Here every wait of a call (name, connect, TLS, write, read) gets what is left of the whole.

How it is done: httpx passes the time-outs of a request, unchanged, down to the network stream. A
`CallDeadline` gives numbers that know their deadline, and the streams of `DeadlineTransport` ask
them before each wait. With any other transport they are ordinary time-outs.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread
from typing import Any, Final, Self

import httpcore
import httpx

_MAX_CONNECTIONS: Final = 100
_KEPT_CONNECTIONS: Final = 20
_KEPT_SECONDS: Final = 5.0
_SHORTEST_WAIT: Final = 0.001
"""A time-out of nothing would mean "do not wait" to a socket, not "the time has run out"."""


class CallDeadline:
    """The end of one call. `clock` counts seconds and never runs backwards."""

    def __init__(self, whole: timedelta, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_at = clock() + whole.total_seconds()

    def seconds_left(self) -> float:
        """The time until the end; never below 0."""
        return max(0.0, self._ends_at - self._clock())

    def has_passed(self) -> bool:
        """Whether the time has run out."""
        return self.seconds_left() <= 0

    def restart(self, whole: timedelta) -> None:
        """Give what follows, such as the body of a large package, a time of its own."""
        self._ends_at = self._clock() + whole.total_seconds()

    def extensions(self, silence: httpx.Timeout) -> dict[str, object]:
        """The request extensions that hold a call to this deadline.

        `silence` says how long a single wait may last, within the whole.
        """
        limits = silence.as_dict()
        return {"timeout": {kind: _Limit(seconds, self) for kind, seconds in limits.items()}}


class _Limit(float):
    """The longest single wait, in seconds, with the deadline of the whole call."""

    deadline: CallDeadline

    def __new__(cls, seconds: float | None, deadline: CallDeadline) -> Self:
        left = deadline.seconds_left()
        limit = super().__new__(cls, left if seconds is None else min(seconds, left))
        limit.deadline = deadline
        return limit


def _next_wait(limit: float | None) -> float | None:
    """How long the next wait may last. Raises `TimeoutError` if the whole time has run out."""
    if not isinstance(limit, _Limit):
        return limit
    left = limit.deadline.seconds_left()
    if left <= 0:
        raise TimeoutError("the time for the whole call has run out")
    return max(_SHORTEST_WAIT, min(limit, left))


def addresses_of(host: str, port: int, deadline: CallDeadline) -> list[str]:
    """The addresses of a host. Raises `OSError`, a `TimeoutError` too.

    A resolver knows no deadline, so it is asked in a thread that is left behind if it hangs.
    """
    if deadline.has_passed():
        raise TimeoutError("no time is left to resolve the name")
    found: list[str] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            failed.append(error)
        except UnicodeError:
            failed.append(socket.gaierror("no resolver takes such a name"))
        else:
            found.extend(str(entry[4][0]) for entry in entries)

    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(deadline.seconds_left())
    if failed:
        raise failed[0]
    if not found:
        raise TimeoutError("the name was not resolved in time")
    return found


def connection_fault(error: BaseException, deadline: CallDeadline) -> str:
    """Why a call got no answer, in a word for the end of a code.

    `unresolved` (the name), `certificate` (not believed), `tls` (no TLS there), `slow`, or
    `unavailable`.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return "unresolved"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "certificate"
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, TimeoutError):
            return "tls"
        cause = cause.__cause__ or cause.__context__
    return "slow" if deadline.has_passed() else "unavailable"


@contextmanager
def _http_errors(
    timed_out: type[httpcore.TimeoutException], failed: type[httpcore.NetworkError]
) -> Iterator[None]:
    """What a socket raises, as the errors that an HTTP client expects of its streams."""
    try:
        yield
    except TimeoutError as error:
        raise timed_out(str(error)) from error
    except OSError as error:
        raise failed(str(error)) from error


class _DeadlineStream(httpcore.NetworkStream):
    """A connection each of whose waits ends with the deadline of the call that uses it."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self._socket: socket.socket = inner.get_extra_info("socket")

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _http_errors(httpcore.ReadTimeout, httpcore.ReadError):
            self._socket.settimeout(_next_wait(timeout))
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        with _http_errors(httpcore.WriteTimeout, httpcore.WriteError):
            while rest:
                self._socket.settimeout(_next_wait(timeout))
                rest = rest[self._socket.send(rest) :]

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        with _http_errors(httpcore.ConnectTimeout, httpcore.ConnectError):
            seconds = _next_wait(timeout)
        return _DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _DeadlineBackend(httpcore.SyncBackend):
    """Opens connections; of a host with several addresses each gets what is left of the time."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failed: Exception | None = None
        for address in self._addresses(host, port, timeout):
            with _http_errors(httpcore.ConnectTimeout, httpcore.ConnectError):
                seconds = _next_wait(timeout)
            try:
                stream = super().connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore.ConnectTimeout, httpcore.ConnectError) as error:
                failed = error
            else:
                return _DeadlineStream(stream)
        raise failed or httpcore.ConnectError("the host has no address")

    @staticmethod
    def _addresses(host: str, port: int, timeout: float | None) -> list[str]:
        if not isinstance(timeout, _Limit):
            return [host]
        with _http_errors(httpcore.ConnectTimeout, httpcore.ConnectError):
            return addresses_of(host, port, timeout.deadline)


class DeadlineTransport(httpx.HTTPTransport):
    """The network, for clients whose requests carry the extensions of a `CallDeadline`."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        context = tls or httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        # httpx passes no network backend on; a test with real sockets notices if this changes.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_KEPT_CONNECTIONS,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=_DeadlineBackend(),
        )
