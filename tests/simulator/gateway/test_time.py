"""Locks that run out, lives that end, and what the transport delivers again."""

import threading
from datetime import timedelta

import httpx

from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.packages.envelopes import sbd_json
from tests.simulator.conftest import Clock
from tests.simulator.gateway_requests import IN, answer_of, peek, put


def test_gateway_lock_has_no_owner_and_expires_after_five_minutes(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, b"bytes")
    peek(http)

    clock.passes(minutes=4, seconds=59)
    still = http.get(f"{IN}/pop/{message_id}", headers={"User-Agent": "another"}).status_code
    clock.passes(seconds=1)
    after = answer_of(http.delete(f"{IN}/{message_id}"))

    assert (still, after) == (200, (400, "MessageNotLockedException"))
    assert peek(http) == message_id


def test_peek_gives_the_oldest_message_first_and_an_expired_lock_last(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock
) -> None:
    first = put(gateway, clock)
    clock.passes(seconds=1)
    second = put(gateway, clock)

    assert peek(http) == first
    clock.passes(minutes=5)

    assert [peek(http), peek(http)] == [second, first]


def test_concurrent_peeks_never_lock_the_same_message_twice(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock
) -> None:
    ids = {put(gateway, clock) for _ in range(14)}
    got: list[str | None] = []

    def ask() -> None:
        got.extend(peek(http) for _ in range(3))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    locked = [each for each in got if each is not None]
    assert (len(locked), set(locked)) == (14, ids)


def test_expired_message_is_removed_even_when_locked_and_both_sides_see_the_expiry(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock
) -> None:
    message_id = gateway.put(sbd_json(created_at=clock.now, life=timedelta(minutes=1)), b"bytes")
    peek(http)

    clock.passes(minutes=1)

    assert answer_of(http.get(f"{IN}/pop/{message_id}")) == (404, "MessageNotFoundException")
    assert gateway.statuses(message_id)[-1] == "LEVETID_UTLOPT"
    assert gateway.sender_statuses(message_id)[-1] == "LEVETID_UTLOPT"


def test_message_without_an_expiry_lives_24_hours_at_the_gateway(
    gateway: GatewaySimulator, clock: Clock
) -> None:
    message_id = gateway.put(sbd_json(created_at=clock.now, life=None), b"bytes")

    clock.passes(hours=23, minutes=59)
    before = gateway.queue()
    clock.passes(minutes=1)

    assert (before, gateway.queue()) == ([message_id], [])


def test_message_put_after_its_expiry_is_dropped(gateway: GatewaySimulator, clock: Clock) -> None:
    message_id = gateway.put(sbd_json(created_at=clock.now - timedelta(days=2)), b"bytes")

    assert gateway.queue() == []
    assert gateway.sender_statuses(message_id)[-1] == "LEVETID_UTLOPT"


def test_dpf_sender_sees_levert_at_once_and_never_the_expiry(
    gateway: GatewaySimulator, clock: Clock
) -> None:
    message_id = gateway.put(sbd_json(created_at=clock.now), b"bytes", service="DPF")

    clock.passes(hours=25)

    assert gateway.queue() == []
    assert gateway.sender_statuses(message_id) == ["OPPRETTET", "SENDT", "LEVERT"]


def test_redelivery_after_delete_keeps_the_message_id_and_its_history(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, b"bytes")
    peek(http)
    http.delete(f"{IN}/{message_id}")
    before = gateway.statuses(message_id)

    gateway.redeliver(message_id)

    assert peek(http) == message_id
    assert http.get(f"{IN}/pop/{message_id}").content == b"bytes"
    assert gateway.statuses(message_id) == before


def test_redelivery_of_a_waiting_message_only_overwrites_its_package(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, b"bytes")
    peek(http)

    gateway.redeliver(message_id, b"other bytes")

    assert gateway.queue() == gateway.locked() == [message_id]
    assert http.get(f"{IN}/pop/{message_id}").content == b"other bytes"
