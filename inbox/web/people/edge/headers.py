"""The headers of every page: nothing from elsewhere, nothing kept, nothing framed, no script."""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inbox.web.people.site import PeopleSite

_CONTENT: Final = (
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
)
_SWITCHED_OFF: Final = (
    "accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope",
    "microphone", "midi", "payment", "publickey-credentials-get", "usb",
)  # fmt: skip
_TWO_YEARS: Final = 2 * 365 * 24 * 3600
PAGE_HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "no-store",
    "content-security-policy": "; ".join(_CONTENT),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": ", ".join(f"{each}=()" for each in _SWITCHED_OFF),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
"""A response that sets one of them itself keeps its own."""


class PageHeaders:
    """Adds the headers that a response does not set, and refuses a WebSocket."""

    def __init__(self, app: ASGIApp, *, site: PeopleSite) -> None:
        self._app = app
        self._headers = dict(PAGE_HEADERS)
        if site.is_secure:
            self._headers["strict-transport-security"] = f"max-age={_TWO_YEARS}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)
