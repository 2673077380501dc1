"""A case system in trouble: a line when it begins and ends, and one for each failed call."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import httpx
import pytest
import sqlalchemy as sa
from sqlmodel import col

from inbox.call_deadline import DeadlineTransport
from inbox.casesystem.webhook import Target, WebhookSender
from inbox.domain import Mode
from inbox.health.condition import HealthCondition, Level
from inbox.health.current import conditions_of
from inbox.health.record import ConditionRecorder
from inbox.health.report import lines_of
from inbox.tables import CaseSystem
from tests.gateway.scripted_gateway import NO_TLS
from tests.health.log_lines import condition_lines
from tests.trickle_server import Trickle, trickling
from tests.worlds import World

SUBJECT = "case_system:sak"
OF_SAK = "Melding om barnevern"


@contextmanager
def _webhook_of_sak(world: World, receiver: Trickle) -> Iterator[None]:
    """The case system `sak` is told by webhook, and gives up to half a second for it."""
    with trickling(receiver), httpx.Client(transport=DeadlineTransport(tls=NO_TLS)) as client:
        loopback = (ip_network("127.0.0.0/8"),)
        target = Target(host="127.0.0.1", port=receiver.port, networks=loopback)
        sender = WebhookSender(client, [target], within=timedelta(seconds=0.5))
        world.line = replace(world.line, events=sender)
        with world.line.store.transaction() as tx:
            tx.execute(
                sa.update(CaseSystem)
                .where(col(CaseSystem.id) == "sak")
                .values(mode=Mode.WEBHOOK, webhook_url=f"{receiver.url}/hooks")
            )
        yield


def _fail_until_away(world: World) -> None:
    world.send(OF_SAK)
    world.collect()
    for _ in range(5):
        world.work()
        world.clock.advance(timedelta(minutes=2))


def _condition(world: World) -> HealthCondition | None:
    found = [each for each in conditions_of(world.line) if each.subject == SUBJECT]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("head", "code", "status", "advice"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "refused", 401, "secret"),
        (b"", "slow", None, "answer first and work afterwards"),
    ],
)
def test_each_trouble_of_a_case_system_is_logged_and_shown_with_advice(
    small_world: World,
    caplog: pytest.LogCaptureFixture,
    head: bytes,
    code: str,
    status: int | None,
    advice: str,
) -> None:
    small_world.edited = True
    caplog.set_level(logging.INFO, "inbox")
    receiver = Trickle(head=head, pieces=1000 if not head else 0)
    recorder = ConditionRecorder(small_world.line, tick=lambda: 0)

    with _webhook_of_sak(small_world, receiver):
        _fail_until_away(small_world)
        recorder.look()
        found = _condition(small_world)

        line = condition_lines(caplog)["condition_began", SUBJECT, f"webhook.{code}"]
        assert (line["severity"], line.get("status"), line["count"]) == ("warning", status, 1)
        assert found is not None
        assert (found.level, found.count, found.status) == (Level.WARNING, 1, status)
        assert advice in " ".join(lines_of(found))
        receiver.head, receiver.pieces = b"HTTP/1.1 204 No Content\r\n\r\n", 0
        small_world.clock.advance(timedelta(hours=2))
        small_world.work()
        recorder.look()

    assert ("condition_ended", SUBJECT, f"webhook.{code}") in condition_lines(caplog)
    assert _condition(small_world) is None


def test_each_failed_call_is_a_line_with_code_and_status_and_no_ordinary_step(
    small_world: World, caplog: pytest.LogCaptureFixture
) -> None:
    small_world.edited = True
    caplog.set_level(logging.INFO, "inbox")
    refusing = Trickle(head=b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", pieces=0)

    with _webhook_of_sak(small_world, refusing):
        small_world.send(OF_SAK)
        small_world.collect()
        small_world.work()

    lines = [(each.getMessage(), vars(each)["inbox_fields"]) for each in caplog.records]
    of_calls = [(name, said) for name, said in lines if said.get("station") == "notify"]
    assert [(name, said["code"], said["status"]) for name, said in of_calls] == [
        ("postponed", "webhook.refused", 503)
    ]
