"""A line between neighbours that work by themselves, all over real HTTP, and a watch over them."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import sqlalchemy as sa
from sqlmodel import col, select

from inbox.app import create_app
from inbox.casesystem.webhook import Target, WebhookSender
from inbox.domain import CONFIDENTIAL_PROCESS, DeliveryState, OrgNumber, Service
from inbox.gateway.http import Bounds
from inbox.gateway.integrasjonspunkt import Integrasjonspunkt, Subscription, client_for
from inbox.line import Line, Terms
from inbox.line.intake import ask_again
from inbox.line.queue import QUEUE_ROW_TYPES
from inbox.simulator.casesystem.simulator import HOOK, Behaviour, CaseSystemSimulator
from inbox.simulator.http.asgi import Receive, Scope, Send
from inbox.simulator.http.server import Application, serve
from inbox.simulator.packages.arkivmelding import ArkivmeldingLetter, arkivmelding_xml
from inbox.simulator.packages.builder import ParcelDocument
from inbox.simulator.packages.envelopes import sbd_json
from inbox.store import Store
from inbox.tables import CaseSystem, Delivery, Task, table_of
from inbox.worker import Worker
from tests.faults.outage.outage_outcome import CANARY, Custody, Logged, faults_in
from tests.gateway.scripted_gateway import NO_TLS
from tests.health.readiness import readiness_of
from tests.worker_thread import work_once
from tests.worlds import OURS, SENDER, World, world

BOUNDS = Bounds(
    connect=timedelta(seconds=2),
    read=timedelta(seconds=2),
    answer=timedelta(seconds=3),
    transfer_read=timedelta(seconds=2),
    transfer=timedelta(seconds=3),
)
TERMS = Terms(undo_window=timedelta(0), placing_grace=timedelta(0), min_free_bytes=0)
_LONG_LIFE = timedelta(days=60)


class Door:
    """Stands in front of an application and lets all through; faults replace `inner`."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.inner: Application = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.inner(scope, receive, send)

    def calm(self) -> None:
        """Let all through again."""
        self.inner = self.app


@dataclass
class HttpWorld:
    """One line, its worker's loop turned by hand, and everything that can be seen around it."""

    world: World
    worker: Worker
    custody: Custody
    logged: Logged
    looking: Store
    """The database without whatever stands between it and the line."""
    told: CaseSystemSimulator
    """The case system `sak`, told by webhook."""
    asking: CaseSystemSimulator
    """The case system `fag`, which asks by itself, inside a `with`."""
    hook: Door
    api: Door
    api_url: str
    sent: dict[str, bytes] = field(default_factory=dict)
    """The senders' messages by wire id, with their bytes."""

    @property
    def line(self) -> Line:
        return self.world.line

    def send(
        self,
        public_title: str = "Melding om barnevern",
        *,
        content: bytes = b"innhold",
        life: timedelta = _LONG_LIFE,
    ) -> str:
        """A genuine message with a confidential word wherever one can stand; its wire id."""
        letter = replace(
            ArkivmeldingLetter(),
            title=f"Om {CANARY}",
            case_title=f"Sak om {CANARY}",
            public_title=public_title,
            file_names=(f"{CANARY}.pdf",),
        )
        made = self.world.package(
            public_title,
            parcel={
                "arkivmelding": arkivmelding_xml(letter),
                "documents": (
                    ParcelDocument(f"{CANARY}.pdf", "application/pdf", CANARY.encode() + content),
                ),
            },
        )
        envelope = sbd_json(
            sender=SENDER, receiver=OURS, created_at=self.world.clock.now, life=life
        )
        wire_id = self.world.gateway.put(envelope, made)
        self.sent[wire_id] = made
        return wire_id

    def turn(self) -> bool:
        """The worker's loop until nothing is due, outliving what it outlives; whether it worked."""
        worked = self._outliving(lambda: self.worker._poll_gateway("eformidling"))
        self._outliving(lambda: ask_again(self.line))
        for _ in range(100):
            if not self._outliving(lambda: work_once(self.worker)):
                return worked
            worked = True
        raise AssertionError("the line does not come to rest")

    def _outliving(self, work: Callable[[], object]) -> bool:
        """As `Worker._advance` and `Worker._repeat` do it."""
        try:
            return bool(work())
        except Exception as error:  # noqa: BLE001 - the loop outlives whatever a round throws
            self.worker._log_failure(error)
            return False

    def rest(self, seconds: float = 0.5) -> None:
        """Let the case systems do what they know of."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.told.idle() and self.asking.idle():
                return
            time.sleep(0.005)

    def pass_time(self, turns: int, pause: timedelta = timedelta(hours=1)) -> None:
        """So many rounds of everybody, with a pause after each."""
        for _ in range(turns):
            self.turn()
            self.rest()
            self.world.clock.advance(pause)

    def until_answered(self, turns: int = 40, pause: timedelta = timedelta(hours=1)) -> None:
        """Rounds until every sender has a kvittering, and two more that must change nothing."""
        for _ in range(turns):
            self.pass_time(1, pause)
            answered = {r["relatedToMessageId"] for r in self.world.gateway.receipts_at_sender()}
            if answered >= set(self.sent):
                break
        self.pass_time(3, pause)

    def states(self) -> list[tuple[str, str, str]]:
        """The state of every row that stations work on."""
        tables = [(kind.__name__, table_of(kind)) for kind in QUEUE_ROW_TYPES]
        with self.looking.reading() as tx:
            return sorted(
                (name, row.id, row.state.value)
                for name, table in tables
                for row in tx.execute(sa.select(table.c.id, table.c.state))
            )

    def asking_for(self) -> list[str]:
        """The deliveries that stand open."""
        with self.looking.reading() as tx:
            return list(
                tx.exec(select(Delivery.id).where(col(Delivery.state) == DeliveryState.OPEN))
            )

    def tasks(self) -> list[str]:
        """The kinds of all open tasks."""
        with self.looking.reading() as tx:
            return sorted(tx.exec(select(Task.kind).where(col(Task.closed_at).is_(None))))

    def readiness(self) -> dict[str, str]:
        """The needs that are not met."""
        found = readiness_of(self.line)
        return {need: code for need, code in found.items() if code != "ok"}

    def wrong(self, *, times: int = 1) -> list[str]:
        """What is wrong at the end, seen from outside; `times` is how often each was delivered."""
        return faults_in(
            self.world.gateway, self.custody, self.logged, dict.fromkeys(self.sent, times)
        )

    def answered(self) -> list[dict[str, object]]:
        """The kvitteringer that the senders hold."""
        return self.world.gateway.receipts_at_sender()

    def effects(self) -> Counter[str]:
        """What the gateway has carried out so far, call by call."""
        return Counter(
            f"{seen.method} {seen.path}"
            for seen in self.world.gateway.journal
            if seen.effect is not None and "peek" not in seen.path
        )


@contextmanager
def http_world(
    url: str,
    folder: Path,
    *,
    terms: Terms = TERMS,
    change: Callable[[Line], Line] = lambda line: line,
    behaviour: Behaviour | None = None,
    answer_within: float = 1,
    lists_every: timedelta | None = None,
    connections: int | None = None,
) -> Iterator[HttpWorld]:
    """A town on a database with the schema; `change` may put something between the line and it."""
    with ExitStack() as stack:
        made = stack.enter_context(world(url, folder, terms=terms, connections=connections))
        looking = made.line.store
        stack.callback(looking.engine.dispose)
        sent: dict[str, bytes] = {}
        custody = Custody(made.gateway, looking, made.line, sent)
        gateway_url = stack.enter_context(serve(custody))
        told = CaseSystemSimulator(
            "sak", clock=made.clock.sim, behaviour=behaviour, lists_every=lists_every
        )
        asking = CaseSystemSimulator(
            "fag", clock=made.clock.sim, pull_every=timedelta(milliseconds=100)
        )
        hook = Door(told.app)
        hook_url = stack.enter_context(serve(hook))
        gateway = stack.enter_context(client_for(gateway_url, bounds=BOUNDS, tls=NO_TLS))
        events = stack.enter_context(
            httpx.Client(trust_env=False, timeout=answer_within, verify=NO_TLS)
        )
        made.line = change(
            replace(
                made.line,
                gateways={"eformidling": _integrasjonspunkt(gateway)},
                events=WebhookSender(events, [_target(hook_url)]),
            )
        )
        _hooked(looking, hook_url + HOOK)
        api = Door(create_app(made.line))
        api_url = stack.enter_context(serve(api))
        told.connect(api_url, key=made.keys["sak"][0], secret=made.keys["sak"][1])
        asking.connect(api_url, key=made.keys["fag"][0])
        custody.journals = (told, asking)
        worker = Worker(made.line, poll_seconds=0.05, checkpoints=folder / "checkpoints.txt")
        logged = stack.enter_context(Logged())
        stack.enter_context(told)
        yield HttpWorld(
            world=made,
            worker=worker,
            custody=custody,
            logged=logged,
            looking=looking,
            told=told,
            asking=asking,
            hook=hook,
            api=api,
            api_url=api_url,
            sent=sent,
        )


def _integrasjonspunkt(client: httpx.Client) -> Integrasjonspunkt:
    subscription = Subscription(
        organisation=OrgNumber(OURS), service=Service.DPO, process=CONFIDENTIAL_PROCESS
    )
    return Integrasjonspunkt(
        client, channel="eformidling", subscriptions=(subscription,), bounds=BOUNDS
    )


def _target(url: str) -> Target:
    port = urlsplit(url).port
    assert port is not None
    return Target(host="127.0.0.1", port=port, networks=(ip_network("127.0.0.0/8"),))


def _hooked(store: Store, url: str) -> None:
    """Where `sak` is told, now that its port is known."""
    with store.transaction() as tx:
        tx.execute(sa.update(CaseSystem).where(col(CaseSystem.id) == "sak").values(webhook_url=url))


def wait_until(true: Callable[[], bool], *, seconds: float = 10, pause: float = 0.01) -> None:
    """Return once it is true; fail after so many seconds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(pause)
