"""Case systems that are away, slow, endless, contradictory or interrupted."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from inbox.simulator.casesystem.simulator import Behaviour
from inbox.simulator.http.asgi import CUT, Receive, Scope, Send
from inbox.simulator.http.server import Application
from tests.faults.conftest import Made
from tests.faults.fault_table import Row, on_both_databases, rows_for
from tests.faults.outage.http_world import HttpWorld, http_world, wait_until

AWAY = rows_for("test_failing_webhook_is_retried_until_the_case_system_accepts_the_event")
TROUBLED = rows_for("test_message_is_registered_and_answered_once_despite_case_system_faults")


@contextmanager
def _hooked(there: HttpWorld, inner: Application) -> Iterator[None]:
    there.hook.inner = inner
    yield
    there.hook.calm()


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


@pytest.mark.parametrize(("row", "kind"), on_both_databases(AWAY, sample=[("C4", "sqlite")]))
def test_failing_webhook_is_retried_until_the_case_system_accepts_the_event(
    made: Made, tmp_path: Path, row: Row, kind: str
) -> None:
    with http_world(made(kind), tmp_path, answer_within=0.2) as there:
        there.send()
        with _hooked(there, HOOKS[row.number]):
            there.pass_time(3)
            before = there.states()
            there.pass_time(9)

            assert there.states() == before
            assert there.told.hooks == []
            assert there.told.registered == []
            assert there.custody.receipts == []
            assert len(there.custody.deletes) == 1
            assert there.tasks() == ["stuck"]
        there.until_answered()
        assert there.wrong() == []
        assert there.tasks() == []


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
class _Trouble:
    behaviour: Behaviour = field(default_factory=Behaviour)
    door: Callable[[Application], _Struck] | None = None
    tasks: tuple[str, ...] = ()


def _losing(end: str) -> Callable[[Application], _Struck]:
    return lambda app: _Struck(app, end)


TROUBLES: Mapping[str, _Trouble] = {
    "C11": _Trouble(behaviour=Behaviour(says_twice=True)),
    "C12": _Trouble(behaviour=Behaviour(contradicts=True), tasks=("conflicting_word",)),
    "C13": _Trouble(behaviour=Behaviour(failing_webhooks=3)),
    "C14": _Trouble(behaviour=Behaviour(slow_by=timedelta(seconds=0.3))),
    "C15": _Trouble(door=_losing("/registered")),
    "C16": _Trouble(door=_losing("/accepted")),
    "C17": _Trouble(door=_losing("/package")),
    "C18": _Trouble(door=lambda app: _Cut(app, "/package")),
}
"""How the case system behaves, and what happens to the product's answers."""


@pytest.mark.parametrize(("row", "kind"), on_both_databases(TROUBLED, sample=[]))
def test_message_is_registered_and_answered_once_despite_case_system_faults(
    made: Made, tmp_path: Path, row: Row, kind: str
) -> None:
    trouble = TROUBLES[row.number]
    with http_world(made(kind), tmp_path, behaviour=trouble.behaviour) as there:
        door = None if trouble.door is None else trouble.door(there.api.app)
        there.api.inner = door or there.api.app
        there.send()

        there.pass_time(5)
        wait_until(lambda: bool(there.told.registered) and there.told.idle())
        there.until_answered()

        assert door is None or door.times == 1
        assert there.wrong() == []
        assert tuple(there.tasks()) == trouble.tasks


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_delivery_waits_without_a_task_until_the_case_system_collects(
    made: Made, tmp_path: Path, kind: str
) -> None:
    with http_world(made(kind), tmp_path) as there:
        there.send("Sakkyndig vurdering")
        there.pass_time(9, timedelta(hours=20))
        assert there.custody.receipts == []
        assert there.tasks() == []

        with there.asking:
            wait_until(lambda: bool(there.asking.registered))
            there.until_answered()

        assert there.wrong() == []


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_collected_but_unregistered_delivery_gets_no_receipt_and_keeps_its_bytes(
    made: Made, tmp_path: Path, kind: str
) -> None:
    silent = Behaviour(slow_by=timedelta(days=1))
    with http_world(made(kind), tmp_path, behaviour=silent) as there:
        there.send()

        there.pass_time(9, timedelta(hours=20))

        assert [each.word for each in there.told.said] == ["accepted"]
        assert there.custody.receipts == []
        assert len(there.custody.deletes) == 1
        assert there.custody.holds(next(iter(there.sent)))


@pytest.mark.long
def test_endless_webhook_response_body_is_not_read(made: Made, tmp_path: Path) -> None:
    sent = 0

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        del scope
        await receive()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        for _ in range(10_000):
            await send({"type": "http.response.body", "body": bytes(65_536), "more_body": True})
            sent += 1
            await asyncio.sleep(0)

    with http_world(made("sqlite"), tmp_path) as there:
        there.hook.inner = endless
        there.send()
        began = time.monotonic()

        there.turn()

        assert time.monotonic() - began < 3
        assert sent < 1000
