"""A town: a line whose case systems are the simulator's, at work, away, or not there at all."""

import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import ip_network

import httpx

from inbox.app import create_app, create_operator_app
from inbox.casesystem.webhook import Target, WebhookSender
from inbox.simulator.casesystem.api_client import ProductApi
from inbox.simulator.casesystem.simulator import HOOK, Behaviour, CaseSystemSimulator
from inbox.simulator.casesystem.webhook_check import NO_CONTENT, HookApp, read_event
from inbox.simulator.http.server import serve
from inbox.tables import CaseSystem
from tests.gateway.scripted_gateway import NO_TLS
from tests.worlds import World

TITLES = ("Melding om barnevern", "Sakkyndig vurdering")
"""The first is for the case system that is told (`sak`), the second for the one that asks."""
_PATIENCE = 60.0
"""Seconds without a word of a case system after which nothing more will come."""


@dataclass(kw_only=True)
class CaseSystemWorld:
    """A world, its two case systems, and what can be seen of all of them from outside."""

    world: World
    sak: CaseSystemSimulator
    """Told by webhook."""
    fag: CaseSystemSimulator
    """Asks by itself."""
    port: int
    """Where `sak` is told, when it is there at all."""
    api_url: str
    operator_url: str
    hooked: list[tuple[datetime, str]] = field(default_factory=list)
    """When `sak` was told of which delivery, newest last; only what it took."""
    wire_ids: list[str] = field(default_factory=list)
    """Everything that was sent, in order."""
    _there: ExitStack = field(default_factory=ExitStack)

    # What happens in it

    def send(self, *, life: timedelta | None = timedelta(hours=24)) -> str:
        """A message; every other one is for `sak`."""
        number = len(self.wire_ids)
        wire_id = self.world.send(
            TITLES[number % 2], life=life, content=f"nummer {number}".encode()
        )
        self.wire_ids.append(wire_id)
        return wire_id

    def gone(self) -> None:
        """`sak` refuses connections, `fag` asks nothing."""
        self._there.close()
        self.away()

    def away(self) -> None:
        """Both are away; what `sak` is told is answered 503, if it is there."""
        self.sak.behave(Behaviour(away=True))
        self.fag.behave(Behaviour(away=True))

    def there(self) -> None:
        """`sak` listens again, however it behaves."""
        self._there.close()
        self._there.enter_context(serve(HookApp(self._take), port=self.port))

    def _take(self, headers: Mapping[str, str], body: bytes) -> int:
        at, status = self.world.clock.now, self.sak._take(headers, body)
        if status == NO_CONTENT:
            self.hooked.append((at, read_event(body)))
        return status

    def at_work(self) -> None:
        """Both work."""
        self.sak.behave(Behaviour())
        self.fag.behave(Behaviour())

    def drain(self) -> int:
        """The worker takes everything that the gateway has; how many steps are done."""
        steps = 0
        while self.world.collect():
            steps += self.world.work(rounds=100_000)
        return steps + self.world.work(rounds=100_000)

    def at_rest(self) -> None:
        """Worker and case systems do what can be done at this moment, and finish it."""
        moved, seen = time.monotonic(), 0
        while self.drain() or self.asked_for() or not (self.sak.idle() and self.fag.idle()):
            if (said := len(self.sak.said) + len(self.fag.said)) != seen:
                moved, seen = time.monotonic(), said
            assert time.monotonic() < moved + _PATIENCE, "it does not come to rest"
            time.sleep(0.01)

    def later(self, *, within: timedelta, step: timedelta = timedelta(minutes=1)) -> timedelta:
        """Let time pass until every sender is answered; how long it took. Fails if longer."""
        began = self.world.clock.now
        while True:
            self.at_rest()
            took = self.world.clock.now - began
            if len(self.receipts()) >= len(self.wire_ids) and not self.told():
                return took
            assert took < within, f"{len(self.receipts())} answered after {took}"
            self.world.clock.advance(step)

    # What can be seen from outside

    def offered(self) -> dict[str, datetime]:
        """When `sak` was first told of each message that it has said a word about."""
        messages = {said.delivery_id: said.message_id for said in self.sak.said}
        told = [(messages[delivery], at) for at, delivery in self.hooked if delivery in messages]
        return dict(reversed(told))

    def asked_for(self) -> int:
        """How many deliveries the case system that asks finds when it asks now."""
        api = ProductApi(self.api_url, self.world.keys["fag"][0])
        try:
            return len(list(api.waiting()))
        finally:
            api.close()

    def registered(self) -> Counter[str]:
        """How often each message stands in a journal."""
        return Counter(e.message_id for each in (self.sak, self.fag) for e in each.registered)

    def receipts(self) -> Counter[str]:
        """How many kvitteringer each message has got."""
        found = self.world.gateway.receipts_at_sender()
        return Counter(str(receipt["relatedToMessageId"]) for receipt in found)

    def told(self) -> dict[str, int]:
        """What people are asked to do, as the operators' metrics have it."""
        text = httpx.get(f"{self.operator_url}/metrics", trust_env=False).text
        rows = [row.split() for row in text.splitlines() if row.startswith("inbox_tasks_open{")]
        return {name.split('"')[1]: int(float(number)) for name, number in rows}

    def objects(self) -> int:
        """How many containers lie on the disk."""
        return sum(each.is_file() for each in (self.world.folder / "vault").rglob("*"))

    def deletes(self) -> Counter[str]:
        """How often each message was deleted at the gateway, by its journal."""
        return Counter(
            str(seen.message_id) for seen in self.world.gateway.journal if seen.method == "DELETE"
        )

    def check_one_of_each(self) -> None:
        """Taken, registered once, answered once, and nothing else of anything."""
        each_once = Counter(self.wire_ids)
        assert self.world.gateway.queue() == []
        assert _differing(self.registered(), each_once) == {}
        assert _differing(self.receipts(), each_once) == {}
        assert {kind["receiptType"] for kind in self.world.gateway.receipts_at_sender()} == {"OK"}
        assert self.unlike(("OPPRETTET", "SENDT", "MOTTATT", "LEVERT", "LEST")) == []
        assert self.told() == {}

    def unlike(self, statuses: Sequence[str]) -> list[str]:
        """The messages whose sender has been told anything but these, in this order."""
        gateway = self.world.gateway
        return [each for each in self.wire_ids if gateway.sender_statuses(each) != list(statuses)]


def _differing(found: Counter[str], wanted: Counter[str]) -> dict[str, tuple[int, int]]:
    """What is there too often or too seldom: how often, and how often it should be."""
    ids = found.keys() | wanted.keys()
    return {each: (found[each], wanted[each]) for each in ids if found[each] != wanted[each]}


@contextmanager
def case_systems_around(world: World) -> Iterator[CaseSystemWorld]:
    """Case systems that are at work, around a world whose line has no such neighbours yet."""
    with ExitStack() as closing:
        # Bound and not listening: connections are refused, and nobody else gets the port.
        held = closing.enter_context(socket.socket())
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        _tell_at(world, port, closing)
        clock = world.clock.sim
        systems = [
            CaseSystemSimulator("sak", clock=clock),
            CaseSystemSimulator(
                "fag", pull_every=timedelta(milliseconds=20), first_number=5001, clock=clock
            ),
        ]
        api_url = closing.enter_context(serve(create_app(world.line)))
        operator_url = closing.enter_context(serve(create_operator_app(world.line)))
        town = CaseSystemWorld(
            world=world,
            sak=systems[0],
            fag=systems[1],
            port=port,
            api_url=api_url,
            operator_url=operator_url,
        )
        closing.callback(town._there.close)
        town.there()
        for system in systems:
            key, secret = world.keys[system.name]
            system.connect(api_url, key=key, secret=secret)
            closing.enter_context(system)
        yield town


def _tell_at(world: World, port: int, closing: ExitStack) -> None:
    """From now on the line tells `sak` at this port."""
    client = closing.enter_context(httpx.Client(trust_env=False, timeout=5, verify=NO_TLS))
    world.line = replace(world.line, events=sender_to(port, client))
    with world.line.store.transaction() as tx:
        tx.get_one(CaseSystem, "sak").webhook_url = f"http://127.0.0.1:{port}{HOOK}"


def sender_to(port: int, client: httpx.Client) -> WebhookSender:
    """A sender of events that may reach this port on loopback, and nothing else."""
    target = Target(host="127.0.0.1", port=port, networks=(ip_network("127.0.0.0/8"),))
    return WebhookSender(client, [target])
