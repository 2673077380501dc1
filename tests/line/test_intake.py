"""Asking the channels: what is written down, when nothing is asked, and what is left alone."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from inbox.domain import ArrivalState, MessageState
from inbox.gateway.integrasjonspunkt import Integrasjonspunkt, client_for
from inbox.simulator.http.faults import Does, Fault, On
from inbox.simulator.packages.envelopes import sbd_json
from inbox.tables import Pulse
from tests.worlds import OURS, World, channel_of, collect_from


def _pulse(world: World) -> Pulse:
    with world.line.store.reading() as tx:
        return tx.get_one(Pulse, "gateway:eformidling")


def test_collect_stores_an_announced_message_once_with_its_envelope_sealed(world: World) -> None:
    wire_id = world.send()

    assert world.collect() == 1
    assert world.collect() == 0

    arrival = world.arrival(wire_id)
    assert arrival.state is ArrivalState.ANNOUNCED
    assert arrival.sealed_envelope is not None
    assert wire_id.encode() not in arrival.sealed_envelope


def test_collect_asks_no_gateway_while_the_disk_is_full_and_resumes_afterwards(
    small_world: World,
) -> None:
    small_world.send()
    full = replace(small_world.line, terms=replace(small_world.line.terms, min_free_bytes=10**18))

    assert collect_from(full) == 0
    assert small_world.gateway.locked() == []
    assert _pulse(small_world).code == "vault.full"

    assert collect_from(small_world.line) == 1
    assert _pulse(small_world).code is None


def test_fetch_leaves_the_message_at_the_gateway_while_the_disk_is_full(small_world: World) -> None:
    wire_id = small_world.send()
    small_world.collect()
    whole = small_world.line
    small_world.line = replace(whole, terms=replace(whole.terms, min_free_bytes=10**18))

    small_world.work()
    assert small_world.arrival(wire_id).state is ArrivalState.ANNOUNCED
    assert small_world.arrival(wire_id).code == "vault.full"
    assert wire_id in small_world.gateway.queue()

    small_world.line = whole
    small_world.clock.advance(timedelta(minutes=1))
    small_world.work()
    assert small_world.arrival(wire_id).state is ArrivalState.CONFIRMED


def test_collect_leaves_messages_of_other_processes_at_the_gateway(small_world: World) -> None:
    other = sbd_json(
        receiver=OURS, process="urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"
    )
    wire_id = small_world.gateway.put(other, small_world.package("Annet"))

    small_world.collect()
    small_world.work()

    assert small_world.messages() == []
    assert small_world.gateway.queue() == [wire_id]
    assert small_world.gateway.locked() == []


@pytest.mark.parametrize(
    ("does", "status"),
    [(Does.RESET, 200), (Does.ANSWER_HTML, 200), (Does.ANSWER_GARBAGE, 200), (Does.ANSWER, 500)],
)
def test_collect_records_a_failing_gateway_and_asks_again_later(
    small_world: World, does: Does, status: int
) -> None:
    small_world.gateway.stage(Fault(on=On.PEEK, does=does, status=status))
    wire_id = small_world.send()

    assert small_world.collect() == 0
    assert _pulse(small_world).code is not None

    small_world.gateway.calm()
    small_world.clock.advance(timedelta(minutes=6))
    small_world.collect()
    small_world.work()
    assert small_world.message(wire_id).state is MessageState.OFFERED


def test_fetch_of_a_truncated_transfer_stores_nothing_and_is_retried(small_world: World) -> None:
    wire_id = small_world.send()
    small_world.gateway.stage(Fault(on=On.POP, does=Does.END_EARLY, after_bytes=700))
    small_world.collect()
    small_world.work()
    assert small_world.arrival(wire_id).state is ArrivalState.ANNOUNCED
    assert small_world.arrival(wire_id).code == "gateway.truncated"
    assert list(small_world.line.vault.names()) == []

    small_world.gateway.calm()
    small_world.clock.advance(timedelta(minutes=1))
    small_world.work()

    assert small_world.arrival(wire_id).state is ArrivalState.CONFIRMED


def test_arrival_becomes_missed_when_every_transfer_is_truncated(
    small_world: World,
) -> None:
    wire_id = small_world.send()
    small_world.gateway.stage(Fault(on=On.POP, does=Does.END_EARLY, after_bytes=700))
    small_world.collect()
    for _ in range(8):
        small_world.work()
        small_world.clock.advance(timedelta(minutes=2))

    assert small_world.arrival(wire_id).state is ArrivalState.MISSED
    assert wire_id in small_world.gateway.queue()
    assert small_world.messages() == []


def test_confirm_is_retried_after_a_lost_delete_answer_without_duplicates(
    small_world: World,
) -> None:
    wire_id = small_world.send()
    small_world.gateway.stage("lose the answer to the first DELETE")
    small_world.collect()
    small_world.work()
    assert small_world.arrival(wire_id).state is ArrivalState.STORED

    small_world.clock.advance(timedelta(minutes=1))
    small_world.work()

    assert small_world.arrival(wire_id).confirmed_as == "gone"
    assert len(small_world.messages()) == 1


def test_arrival_is_confirmed_although_the_gateway_lock_expired_during_the_pop(
    small_world: World,
) -> None:
    wire_id = small_world.send()
    small_world.gateway.stage("lose the lock during the first pop")

    small_world.collect()
    small_world.work()

    assert small_world.arrival(wire_id).state is ArrivalState.CONFIRMED
    assert "LEVERT" in small_world.gateway.sender_statuses(wire_id)


def test_arrival_becomes_missed_when_the_message_expires_at_the_gateway(small_world: World) -> None:
    wire_id = small_world.send(life=timedelta(hours=1))
    small_world.collect()
    small_world.clock.advance(timedelta(hours=2))

    small_world.work()

    assert small_world.arrival(wire_id).state is ArrivalState.MISSED
    assert small_world.arrival(wire_id).code == "gateway.gone"


def test_confirm_deletes_at_the_gateway_only_after_row_and_bytes_are_stored(
    small_world: World,
) -> None:
    """At the moment of DELETE another connection already sees the row, and the object is there."""
    seen: list[tuple[str, int]] = []
    wire_id = small_world.send()
    small_world.collect()
    gateway = small_world.line.gateways["eformidling"]

    class Watching:
        channel = gateway.channel

        def __getattr__(self, name: str) -> object:
            return getattr(gateway, name)

        def confirm(self, notice: object) -> object:
            row = small_world.arrival(wire_id)
            seen.append((row.state.value, len(list(small_world.line.vault.names()))))
            return gateway.confirm(notice)  # type: ignore[arg-type] # passed on as it came

    small_world.line = replace(
        small_world.line,
        gateways={"eformidling": Watching()},  # type: ignore[dict-item] # all else is passed on
    )
    small_world.work()

    assert seen == [("STORED", 1)]


def test_collect_ignores_a_stale_notice_of_a_message_confirmed_meanwhile(world: World) -> None:
    wire_id = world.send()
    world.collect()
    world.gateway.unlock(wire_id)
    real = world.line.gateways["eformidling"]
    assert isinstance(real, Integrasjonspunkt)

    def confirm_meanwhile(response: httpx.Response) -> None:
        if response.status_code == httpx.codes.OK:
            world.clock.advance(timedelta(seconds=1))
            world.work()

    with client_for(str(real._connection._client.base_url)) as client:
        client.event_hooks = {"response": [confirm_meanwhile]}
        assert collect_from(replace(world.line, gateways={"eformidling": channel_of(client)})) == 0
    world.work()
    assert world.gateway.queue() == []
    assert world.arrival(wire_id).state is ArrivalState.CONFIRMED

    world.gateway.redeliver(wire_id)
    assert world.collect() == 1
    world.work()
    assert world.gateway.queue() == []
    assert len(world.messages()) == 1
