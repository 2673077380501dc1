"""Middleware around every request: security headers, one access log line, and a limit on the body.

Plain ASGI, so that it holds for unknown paths and for whatever is mounted later, too.
"""

import time
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inbox import log
from inbox.web import problems

MAX_BODY_BYTES: Final = 64 * 1024
"""The largest body that anybody may send."""


class SecurityHeaders:
    """Adds the security headers that a response does not set, and refuses all but HTTP."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in problems.SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


class AccessLog:
    """Logs one line per request: the template of its path (never the path), status and duration."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), None

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            log.emit(
                log.LogEvent.REQUEST,
                {
                    log.LogField.ROUTE: getattr(scope.get("route"), "path", None),
                    log.LogField.STATUS: status,
                    log.LogField.SECONDS: round(time.monotonic() - began, 3),
                },
            )


class BodyLimit:
    """Reads the whole body before the app is called, and refuses a body above the limit."""

    def __init__(self, app: ASGIApp, *, refusal: ASGIApp | None = None) -> None:
        self._app = app
        self._refusal = refusal or problems.too_large()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_BODY_BYTES:
                await self._refusal(scope, receive, send)
                return
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        await self._app(scope, replay, send)
