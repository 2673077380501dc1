"""A limit on the requests of one session, or of one address without a session.

A bucket of tokens for each: full at first, filled evenly, one token a request. What people do never
empties it; a program that asks all the time does, and then hears so at the least cost.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from inbox.web.people.site import PeopleSite

SESSION_COOKIE: Final = "__Host-okt"
STATIC: Final = "/static/"
_MOST_BUCKETS: Final = 10_000
"""The one that was idle for longest goes first; a bucket that goes was full again long since."""
_ADDRESS_FACTOR: Final = 20
"""Behind one address there may be a whole town hall: it gets so many times a session's share."""


class RequestRate:
    """Answers a request above the limit with a page, without asking anything further inside."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        site: PeopleSite,
        refusal: ASGIApp,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._site = site
        self._refusal = refusal
        self._tick = tick
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and not scope["path"].startswith(STATIC):
            headers = Headers(scope=scope)
            most = self._site.requests_per_minute
            address = self._client(scope, headers)
            session = _session_key(headers)
            if not self._take(f"a{address}", most * _ADDRESS_FACTOR) or (
                session and not self._take(f"s{session}", most)
            ):
                await self._refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _take(self, key: str, most: int) -> bool:
        now = self._tick()
        with self._lock:
            left, at = self._buckets.pop(key, (float(most), now))
            left = min(float(most), left + (now - at) * most / 60)
            allowed = left >= 1
            self._buckets[key] = (left - 1 if allowed else left, now)
            if len(self._buckets) > _MOST_BUCKETS:
                self._buckets.popitem(last=False)
        return allowed

    def _client(self, scope: Scope, headers: Headers) -> str:
        """The address that asks; a trusted proxy's word on it is the last one that it added."""
        peer = (scope.get("client") or ("",))[0]
        forwarded = headers.getlist("x-forwarded-for")
        if not forwarded or not self._is_trusted(peer):
            return peer
        last = forwarded[-1].rpartition(",")[2].strip()
        return last if _is_address(last) else peer

    def _is_trusted(self, peer: str) -> bool:
        return _is_address(peer) and any(
            ip_address(peer) in network for network in self._site.trusted_proxies
        )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _session_key(headers: Headers) -> str:
    """A digest of the session's cookie: the cookie itself is kept nowhere."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    found = cookies.get(SESSION_COOKIE)
    return hashlib.sha256(found.value.encode()).hexdigest()[:32] if found else ""
