"""Faults of a case system, for each row of the faults page that a test of them drives from."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from inbox.simulator.casesystem.simulator import Behaviour
from inbox.simulator.http.asgi import CUT, Receive, Scope, Send
from inbox.simulator.http.server import Application
from tests.faults.fault_table import rows_for

AWAY = rows_for("test_failing_webhook_is_retried_until_the_case_system_accepts_the_event")
TROUBLED = rows_for("test_message_is_registered_and_answered_once_despite_case_system_faults")


def _answering(status: int, *headers: tuple[bytes, bytes]) -> Application:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        await receive()
        start = {"type": "http.response.start", "status": status, "headers": list(headers)}
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    return answer


async def _resetting(scope: Scope, receive: Receive, send: Send) -> None:
    del send
    await _ended(scope, receive)


async def _silent(scope: Scope, receive: Receive, send: Send) -> None:
    """Half-open: takes the request and says nothing."""
    del scope, send
    while (await receive())["type"] != "http.disconnect":
        pass


async def _ended(scope: Scope, receive: Receive) -> None:
    cut = scope[CUT]
    assert callable(cut)
    cut()
    while (await receive())["type"] != "http.disconnect":
        pass


HOOKS: Mapping[str, Application] = {
    "C1": _resetting,
    "C2": _answering(500),
    "C3": _answering(503, (b"retry-after", b"31536000")),
    "C4": _answering(302, (b"location", b"/hooks/inbox")),
    "C5": _silent,
    "C6": _answering(401),
    "C7": _answering(410),
}
"""What answers in the place of the case system."""


class _Struck:
    """Lets the product do what it is asked, and cuts the answer to the first such request."""

    def __init__(self, app: Application, end: str) -> None:
        self._app, self._end = app, end
        self.times = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.times or not str(scope["path"]).endswith(self._end):
            await self._app(scope, receive, send)
            return
        self.times += 1

        async def swallow(event: object) -> None:
            del event

        await self._app(scope, receive, swallow)
        await _ended(scope, receive)


class _Cut(_Struck):
    """Gives a part of the answer to the first such request, and ends the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.times or not str(scope["path"]).endswith(self._end):
            await self._app(scope, receive, send)
            return
        self.times += 1

        async def some(event: Mapping[str, object]) -> None:
            if event["type"] == "http.response.body":
                body = event["body"]
                assert isinstance(body, bytes)
                await send({"type": "http.response.body", "body": body[:300], "more_body": True})
                await asyncio.sleep(0.05)
                await _ended(scope, receive)
            await send(dict(event))

        await self._app(scope, receive, some)


@dataclass(frozen=True, kw_only=True)
class Trouble:
    behaviour: Behaviour = field(default_factory=Behaviour)
    door: Callable[[Application], _Struck] | None = None
    tasks: tuple[str, ...] = ()


def _losing(end: str) -> Callable[[Application], _Struck]:
    return lambda app: _Struck(app, end)


TROUBLES: Mapping[str, Trouble] = {
    "C11": Trouble(behaviour=Behaviour(says_twice=True)),
    "C12": Trouble(behaviour=Behaviour(contradicts=True), tasks=("conflicting_word",)),
    "C13": Trouble(behaviour=Behaviour(failing_webhooks=3)),
    "C14": Trouble(behaviour=Behaviour(slow_by=timedelta(seconds=0.3))),
    "C15": Trouble(door=_losing("/registered")),
    "C16": Trouble(door=_losing("/accepted")),
    "C17": Trouble(door=_losing("/package")),
    "C18": Trouble(door=lambda app: _Cut(app, "/package")),
}
"""How the case system behaves, and what happens to the product's answers."""
