"""Faults over a real socket: what the client sees, and what was done all the same."""

import time
from collections import deque
from datetime import timedelta

import httpx
import pytest

from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.asgi import DeskApp
from inbox.simulator.http.faults import Does, Fault, On
from inbox.simulator.packages.envelopes import sbd_json
from tests.simulator.conftest import Clock
from tests.simulator.gateway_requests import IN, answer_of, peek

SMALL, LARGE = b"z" * 5_000, b"z" * 500_000


@pytest.fixture
def message_id(gateway: GatewaySimulator, clock: Clock) -> str:
    return gateway.put(sbd_json(created_at=clock.now), LARGE)


def test_lost_answer_fault_still_deletes_the_message_at_the_gateway(
    gateway: GatewaySimulator, http: httpx.Client, message_id: str
) -> None:
    gateway.stage("lose the answer to the first DELETE")
    peek(http)

    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        http.delete(f"{IN}/{message_id}")

    assert gateway.sender_statuses(message_id)[-1] == "LEVERT"
    assert answer_of(http.delete(f"{IN}/{message_id}")) == (404, "MessageNotFoundException")
    seen = gateway.journal[1]
    assert (seen.effect, seen.status, seen.whole) == (200, None, False)
    assert seen.faults == (Does.LOSE_ANSWER,)


def test_reset_fault_strikes_before_the_gateway_does_anything(
    gateway: GatewaySimulator, http: httpx.Client, message_id: str
) -> None:
    gateway.stage("reset the second call")
    peek(http)

    with pytest.raises(httpx.TransportError):
        http.delete(f"{IN}/{message_id}")

    assert gateway.queue() == [message_id]
    assert gateway.journal[1].effect is None


@pytest.mark.parametrize(
    ("sentence", "status", "content_type"),
    [
        ("answer 503 to the first peek", 503, "application/json"),
        ("answer 401 to the first peek", 401, "application/json"),
        ("answer empty 502 to the first peek", 502, None),
        ("answer html 200 to the first peek", 200, "text/html"),
        ("answer html 502 to the first peek", 502, "text/html"),
        ("answer garbage to the first peek", 200, "application/json"),
        ("answer 204 to the first peek", 204, None),
    ],
)
def test_staged_gateway_answer_is_sent_without_doing_the_call(
    gateway: GatewaySimulator,
    http: httpx.Client,
    message_id: str,
    sentence: str,
    status: int,
    content_type: str | None,
) -> None:
    gateway.stage(sentence)

    response = http.get(f"{IN}/peek")

    assert response.status_code == status
    assert response.headers.get("content-type") == content_type
    assert gateway.locked() == []
    assert peek(http) == message_id


def test_garbage_answer_of_the_gateway_is_labelled_json_but_invalid(
    gateway: GatewaySimulator, http: httpx.Client
) -> None:
    gateway.stage("answer garbage to the first peek")

    response = http.get(f"{IN}/peek")

    with pytest.raises(ValueError, match="Expecting"):
        response.json()


def test_replaced_answer_fault_deletes_the_message_behind_a_502(
    gateway: GatewaySimulator, http: httpx.Client, message_id: str
) -> None:
    gateway.stage("do the first delete but answer 502")
    peek(http)

    response = http.delete(f"{IN}/{message_id}")

    assert response.status_code == 502
    assert gateway.queue() == []


@pytest.mark.parametrize("size", [len(SMALL), len(LARGE)])
def test_cut_fault_breaks_the_pop_stream_which_can_be_read_again(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, size: int
) -> None:
    message_id = gateway.put(sbd_json(created_at=clock.now), b"z" * size)
    gateway.stage("cut the first pop after 3000 bytes")
    peek(http, messageId=message_id)
    received = bytearray()

    with (
        http.stream("GET", f"{IN}/pop/{message_id}") as response,
        pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"),
    ):
        deque(map(received.extend, response.iter_raw()), maxlen=0)

    assert len(received) == 3000
    assert len(http.get(f"{IN}/pop/{message_id}").content) == size


@pytest.mark.parametrize("size", [len(SMALL), len(LARGE)])
def test_end_early_fault_shortens_the_pop_stream_but_looks_whole(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, size: int
) -> None:
    message_id = gateway.put(sbd_json(created_at=clock.now), b"z" * size)
    gateway.stage("end the first pop after 3000 bytes")
    peek(http, messageId=message_id)

    response = http.get(f"{IN}/pop/{message_id}")

    assert (response.status_code, len(response.content)) == (200, 3000)
    assert gateway.journal[-1].whole is False


def test_slow_fault_delays_the_pop_answer(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock
) -> None:
    message_id = gateway.put(sbd_json(created_at=clock.now), SMALL)
    gateway.stage("slow the first pop by 20 ms")
    peek(http)

    began = time.monotonic()
    response = http.get(f"{IN}/pop/{message_id}")

    assert response.content == SMALL
    assert time.monotonic() - began >= 0.1


def test_lose_lock_fault_ends_the_lock_during_a_pop(
    gateway: GatewaySimulator, http: httpx.Client, message_id: str
) -> None:
    gateway.stage("lose the lock during the first pop")
    peek(http)

    response = http.get(f"{IN}/pop/{message_id}")

    assert response.content == LARGE
    assert answer_of(http.delete(f"{IN}/{message_id}")) == (400, "MessageNotLockedException")


def test_redeliver_fault_delivers_the_message_again_an_hour_after_the_delete(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, message_id: str
) -> None:
    gateway.stage("redeliver an hour after the first delete")
    peek(http)
    http.delete(f"{IN}/{message_id}")

    clock.passes(minutes=59)
    before = peek(http)
    clock.passes(minutes=1)

    assert (before, peek(http)) == (None, message_id)


def test_expire_fault_ends_the_message_life_before_the_pop(
    gateway: GatewaySimulator, http: httpx.Client, message_id: str
) -> None:
    gateway.stage("expire the message at the first pop")
    peek(http)

    assert answer_of(http.get(f"{IN}/pop/{message_id}")) == (404, "MessageNotFoundException")
    assert gateway.sender_statuses(message_id)[-1] == "LEVETID_UTLOPT"


def test_lose_message_fault_makes_delete_404_while_the_sender_sees_levert(
    gateway: GatewaySimulator, http: httpx.Client, message_id: str
) -> None:
    gateway.stage("lose the message at the first delete")
    peek(http)

    assert answer_of(http.delete(f"{IN}/{message_id}")) == (404, "MessageNotFoundException")
    assert gateway.sender_statuses(message_id)[-1] == "LEVERT"


def test_gateway_fault_can_be_limited_to_one_message(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, message_id: str
) -> None:
    other = gateway.put(sbd_json(created_at=clock.now), SMALL)
    gateway.stage(Fault(on=On.POP, does=Does.ANSWER, status=500, message_id=other))
    peek(http)
    peek(http)

    codes = [http.get(f"{IN}/pop/{each}").status_code for each in (message_id, other, other)]

    assert codes == [200, 500, 500]


def test_calm_removes_every_staged_gateway_fault(
    gateway: GatewaySimulator, http: httpx.Client
) -> None:
    gateway.stage("answer 500 to every call")
    gateway.calm()

    assert http.get(f"{IN}/peek").status_code == 204


def test_gateway_simulator_accepts_faults_as_sentence_or_object_at_start() -> None:
    after = Fault(on=On.DELETE, does=Does.REDELIVER, after=timedelta(hours=1))

    gateway = GatewaySimulator(faults=["reset the first pop", after])

    assert isinstance(gateway.app, DeskApp)
