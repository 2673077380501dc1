"""Watches the vendor's calls of the API, from outside of the product's own app.

Each request is passed on unchanged, and so is each answer; what both held is kept for the words.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

API: Final = "/api/v1/deliveries"
_MAX_KEPT: Final = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """One call of the vendor's, and how it was answered."""

    method: str
    path: str
    query: str = ""
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    status: int
    answer: bytes = field(default=b"", repr=False)
    sent: int = 0
    """Bytes of the answer's body that left here."""
    cut: bool = False
    """The client went away before the answer was whole."""

    def header(self, name: str) -> list[str]:
        """The values of a header, by its name in lower case."""
        return [value for given, value in self.headers if given == name]

    @property
    def parts(self) -> list[str]:
        """What follows the address of the deliveries: id, `package` and so on."""
        if not self.path.startswith(API):
            return []
        return [part for part in self.path.removeprefix(API).split("/") if part]

    def answered(self, name: str) -> object:
        """A member of the answer, where that is a JSON object that has it."""
        return members_of(self.answer).get(name)


def members_of(raw: bytes) -> dict[str, object]:
    """The members of a JSON object; nothing where it is something else."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


class WatchedApi:
    """The product's app, and a function that is called once each call has been answered."""

    def __init__(self, app: ASGIApp, seen: Callable[[ApiCall], None]) -> None:
        self._app = app
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, answer = bytearray(), bytearray()
        status, sent, whole = 0, 0, False

        async def listen() -> Message:
            message = await receive()
            body.extend(message.get("body", b"")[: _MAX_KEPT - len(body)])
            return message

        async def speak(message: Message) -> None:
            nonlocal status, sent, whole
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                part = message.get("body", b"")
                sent += len(part)
                answer.extend(part[: _MAX_KEPT - len(answer)])
                whole = not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, listen, speak)
        finally:
            self._seen(
                ApiCall(
                    method=scope["method"],
                    path=scope["path"],
                    query=scope["query_string"].decode("latin-1"),
                    headers=tuple(_headers(scope)),
                    body=bytes(body),
                    status=status,
                    answer=bytes(answer),
                    sent=sent,
                    cut=not whole,
                )
            )


def _headers(scope: Scope) -> Iterator[tuple[str, str]]:
    for name, value in scope["headers"]:
        yield name.decode("latin-1").lower(), value.decode("latin-1")
