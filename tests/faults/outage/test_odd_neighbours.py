"""Neighbours that are odd rather than away: lost packages, empty answers, forgotten writes."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlmodel import col, select

from inbox.domain import ArrivalState, MessageState, ReceiptState
from inbox.line.case_systems import capacity_of
from inbox.line.moves import case_system
from inbox.simulator.casesystem.simulator import Behaviour
from inbox.simulator.gateway.simulator import Damage, OtherEnd
from inbox.simulator.gateway.undo import KEPT
from inbox.simulator.packages.envelopes import message_id_of, sbd_json
from inbox.tables import Arrival, CaseSystem, Message, Outbox, Task
from tests.databases import sqlite_database
from tests.faults.outage.http_world import HttpWorld, http_world, wait_until
from tests.worlds import OURS, SENDER, World

HOUR = timedelta(hours=1)


def _send_damaged(there: HttpWorld, damage: Damage) -> str:
    envelope = sbd_json(
        sender=SENDER, receiver=OURS, created_at=there.world.clock.now, life=60 * 24 * HOUR
    )
    return there.world.gateway.put(envelope, damage)


@pytest.mark.parametrize(
    ("damage", "code"),
    [(Damage.FILE_GONE, "gateway.file_missing"), (Damage.EMPTY, "gateway.truncated")],
)
def test_package_that_is_lost_at_the_gateway_is_one_task_and_delays_no_other(
    tmp_path: Path, damage: Damage, code: str
) -> None:
    with http_world(sqlite_database(tmp_path), tmp_path) as there:
        lost = _send_damaged(there, damage)
        there.send()

        there.until_answered()
        there.pass_time(10)

        assert there.world.arrival(lost).code == code
        assert there.tasks() == ["missed"]
        assert lost in there.world.gateway.queue()
        assert lost not in {wire_id for wire_id, _ in there.custody.deletes}
        there.world.gateway.expire(lost)
        there.pass_time(30)
        with there.looking.reading() as tx:
            arrivals = list(tx.exec(select(Arrival)))
        assert sorted(each.state for each in arrivals) == [
            ArrivalState.CONFIRMED,
            ArrivalState.MISSED,
        ]
        assert there.tasks() == ["missed"]


def test_event_that_a_case_system_forgot_is_made_good_by_its_next_list(tmp_path: Path) -> None:
    with http_world(
        sqlite_database(tmp_path),
        tmp_path,
        behaviour=Behaviour(forgotten_webhooks=1),
        lists_every=timedelta(milliseconds=200),
    ) as there:
        there.send()
        there.turn()

        wait_until(lambda: bool(there.told.registered), seconds=60)
        there.until_answered()

        assert there.wrong() == []
        assert there.tasks() == []
        with there.looking.reading() as tx:
            assert len(list(tx.exec(select(Outbox)))) == 1


def _registered(world: World) -> Message:
    wire_id = world.send("Melding om barnevern")
    world.collect()
    world.work()
    message = world.message(wire_id)
    with world.line.store.reading() as tx:
        capacity = capacity_of(tx.get_one(CaseSystem, "sak"))
    delivery = world.delivery(message.id)
    case_system.acknowledge_registered(world.line, capacity, delivery.id, reference="2026/1-1")
    return message


def _pass(world: World, turns: int, pause: timedelta) -> None:
    for _ in range(turns):
        world.clock.advance(pause)
        world.collect()
        world.work()


def test_receipt_that_is_read_before_it_is_delivered_is_confirmed_and_sent_once(
    world: World,
) -> None:
    world.gateway.other_end(OtherEnd.READS_FIRST)
    world.gateway.slow_down(HOUR)
    message = _registered(world)

    seen = []
    for _ in range(4):
        world.work()
        seen.append(world.receipt(message.id).state)
        _pass(world, 1, HOUR)

    assert seen[:3] == [ReceiptState.SENT] * 3
    assert world.receipt(message.id).state is ReceiptState.CONFIRMED
    assert world.gateway.statuses(world.gateway.receipts_at_sender()[0]["messageId"])[:3] == [  # type: ignore[arg-type] # a text
        *("OPPRETTET", "SENDT", "LEST"),
    ]
    assert len(world.gateway.receipts_at_sender()) == 1


def test_sender_that_hears_of_reading_before_delivery_has_one_receipt(small_world: World) -> None:
    small_world.gateway.deliver_late(5 * HOUR)
    message = _registered(small_world)

    _pass(small_world, 8, HOUR)

    names = small_world.gateway.sender_statuses(message.wire_id)
    assert names[-2:] == ["LEST", "LEVERT"]
    assert len(small_world.gateway.receipts_at_sender()) == 1
    assert small_world.message(message.wire_id).state is MessageState.ANSWERED


@pytest.mark.parametrize("lost", [1, 2])
def test_receipt_that_the_gateway_forgot_in_a_crash_is_sent_again_under_its_id(
    world: World, lost: int
) -> None:
    message = _registered(world)
    world.work()
    assert world.receipt(message.id).state is ReceiptState.SENT
    assert world.gateway.crash(losing=lost) == lost

    _pass(world, 30, HOUR)

    receipt = world.receipt(message.id)
    assert receipt.state is ReceiptState.CONFIRMED
    assert len(world.gateway.receipts_at_sender()) == 1
    assert world.open_tasks(receipt.id) == set()


def test_receipt_that_the_gateway_always_forgets_is_left_to_people(small_world: World) -> None:
    message = _registered(small_world)

    for _ in range(60):
        _pass(small_world, 1, HOUR)
        small_world.gateway.crash(losing=KEPT)

    receipt = small_world.receipt(message.id)
    assert (receipt.state, receipt.code) == (ReceiptState.FAILED, "receipt.lost_at_gateway")
    assert small_world.open_tasks(receipt.id) == {"receipt"}
    assert small_world.gateway.receipts_at_sender() == []


def test_deleted_message_that_a_crash_brings_back_is_recognised(world: World) -> None:
    message = _registered(world)
    assert world.gateway.queue() == []
    world.gateway.crash(losing=1)
    assert world.gateway.locked() == [message.wire_id]

    _pass(world, 3, HOUR)

    assert world.gateway.queue() == []
    assert [each.id for each in world.messages()] == [message.id]
    assert len(world.gateway.receipts_at_sender()) == 1


def test_receipt_that_somebody_discarded_at_the_gateway_is_one_task(small_world: World) -> None:
    small_world.gateway.stage("answer 503 to every send")
    message = _registered(small_world)
    small_world.work()
    seen = [each.path for each in small_world.gateway.journal if each.method == "POST"]
    assert "/api/messages/out" in seen
    gateway = small_world.line.gateways["eformidling"]
    url = str(gateway._connection._client.base_url)  # type: ignore[attr-defined] # ours
    with httpx.Client(base_url=url, trust_env=False) as other:
        (waiting,) = other.get("/api/messages/out").json()["content"]
        other.delete(f"/api/messages/out/{message_id_of(waiting)}")
    small_world.gateway.calm()

    _pass(small_world, 30, HOUR)

    receipt = small_world.receipt(message.id)
    assert (receipt.state, receipt.code) == (ReceiptState.FAILED, "receipt.lost_at_gateway")
    assert small_world.open_tasks(receipt.id) == {"receipt"}
    with small_world.line.store.reading() as tx:
        kinds = list(tx.exec(select(Task.kind).where(col(Task.subject_id) == receipt.id)))
    assert kinds.count("receipt") == 1
