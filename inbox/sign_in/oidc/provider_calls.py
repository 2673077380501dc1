"""Calls to an identity provider: bounded in bytes and in time, without redirects and cookies.

Each provider has places of its own: one that hangs holds so many requests of ours and no more.
"""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from ipaddress import ip_address
from threading import BoundedSemaphore
from typing import Final
from urllib.parse import urlsplit

import httpx

from inbox.call_deadline import CallDeadline, DeadlineTransport, connection_fault
from inbox.sign_in.refusal import ProviderAway

MAX_BYTES: Final = 1_000_000
_TIME_LIMIT: Final = timedelta(seconds=10)
_SILENCE_SECONDS: Final = 5.0
_PLACES: Final = 8
OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429


@dataclass(frozen=True, kw_only=True)
class ProviderReply:
    """A whole answer; the body may name people, and gets into no error."""

    status: int
    values: Mapping[str, object]


def build_provider_client(*, tls: ssl.SSLContext | None = None) -> httpx.Client:
    """An HTTP client that keeps nothing between two calls, and goes only where it is sent."""
    return httpx.Client(
        headers={"User-Agent": f"inbox/{version('inbox')}", "Accept-Encoding": "identity"},
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        timeout=_SILENCE_SECONDS,
        follow_redirects=False,
        trust_env=False,
        transport=DeadlineTransport(tls=tls),
    )


class ProviderCalls:
    """The calls to one provider; `patience` is for the whole of each."""

    def __init__(
        self,
        client: httpx.Client,
        *,
        patience: timedelta = _TIME_LIMIT,
        places: int = _PLACES,
    ) -> None:
        self._client = client
        self._patience = patience
        self._places = BoundedSemaphore(places)
        self.skew_seconds: float | None = None
        """The provider's clock minus ours, by the last Date header; exact to about a second."""

    def get(self, address: str, *, patience: timedelta | None = None) -> Mapping[str, object]:
        """The JSON object at an address. Raises `ProviderAway`."""
        answer = self._call("GET", address, None, {}, patience or self._patience)
        if answer.status != OK:
            raise _status_error(answer.status)
        return answer.values

    def post(
        self, address: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> ProviderReply:
        """Send a form; an answer that says no is an answer. Raises `ProviderAway`."""
        answer = self._call("POST", address, form, headers, self._patience)
        if answer.status >= _SERVER_ERROR or answer.status == _TOO_MANY:
            raise _status_error(answer.status)
        return answer

    def _call(
        self,
        method: str,
        address: str,
        form: Mapping[str, str] | None,
        headers: Mapping[str, str],
        patience: timedelta,
    ) -> ProviderReply:
        check_address(address)
        with self._place():
            deadline = CallDeadline(patience)
            try:
                request = self._client.build_request(
                    method,
                    address,
                    data=None if form is None else dict(form),
                    headers={"Accept": "application/json", **headers},
                    extensions=deadline.extensions(self._client.timeout),
                )
                status, body = self._exchange(request, deadline)
            except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, UnicodeError) as error:
                code = f"provider.{connection_fault(error, deadline)}"
                raise ProviderAway(code, type(error).__name__) from None
        return ProviderReply(status=status, values=_object_in(status, body))

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise ProviderAway("provider.busy", "as many calls as it may have are under way")
        try:
            yield
        finally:
            self._places.release()

    def _exchange(self, request: httpx.Request, deadline: CallDeadline) -> tuple[int, bytes]:
        response = self._client.send(request, stream=True)
        try:
            self._measure_clock_skew(response.headers.get("date", ""))
            if response.status_code in _REDIRECTS:
                raise ProviderAway("provider.redirect", str(response.status_code))
            body = bytearray()
            for piece in response.iter_raw():
                body += piece
                if len(body) > MAX_BYTES:
                    raise ProviderAway("provider.too_large", f"more than {MAX_BYTES} bytes")
                if deadline.has_passed():
                    raise ProviderAway("provider.slow", "not finished within its time")
            return response.status_code, bytes(body)
        finally:
            response.close()

    def _measure_clock_skew(self, date: str) -> None:
        with suppress(ArithmeticError, LookupError, TypeError, ValueError):
            theirs = parsedate_to_datetime(date)
            self.skew_seconds = (theirs - datetime.now(UTC)).total_seconds()


def check_address(address: str) -> None:
    """Raise `ProviderAway` unless it is https, or http to this machine."""
    if not is_safe_address(address):
        raise ProviderAway("provider.address", "neither https, nor http to this machine")


def is_safe_address(address: str) -> bool:
    """Whether it is https, or http to this machine; with a host, without user and fragment."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or parts.fragment or not address.isprintable():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _status_error(status: int) -> ProviderAway:
    return ProviderAway("provider.status", str(status), status=status)


def _object_in(status: int, body: bytes) -> Mapping[str, object]:
    """The JSON object; of a refusal nothing is needed but that it is one."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    if status == OK:
        raise ProviderAway("provider.garbled", "the answer is no JSON object")
    return {}
