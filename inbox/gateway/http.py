"""The HTTP connection to a gateway: bounded in bytes and in time, stateless, without redirects."""

import ipaddress
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version

import httpx

from inbox.call_deadline import CallDeadline, DeadlineTransport, connection_fault
from inbox.errors import ConfigurationError, NeverAccepted, Unavailable
from inbox.gateway.responses import OK, GatewayResponse

CHUNK_BYTES = 256 * 1024
PACKAGE_TYPES = (
    "application/vnd.etsi.asic-e+zip",
    "application/zip",
    "application/octet-stream",
)
_TRANSFER_ERRORS = (httpx.HTTPError, httpx.StreamError)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Time and size limits of a call.

    `read` applies between two reads; `transfer_read` also to all that comes before a package.
    """

    connect: timedelta = timedelta(seconds=5)
    read: timedelta = timedelta(seconds=60)
    answer: timedelta = timedelta(minutes=2)
    """For the whole call, so that a trickle of bytes anywhere in it cannot hold a worker."""
    transfer_read: timedelta = timedelta(minutes=5)
    """As the gateway's own server; it decrypts 1 GB before the first byte."""
    transfer: timedelta = timedelta(hours=6)
    """For the whole of a package: 1 GB at 50 kB/s."""
    answer_bytes: int = 2 * 1024**2
    """An SBD has a few kilobytes; statuses and capabilities, page by page, have fewer."""
    package_bytes: int = 2 * 1024**3
    """Above what any sender may send (about 1 GB): only keeps a runaway stream off the disk."""


DEFAULT_BOUNDS = Bounds()


def client_for(
    url: str,
    *,
    credentials: tuple[str, str] | None = None,
    bounds: Bounds = DEFAULT_BOUNDS,
    tls: ssl.SSLContext | None = None,
    transport: httpx.BaseTransport | None = None,
) -> httpx.Client:
    """The HTTP client for a gateway; the caller closes it. Wiring and tests create it only here.

    No proxy or netrc of the environment, no redirects, no cookies, no compression. `url` may have
    a path. `transport` replaces the network. Raises `ConfigurationError`.
    """
    _address(url)
    return httpx.Client(
        base_url=url,
        auth=httpx.BasicAuth(*credentials) if credentials else None,
        headers={"User-Agent": f"inbox/{version('inbox')}", "Accept-Encoding": "identity"},
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        timeout=_timeout(bounds, bounds.read),
        follow_redirects=False,
        trust_env=False,
        transport=transport or DeadlineTransport(tls=tls),
    )


def check_protected(url: str, credentials: tuple[str, str] | None) -> None:
    """Raise `ConfigurationError` for a remote gateway without https or without credentials.

    What it gives is decrypted confidential mail. Raises `ConfigurationError`.
    """
    address = _address(url)
    if _is_loopback(address.host):
        return
    if address.scheme != "https":
        raise ConfigurationError(
            "gateway.plain_http", "read plain http to another machine; allowed: https"
        )
    if credentials is None:
        raise ConfigurationError(
            "gateway.no_credentials", "read another machine and no user; allowed: user and password"
        )


class Transfer:
    """The bytes of a package while they are received; close it in any case."""

    def __init__(self, response: httpx.Response, bounds: Bounds, deadline: CallDeadline) -> None:
        self._response = response
        self._bounds = bounds
        self._deadline = deadline

    def close(self) -> None:
        """Close the connection. Safe to repeat."""
        self._response.close()

    def chunks(self) -> Iterator[bytes]:
        """All bytes in pieces of about 256 KiB, once.

        The gateway promises no length for large packages, and a proxy may end a broken stream
        cleanly: whether the container is whole shows only in the container.

        Raises `Unavailable` when the stream breaks or ends early (`gateway.truncated`) or takes
        too long (`gateway.slow`), `NeverAccepted` when it will not end (`gateway.too_large`).
        """
        held, count = bytearray(), 0
        for piece in _stream_within(self._response, self._deadline):
            held += piece
            count += len(piece)
            if count > self._bounds.package_bytes:
                raise NeverAccepted("gateway.too_large", f"{count} bytes, and still more")
            if len(held) >= CHUNK_BYTES:
                yield bytes(held)
                held.clear()
        promised = self._response.headers.get("content-length", str(count))
        if not promised.isdecimal() or int(promised) != count:
            raise Unavailable("gateway.truncated", f"{count} bytes came, {promised} were promised")
        if held:
            yield bytes(held)


class Connection:
    """Sends requests to the gateway and reads the responses.

    Its only state is the clock difference.
    """

    def __init__(
        self, client: httpx.Client, *, bounds: Bounds, now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._bounds = bounds
        self._now = now
        self.skew: timedelta | None = None
        """The gateway's clock minus ours, by the last Date header; exact to about a second."""

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: Mapping[str, object] | None = None,
    ) -> GatewayResponse:
        """Send a request and return the complete response, whatever its status.

        Raises `Unavailable` if there is none.
        """
        deadline = CallDeadline(self._bounds.answer)
        request = self._client.build_request(
            method,
            path,
            params=params,
            json=content,
            extensions=deadline.extensions(self._client.timeout),
        )
        return self._read_body(self._send(request, deadline), deadline)

    def open(self, path: str) -> Transfer | GatewayResponse:
        """Open the bytes at this path, to be closed by the caller.

        A response if it is not a 200.
        """
        deadline = CallDeadline(self._bounds.connect + self._bounds.transfer_read)
        silence = _timeout(self._bounds, self._bounds.transfer_read)
        request = self._client.build_request("GET", path, extensions=deadline.extensions(silence))
        response = self._send(request, deadline)
        if response.status_code != OK:
            deadline.restart(self._bounds.answer)
            return self._read_body(response, deadline)
        deadline.restart(self._bounds.transfer)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in PACKAGE_TYPES:
            response.close()
            raise Unavailable("gateway.garbled", "the package has another media type")
        return Transfer(response, self._bounds, deadline)

    def _send(self, request: httpx.Request, deadline: CallDeadline) -> httpx.Response:
        try:
            response = self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            code = f"gateway.{connection_fault(error, deadline)}"
            raise Unavailable(code, type(error).__name__) from error
        self._measure_clock_skew(response.headers.get("date", ""))
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            response.close()
            raise Unavailable("gateway.garbled", "a content encoding that was not asked for")
        return response

    def _read_body(self, response: httpx.Response, deadline: CallDeadline) -> GatewayResponse:
        body = bytearray()
        try:
            for piece in _stream_within(response, deadline):
                body += piece
                if len(body) > self._bounds.answer_bytes:
                    raise Unavailable("gateway.garbled", f"{len(body)} bytes, and still more")
        finally:
            response.close()
        return GatewayResponse(status=response.status_code, body=bytes(body))

    def _measure_clock_skew(self, date: str) -> None:
        """Keep the difference, unless the header is no date: whatever a sender makes of it."""
        try:
            theirs = parsedate_to_datetime(date)
            if theirs.tzinfo is not None:
                self.skew = theirs.astimezone(UTC) - self._now()
        except (ArithmeticError, LookupError, TypeError, ValueError):
            return


def _stream_within(response: httpx.Response, deadline: CallDeadline) -> Iterator[bytes]:
    """The bytes as they come off the wire: encodings were refused. Raises `Unavailable`."""
    try:
        for piece in response.iter_bytes():
            yield piece
            if deadline.has_passed():
                raise Unavailable("gateway.slow", "not finished within its time")
    except _TRANSFER_ERRORS as error:
        code = "gateway.slow" if deadline.has_passed() else "gateway.truncated"
        raise Unavailable(code, type(error).__name__) from error


def _timeout(bounds: Bounds, read: timedelta) -> httpx.Timeout:
    connect, seconds = bounds.connect.total_seconds(), read.total_seconds()
    return httpx.Timeout(connect=connect, read=seconds, write=seconds, pool=seconds)


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        raise ConfigurationError(
            "gateway.address", "url cannot be read; allowed: http(s)://host[:port][/path]"
        ) from None
    bare = not (address.userinfo or address.query or address.fragment)
    if address.scheme not in ("http", "https") or not address.host or not bare:
        raise ConfigurationError(
            "gateway.address",
            "url has more or less than it may; allowed: http(s)://host[:port][/path] and no more",
        )
    return address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
