"""A neighbour that hangs or is away is nobody else's trouble, and operators are told of it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network

import httpx
import sqlalchemy as sa
from sqlmodel import col, select

from inbox.call_deadline import DeadlineTransport
from inbox.casesystem.webhook import Target, WebhookSender
from inbox.domain import Mode, OutboxState
from inbox.line.pulses import CASE_SYSTEM, GATEWAY, WORKER, all_neighbours_away, record_pulse
from inbox.line.queue import Share, claim, overdue_kinds
from inbox.simulator.http.faults import Does, Fault, On
from inbox.tables import Arrival, CaseSystem, Outbox, Pulse
from inbox.worker import Worker
from tests.gateway.scripted_gateway import NO_TLS
from tests.health.readiness import readiness_of
from tests.trickle_server import Trickle, trickling
from tests.worker_thread import until, work_once, working
from tests.worlds import World

TO_SAK, TO_FAG = "Melding om barnevern", "Sakkyndig vurdering"
_SILENT = 10_000
_LONGER_THAN_THE_TEST = 300
_LOOPBACK = (ip_network("127.0.0.0/8"),)


def _quick() -> Trickle:
    return Trickle(head=b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", pieces=0)


@dataclass
class Told:
    """Two case systems with webhooks: `sak` hangs until it is changed, `fag` answers."""

    world: World
    sak: Trickle
    fag: Trickle

    def events(self, case_system: str) -> list[Outbox]:
        with self.world.line.store.reading() as tx:
            of_one = select(Outbox).where(col(Outbox.case_system) == case_system)
            return list(tx.exec(of_one))

    def sent(self, case_system: str) -> int:
        return Counter(event.state for event in self.events(case_system))[OutboxState.SENT]

    def readiness(self) -> str:
        return readiness_of(self.world.line)["work"]


@contextmanager
def _told(world: World, sak: Trickle, *, within: float) -> Iterator[Told]:
    with ExitStack() as stack:
        fag = stack.enter_context(trickling(_quick()))
        stack.enter_context(trickling(sak))
        client = stack.enter_context(httpx.Client(transport=DeadlineTransport(tls=NO_TLS)))
        targets = [
            Target(host="127.0.0.1", port=each.port, networks=_LOOPBACK) for each in (sak, fag)
        ]
        sender = WebhookSender(client, targets, within=timedelta(seconds=within))
        world.line = replace(world.line, events=sender)
        with world.line.store.transaction() as tx:
            for name, each in (("sak", sak), ("fag", fag)):
                tx.execute(
                    sa.update(CaseSystem)
                    .where(col(CaseSystem.id) == name)
                    .values(mode=Mode.WEBHOOK, webhook_url=f"{each.url}/hooks")
                )
        yield Told(world, sak, fag)


def _worker(world: World) -> Worker:
    return Worker(world.line, poll_seconds=0.05, checkpoints=world.folder / "checkpoints.txt")


def _turn(worker: Worker) -> None:
    while work_once(worker):
        pass


def test_case_system_that_hangs_holds_its_own_places_and_delays_no_other(world: World) -> None:
    with _told(world, Trickle(pieces=_SILENT), within=_LONGER_THAN_THE_TEST) as told:
        for _ in range(6):
            world.send(TO_SAK)

        with working(world):
            until(lambda: len(told.sak.given) == 2)
            for _ in range(5):
                world.send(TO_FAG)
            until(lambda: told.sent("fag") == 5)

            assert len(told.sak.given) == 2
            assert told.sent("sak") == 0
            assert {event.attempts for event in told.events("sak")} <= {0, 1}
            told.sak.ended.set()


def test_waiting_mail_is_routed_while_every_place_of_case_systems_is_taken(
    small_world: World,
) -> None:
    with _told(small_world, Trickle(pieces=_SILENT), within=_LONGER_THAN_THE_TEST) as told:
        for name in range(20):
            small_world.line.case_system_places.enter(f"other {name}")
            small_world.line.case_system_places.enter("sak")
        sent = [small_world.send(TO_SAK) for _ in range(4)]

        with working(small_world):
            until(lambda: {m.state.value for m in small_world.messages()} == {"OFFERED"})
            until(lambda: len(told.events("sak")) == len(sent))

        assert told.sak.given == []


def test_case_system_that_is_away_is_probed_by_one_call_and_named_to_operators(
    small_world: World,
) -> None:
    with _told(small_world, Trickle(pieces=_SILENT), within=0.1) as told:
        for _ in range(6):
            small_world.send(TO_SAK)
        worker = _worker(small_world)
        worker._poll_gateway("eformidling")
        _turn(worker)
        before = len(told.sak.given)
        small_world.clock.advance(timedelta(minutes=6))
        _turn(worker)

        with small_world.line.store.reading() as tx:
            away = all_neighbours_away(tx)
            assert overdue_kinds(tx, frozenset()) == [Outbox]

        assert (before, len(told.sak.given)) == (3, 4)
        assert away == {"sak"}
        assert told.readiness() == "ok"


def test_backlog_of_a_case_system_is_sent_after_the_first_probe_that_gets_through(
    small_world: World,
) -> None:
    with _told(small_world, Trickle(pieces=_SILENT), within=0.1) as told:
        for _ in range(6):
            small_world.send(TO_SAK)
        worker = _worker(small_world)
        worker._poll_gateway("eformidling")
        for _ in range(8):
            _turn(worker)
            small_world.clock.advance(timedelta(seconds=31))
        told.sak.head, told.sak.pieces = _quick().head, 0

        _turn(worker)

        assert told.sent("sak") == 6
        with small_world.line.store.reading() as tx:
            assert tx.get_one(Pulse, CASE_SYSTEM + "sak").code is None


def test_worker_that_starts_again_probes_what_was_away_before_its_retry_is_due(
    small_world: World,
) -> None:
    with _told(small_world, _quick(), within=5) as told:
        small_world.send(TO_SAK)
        small_world.collect()
        small_world.work()
        with small_world.line.store.transaction() as tx:
            in_an_hour = {"due_at": tx.now + timedelta(hours=1), "state": OutboxState.PENDING}
            tx.execute(sa.update(Outbox).values(in_an_hour))
        record_pulse(small_world.line, CASE_SYSTEM + "sak", "webhook.unavailable")

        with working(small_world):
            until(lambda: told.sent("sak") == 1)


def test_due_work_that_nobody_takes_for_five_minutes_makes_the_process_unready(
    small_world: World,
) -> None:
    small_world.send(TO_SAK)
    small_world.collect()

    def need() -> str:
        return readiness_of(small_world.line)["work"]

    small_world.clock.advance(timedelta(minutes=4, seconds=59))
    before = need()
    small_world.clock.advance(timedelta(seconds=2))

    assert (before, need()) == ("ok", "work.overdue")

    record_pulse(small_world.line, GATEWAY + "eformidling", "gateway.unavailable")
    assert need() == "ok"


def test_worker_pulse_comes_from_work_that_ended_and_from_nothing_else(small_world: World) -> None:
    worker = _worker(small_world)
    worker._checkpoint()
    with small_world.line.store.reading() as tx:
        assert tx.get(Pulse, WORKER) is None

    _turn(worker)

    with small_world.line.store.reading() as tx:
        assert tx.get_one(Pulse, WORKER).at == small_world.clock.now


def test_gateway_work_that_was_postponed_is_due_when_the_gateway_answers_again(
    world: World,
) -> None:
    world.send(TO_SAK)
    world.send(TO_SAK)
    world.collect()
    world.gateway.stage(Fault(on=On.POP, does=Does.ANSWER_EMPTY, status=503))
    world.gateway.stage(Fault(on=On.PEEK, does=Does.ANSWER_EMPTY, status=503))
    for _ in range(4):
        world.collect()
        world.work()
        world.clock.advance(timedelta(minutes=2))
    world.collect()
    world.work()
    world.gateway.calm()
    assert claim(world.line, Arrival) is None

    world.collect()

    assert claim(world.line, Arrival) is not None
    assert claim(world.line, Arrival) is not None


def test_claim_for_one_gateway_leaves_the_rows_of_another(world: World) -> None:
    world.send(TO_SAK)
    world.collect()

    others = Share(kinds=(Arrival,), of=frozenset({"another"}))
    rest = Share(kinds=(Arrival,), but=frozenset({"eformidling"}))

    assert claim(world.line, Arrival, others) is None
    assert claim(world.line, Arrival, rest) is None
    assert claim(world.line, Arrival, Share(of=frozenset({"eformidling"}))) is not None
