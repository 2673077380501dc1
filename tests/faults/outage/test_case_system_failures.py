"""Case systems that are away, slow, endless, contradictory or interrupted."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from inbox.simulator.casesystem.simulator import Behaviour
from inbox.simulator.http.asgi import Receive, Scope, Send
from inbox.simulator.http.server import Application
from tests.faults.conftest import Made
from tests.faults.fault_table import Row, on_both_databases
from tests.faults.outage.case_system_faults import AWAY, HOOKS, TROUBLED, TROUBLES
from tests.faults.outage.http_world import HttpWorld, http_world, wait_until


@contextmanager
def _hooked(there: HttpWorld, inner: Application) -> Iterator[None]:
    there.hook.inner = inner
    yield
    there.hook.calm()


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
