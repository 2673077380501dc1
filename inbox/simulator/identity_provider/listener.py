"""From sockets to calls and back; callers and hosts that are not on loopback are refused."""

import asyncio
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from inbox.simulator.http.asgi import Event, Receive, Scope, Send
from inbox.simulator.identity_provider.loopback import is_loopback
from inbox.simulator.identity_provider.wire import Parameters, ProviderAnswer, ProviderCall

_FORM = "application/x-www-form-urlencoded"
_MOST_BYTES = 256 * 1024
_NO_BODY = 413


class Answers(Protocol):
    """What stands behind the socket; may be called from any thread."""

    def answer(self, call: ProviderCall) -> ProviderAnswer:
        """Do it."""


class ProviderApp:
    """The ASGI application of a provider."""

    def __init__(self, provider: Answers) -> None:
        self._provider = provider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        call = await _read(scope, receive)
        if call is None:
            await _send(ProviderAnswer(status=_NO_BODY), receive, send)
            return
        answer = _outside(scope, call)
        if answer is None:
            answer = await asyncio.to_thread(self._provider.answer, call)
        await _send(answer, receive, send)


def _outside(scope: Scope, call: ProviderCall) -> ProviderAnswer | None:
    """The refusal of a caller that is not on this machine, or came by another machine's name.

    A page elsewhere could let its own name point here (DNS rebinding).
    """
    client = scope.get("client")
    if isinstance(client, tuple | list) and not is_loopback(str(client[0])):
        return ProviderAnswer(status=403)
    if not is_loopback(urlsplit("//" + call.headers.get("host", "")).hostname):
        return ProviderAnswer(status=421)
    return None


async def _read(scope: Scope, receive: Receive) -> ProviderCall | None:
    """The call, or None: its body is too long."""
    body, more = b"", True
    while more:
        event = await receive()
        part = event.get("body", b"")
        body += part if isinstance(part, bytes) else b""
        more = bool(event.get("more_body", False))
        if len(body) > _MOST_BYTES:
            return None
    query, raw_headers = scope["query_string"], scope["headers"]
    assert isinstance(query, bytes)
    assert isinstance(raw_headers, list)
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in raw_headers}
    is_form = headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM
    return ProviderCall(
        method=str(scope["method"]),
        path=str(scope["path"]),
        query=_parameters(query),
        form=_parameters(body) if is_form else None,
        headers=headers,
    )


def _parameters(raw: bytes) -> Parameters:
    return Parameters(parse_qsl(raw.decode("latin-1"), keep_blank_values=True))


async def _send(answer: ProviderAnswer, receive: Receive, send: Send) -> None:
    """Send it at its pace; a caller that has gone ends it."""
    gone = asyncio.ensure_future(receive())
    try:
        if await _waited(answer.first_wait.total_seconds(), gone):
            return
        headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
        if isinstance(answer.body, bytes):
            headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        pause = answer.pause.total_seconds()
        for piece in _pieces(answer):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            if await _waited(pause, gone):
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()


def _pieces(answer: ProviderAnswer) -> Iterator[bytes]:
    if not isinstance(answer.body, bytes):
        return answer.body
    if answer.pause:
        return (answer.body[at : at + 1] for at in range(len(answer.body)))
    return iter((answer.body,))


async def _waited(seconds: float, gone: "asyncio.Future[Event]") -> bool:
    """Wait; True if the caller has gone meanwhile."""
    done, _ = await asyncio.wait({gone}, timeout=seconds)
    return bool(done)
