"""What a gateway does now and then: lost packages, a stale registry, late statuses, a crash."""

from datetime import timedelta

import httpx
import pytest

from inbox.simulator.gateway.simulator import Damage, GatewaySimulator, OtherEnd
from inbox.simulator.packages.envelopes import RESPONSE, receipt_json, sbd_json
from tests.simulator.conftest import Clock
from tests.simulator.gateway_requests import IN, OUT, answer_of, peek, put

RECEIPT_ID = "c2b9a5d0-4d5b-4bc4-8c0e-0c9a7d1f3e50"
_SENDER = "910077473"


def _receipt() -> dict[str, object]:
    return receipt_json(
        related_to="0b6c2f2e-6c1f-4a53-9a54-6f0a3c1d8e11", message_id=RECEIPT_ID, receiver=_SENDER
    )


def test_pop_of_a_lost_file_is_404_for_ever_and_the_message_stays(
    http: httpx.Client, gateway: GatewaySimulator, clock: Clock
) -> None:
    message_id = gateway.put(sbd_json(created_at=clock.now), Damage.FILE_GONE)
    peek(http)

    answers = [answer_of(http.get(f"{IN}/pop/{message_id}")) for _ in range(3)]

    assert answers == [(404, "FileNotFoundException")] * 3
    assert gateway.queue() == [message_id]
    assert gateway.statuses(message_id) == ["OPPRETTET", "INNKOMMENDE_MOTTATT"]


def test_pop_of_an_empty_file_is_200_with_a_length_of_nothing(
    http: httpx.Client, gateway: GatewaySimulator, clock: Clock
) -> None:
    message_id = gateway.put(sbd_json(created_at=clock.now), Damage.EMPTY)
    peek(http)

    answer = http.get(f"{IN}/pop/{message_id}")

    assert (answer.status_code, answer.headers["content-length"]) == (200, "0")
    assert answer.headers["content-type"] == "application/vnd.etsi.asic-e+zip"


def test_empty_answer_by_the_script_has_a_length_of_nothing(
    http: httpx.Client, gateway: GatewaySimulator
) -> None:
    gateway.stage("answer empty 200 to the first peek")

    answer = http.get(f"{IN}/peek")

    assert (answer.status_code, answer.headers["content-length"]) == (200, "0")


def test_cached_registry_answers_stay_for_their_time_in_both_calls(
    http: httpx.Client, gateway: GatewaySimulator, clock: Clock
) -> None:
    gateway.cache_registry(timedelta(hours=1))
    gateway.registry(_SENDER, None)
    path = f"/api/capabilities/{_SENDER}"
    before = http.get(path).status_code
    gateway.registry(_SENDER, {RESPONSE: "DPO"})
    clock.now += timedelta(minutes=59)
    cached = http.get(path).status_code, http.post(OUT, json=_receipt()).status_code
    clock.now += timedelta(minutes=1)

    assert (before, cached) == (404, (404, 400))
    assert http.get(path).status_code == 200
    assert http.post(OUT, json=_receipt()).status_code == 200


def test_sender_hears_of_a_late_delivery_after_its_time(
    http: httpx.Client, gateway: GatewaySimulator, clock: Clock
) -> None:
    gateway.deliver_late(timedelta(hours=1))
    message_id = put(gateway, lambda: clock.now)
    peek(http)
    http.delete(f"{IN}/{message_id}")
    at_once = gateway.sender_statuses(message_id)

    clock.now += timedelta(hours=1)

    assert "LEVERT" not in at_once
    assert gateway.sender_statuses(message_id)[-1] == "LEVERT"


def test_other_end_that_reads_first_has_lest_before_levert(
    http: httpx.Client, gateway: GatewaySimulator, clock: Clock
) -> None:
    gateway.other_end(OtherEnd.READS_FIRST)
    http.post(OUT, json=_receipt())
    http.post(f"{OUT}/{RECEIPT_ID}")
    clock.now += timedelta(minutes=1)

    names = gateway.statuses(RECEIPT_ID)

    assert names == ["OPPRETTET", "SENDT", "LEST", "MOTTATT", "LEVERT"]


@pytest.mark.parametrize(
    ("losing", "queue", "locked"), [(1, 1, 1), (2, 1, 0)], ids=["delete", "delete and lock"]
)
def test_crash_brings_a_deleted_message_back_and_then_its_lock(
    http: httpx.Client,
    gateway: GatewaySimulator,
    clock: Clock,
    losing: int,
    queue: int,
    locked: int,
) -> None:
    message_id = put(gateway, lambda: clock.now)
    peek(http)
    http.delete(f"{IN}/{message_id}")

    assert gateway.crash(losing=losing) == losing

    assert (len(gateway.queue()), len(gateway.locked())) == (queue, locked)
    assert "INNKOMMENDE_LEVERT" not in gateway.statuses(message_id)
    assert gateway.sender_statuses(message_id)[-1] == "LEVERT"


def test_crash_makes_a_sent_receipt_unsent_and_then_unknown(
    http: httpx.Client, gateway: GatewaySimulator, clock: Clock
) -> None:
    http.post(OUT, json=_receipt())
    http.post(f"{OUT}/{RECEIPT_ID}")
    clock.now += timedelta(minutes=1)
    gone = http.post(f"{OUT}/{RECEIPT_ID}").status_code

    gateway.crash(losing=1)
    unsent = gateway.statuses(RECEIPT_ID), http.get(f"{OUT}/{RECEIPT_ID}").status_code
    gateway.crash(losing=1)

    assert (gone, unsent) == (404, (["OPPRETTET"], 200))
    assert gateway.statuses(RECEIPT_ID) == []
    assert http.post(OUT, json=_receipt()).status_code == 200


def test_crash_by_the_script_loses_the_answer_and_its_write(
    http: httpx.Client, gateway: GatewaySimulator, clock: Clock
) -> None:
    message_id = put(gateway, lambda: clock.now)
    gateway.stage("crash after the first delete and lose 1 write")
    peek(http)

    with pytest.raises(httpx.TransportError):
        http.delete(f"{IN}/{message_id}")

    assert gateway.locked() == [message_id]
    assert gateway.journal[-1].effect == 200
