"""Mail that ended at the gateway while nobody asked for it: found in the gateway's statuses."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier, Thread

import httpx
import pytest
from sqlmodel import select

from inbox.access.policy.vocabulary import Role
from inbox.domain import ArrivalState, OrgNumber, Service, WireId
from inbox.gateway import Gateway, Notice
from inbox.gateway.integrasjonspunkt import Integrasjonspunkt
from inbox.line.intake import poll_gateway
from inbox.line.moves import archive_staff
from inbox.line.pulses import STATUSES
from inbox.line.upkeep.missed_mail import find_missed_mail
from inbox.simulator.gateway.simulator import Damage, OtherEnd
from inbox.simulator.packages.envelopes import sbd_json
from inbox.tables import Arrival, Pulse, Task
from tests.rows import audited
from tests.worlds import OURS, SENDER, World

HOUR = timedelta(hours=1)


def _gateway(world: World) -> Integrasjonspunkt:
    gateway = world.line.gateways["eformidling"]
    assert isinstance(gateway, Integrasjonspunkt)
    return gateway


def _url(world: World) -> str:
    return str(_gateway(world)._connection._client.base_url)


def _arrivals(world: World) -> list[Arrival]:
    with world.line.store.reading() as tx:
        return list(tx.exec(select(Arrival)))


def _readings(world: World) -> int:
    """How often the statuses of all messages were asked for."""
    asked = [seen for seen in world.gateway.journal if seen.path == "/api/statuses"]
    return sum("status=LEVETID_UTLOPT" in seen.query for seen in asked)


def _events(world: World, wire_id: str) -> list[str]:
    """What the audit says of the arrival."""
    arrival = world.arrival(wire_id)
    with world.line.store.reading() as tx:
        leaves = [json.loads(leaf) for leaf in audited(tx)]
    return [leaf["event"] for leaf in leaves if leaf["subject"] == arrival.id]


def _expired_during_absence(world: World) -> str:
    """One contact, then hours without, in which a message comes and expires."""
    world.collect()
    wire_id = world.send(life=HOUR)
    world.clock.advance(4 * HOUR)
    return wire_id


def test_mail_that_expired_during_an_absence_is_missed_and_opens_one_task(world: World) -> None:
    first = _expired_during_absence(world)
    second = world.send(life=HOUR)
    waiting = world.send(life=24 * HOUR)
    world.clock.advance(4 * HOUR)

    world.collect()
    world.work()
    world.settle()

    for wire_id in (first, second):
        arrival = world.arrival(wire_id)
        assert (arrival.state, arrival.code) == (ArrivalState.MISSED, "gateway.expired")
        assert world.open_tasks(arrival.id) == {"missed"}
    assert world.arrival(waiting).state is ArrivalState.CONFIRMED
    assert len(_arrivals(world)) == 3
    assert _events(world, first) == ["arrival:announced", "arrival:missed"]


def test_mail_that_failed_at_the_gateway_for_another_client_is_missed(small_world: World) -> None:
    wire_id = small_world.gateway.put(
        sbd_json(sender=SENDER, receiver=OURS, created_at=small_world.clock.now),
        Damage.FILE_MISSING,
    )
    with httpx.Client(base_url=_url(small_world), trust_env=False) as other:
        other.get("/api/messages/in/peek")
        other.get(f"/api/messages/in/pop/{wire_id}")

    small_world.collect()

    arrival = small_world.arrival(wire_id)
    assert (arrival.state, arrival.code) == (ArrivalState.MISSED, "gateway.failed")


@pytest.mark.parametrize("other", ["process", "organisation", "service"])
def test_expired_mail_of_others_makes_no_arrival(small_world: World, other: str) -> None:
    process = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"
    more = {"process": process} if other == "process" else {}
    envelope = sbd_json(
        sender=SENDER,
        receiver="910076787" if other == "organisation" else OURS,
        created_at=small_world.clock.now,
        life=HOUR,
        **more,  # type: ignore[arg-type] # a text
    )
    small_world.gateway.put(envelope, b"bytes", service="DPE" if other == "service" else "DPO")
    small_world.clock.advance(2 * HOUR)

    small_world.collect()

    assert _arrivals(small_world) == []


def test_expired_receipt_of_ours_makes_no_arrival(small_world: World) -> None:
    small_world.gateway.other_end(OtherEnd.IS_AWAY)
    with httpx.Client(base_url=_url(small_world), trust_env=False) as sending:
        body = sbd_json(
            sender=OURS,
            receiver=SENDER,
            created_at=small_world.clock.now,
            life=HOUR,
            process="urn:no:difi:profile:arkivmelding:response:ver1.0",
            kind="arkivmelding_kvittering",
            body={"receiptType": "OK"},
            message_id="c2b9a5d0-4d5b-4bc4-8c0e-0c9a7d1f3e50",
        )
        sending.post("/api/messages/out", json=body)
        sending.post("/api/messages/out/c2b9a5d0-4d5b-4bc4-8c0e-0c9a7d1f3e50")
    small_world.clock.advance(2 * HOUR)

    small_world.collect()

    statuses = small_world.gateway.statuses("c2b9a5d0-4d5b-4bc4-8c0e-0c9a7d1f3e50")
    assert "LEVETID_UTLOPT" in statuses
    assert _arrivals(small_world) == []


def test_mail_that_another_client_took_is_not_missed(small_world: World) -> None:
    wire_id = small_world.send(life=HOUR)
    small_world.gateway.lose(wire_id)
    small_world.clock.advance(2 * HOUR)

    small_world.collect()

    assert _arrivals(small_world) == []


def test_statuses_are_read_once_a_day_and_after_every_absence(small_world: World) -> None:
    read = []
    for hours in (0, 1, 2, 2, 4, 1, 2, 2, 3, 2, 3, 3, 3, 2, 2, 1):
        small_world.clock.advance(hours * HOUR)
        small_world.collect()
        read.append(_readings(small_world))

    assert read == [1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3]


def test_absence_is_remembered_by_a_process_that_stopped_before_it_read(world: World) -> None:
    wire_id = _expired_during_absence(world)
    poll_gateway(world.line, _gateway(world))
    world.clock.advance(HOUR)
    poll_gateway(world.line, _gateway(world))

    assert find_missed_mail(world.line, _gateway(world)) == 1
    assert world.arrival(wire_id).state is ArrivalState.MISSED


@pytest.mark.parametrize("call", ["statuses", "conversations"])
def test_missed_mail_is_found_later_when_the_gateway_does_not_answer(
    small_world: World, call: str
) -> None:
    wire_id = _expired_during_absence(small_world)
    small_world.gateway.stage(f"answer html 503 to every {call}")
    small_world.collect()
    with small_world.line.store.reading() as tx:
        code = tx.get_one(Pulse, STATUSES + "eformidling").code
    before = len(_arrivals(small_world))
    small_world.clock.advance(50 * HOUR)
    small_world.collect()
    small_world.gateway.calm()

    small_world.clock.advance(HOUR)
    small_world.collect()

    assert (code, before) == ("gateway.unavailable", 0)
    assert small_world.arrival(wire_id).state is ArrivalState.MISSED


def test_list_of_failures_that_is_away_does_not_hide_what_expired(small_world: World) -> None:
    wire_id = _expired_during_absence(small_world)
    small_world.gateway.stage("answer 500 to the first statuses")

    small_world.collect()

    assert small_world.arrival(wire_id).state is ArrivalState.MISSED


class _Slow:
    """A gateway between whose two answers another process does the same."""

    def __init__(self, real: Integrasjonspunkt, meanwhile: World) -> None:
        self.channel = real.channel
        self._real, self._world = real, meanwhile

    def undelivered(self, since: datetime) -> Iterator[Mapping[WireId, str]]:
        return self._real.undelivered(since)

    def undelivered_notice(self, wire_id: WireId) -> Notice | None:
        find_missed_mail(self._world.line, self._real)
        return self._real.undelivered_notice(wire_id)


def test_two_processes_that_read_at_once_record_missed_mail_once(world: World) -> None:
    wire_id = _expired_during_absence(world)
    poll_gateway(world.line, _gateway(world))
    slow: Gateway = _Slow(_gateway(world), world)  # type: ignore[assignment] # what is called

    assert find_missed_mail(world.line, slow) == 0

    assert [each.wire_id for each in _arrivals(world)] == [wire_id]


def test_processes_that_race_open_one_task_for_each_missed_message(world: World) -> None:
    world.collect()
    wire_ids = {world.send(life=HOUR) for _ in range(8)}
    world.clock.advance(4 * HOUR)
    poll_gateway(world.line, _gateway(world))
    start = Barrier(3)

    def read() -> None:
        start.wait()
        find_missed_mail(world.line, _gateway(world))

    threads = [Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(each.wire_id for each in _arrivals(world)) == sorted(wire_ids)
    with world.line.store.reading() as tx:
        assert list(tx.exec(select(Task.kind))) == ["missed"] * 8


def test_missed_mail_that_is_delivered_again_is_taken_with_its_envelope(world: World) -> None:
    envelope = sbd_json(sender=SENDER, receiver=OURS, created_at=world.clock.now, life=HOUR)
    world.collect()
    wire_id = world.gateway.put(envelope, Damage.UNREADABLE)
    world.clock.advance(4 * HOUR)
    world.collect()
    missed = world.arrival(wire_id)
    later = sbd_json(
        sender=SENDER, receiver=OURS, created_at=world.clock.now, life=24 * HOUR, message_id=wire_id
    )

    world.gateway.put(later, world.package("Melding om barnevern"))
    world.collect()
    world.work()

    assert missed.state is ArrivalState.MISSED
    assert world.arrival(wire_id).state is ArrivalState.CONFIRMED
    assert world.message(wire_id).sender == SENDER
    assert world.open_tasks(missed.id) == set()


def test_refetched_mail_that_the_gateway_removed_stays_missed(small_world: World) -> None:
    wire_id = _expired_during_absence(small_world)
    small_world.collect()
    arrival = small_world.arrival(wire_id)
    anne = small_world.person("anne", Role.ARCHIVIST, "desk")

    archive_staff.refetch(small_world.line, anne, arrival.id, expected_version=arrival.version)
    small_world.work()

    again = small_world.arrival(wire_id)
    assert (again.state, again.misses) == (ArrivalState.MISSED, 1)
    assert small_world.open_tasks(arrival.id) == {"missed"}


def test_reading_that_a_wrong_clock_dated_ahead_is_done_again(small_world: World) -> None:
    small_world.clock.advance(timedelta(days=400))
    small_world.collect()
    small_world.clock.advance(-timedelta(days=400))
    wire_id = small_world.send(life=HOUR)
    small_world.clock.advance(2 * HOUR)

    small_world.collect()

    assert small_world.arrival(wire_id).state is ArrivalState.MISSED


def test_envelope_of_waiting_mail_is_found_without_a_lock(small_world: World) -> None:
    wire_id = small_world.send()
    gateway = _gateway(small_world)
    notice = Notice(
        channel="eformidling",
        service=Service.DPO,
        organisation=OrgNumber(OURS),
        wire_id=WireId(wire_id),
    )

    assert gateway.waiting_envelope(notice) is not None
    assert gateway.waiting_envelope(replace(notice, wire_id=WireId("gone"))) is None
    assert small_world.gateway.locked() == []


def test_reading_that_a_stopped_process_broke_off_is_done_again(small_world: World) -> None:
    wire_id = _expired_during_absence(small_world)
    poll_gateway(small_world.line, _gateway(small_world))

    stopped = find_missed_mail(small_world.line, _gateway(small_world), stopped=lambda: True)

    assert (stopped, _arrivals(small_world)) == (0, [])
    assert find_missed_mail(small_world.line, _gateway(small_world)) == 1
    assert small_world.arrival(wire_id).state is ArrivalState.MISSED
