"""From the moment a message lies at the gateway until the gateway is told that it is ours."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import quantiles
from threading import Thread

from inbox.line import Line
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from inbox.simulator.packages.envelopes import sbd_json
from inbox.worker import Worker
from tests.bench.figure import Figure, Target, name_of
from tests.bench.installation import Side, furnish, line_at, small_package
from tests.bench.neighbour_process import apart, told, wait_for_the_end
from tests.bench.outcome import check_outcome, offered_messages
from tests.worlds import settle_in

_SECONDS = 1.0
_CONFIRMED = ("DELETE", "/api/messages/in/{messageId}", 200)


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much comes, how fast, how often the gateway is asked, how long the last may take."""

    messages: int
    each_second: float
    package_bytes: int = 200_000
    poll_seconds: float
    patience_seconds: float = 120.0


FULL = Load(messages=600, each_second=10, poll_seconds=0.5)
TINY = Load(messages=8, each_second=20, poll_seconds=0.1)


def figures(database: str, folder: Path) -> list[Figure]:
    """A minute of it."""
    return measured(database, folder, FULL)


def quick(database: str, folder: Path) -> list[Figure]:
    """A moment of it, to see that it works."""
    return measured(database, folder, TINY)


def measured(
    database: str, folder: Path, load: Load, slowly: Callable[[Line], Line] | None = None
) -> list[Figure]:
    """The 99th percentile; `slowly` may put something slow into the line."""
    furnish(folder)
    with line_at(database, folder) as line_here:
        settle_in(line_here)
    with apart(deliver, load, small_package(load.package_bytes)) as gateway:
        url = told(gateway)
        side = Side(database=database, folder=folder, gateway_url=url, slowly=slowly)
        with apart(work, side, load.poll_seconds) as line:
            told(line)
            gateway.send(None)
            waits: list[float] = told(gateway)
            offered = _offered_in_the_end(database, folder, load)
    check_outcome("messages that are offered", expected=load.messages, seen=offered)
    cuts = quantiles(waits, n=100, method="inclusive")
    return [
        Figure(
            what=f"announced to durable at {load.each_second:g} messages/s,"
            f" asked every {load.poll_seconds:g} s: 99th percentile",
            database=name_of(database),
            unit="s",
            ours=(cuts[98],),
            target=Target(at_most=_SECONDS),
            note=f"{len(waits)} messages: median {cuts[49]:.3g} s, longest {max(waits):.3g} s",
        )
    ]


def deliver(out: Connection, load: Load, package: bytes) -> None:
    """A gateway into which messages are put at their times, however the line keeps up."""
    gateway = GatewaySimulator()
    with serve(gateway.app) as url:
        out.send(url)
        out.recv()
        put: dict[str, datetime] = {}
        began = time.monotonic()
        for number in range(load.messages):
            time.sleep(max(0.0, began + number / load.each_second - time.monotonic()))
            envelope, now = sbd_json(), datetime.now(UTC)
            put[gateway.put(envelope, package)] = now
        while not put.keys() <= (confirmed := _confirmed(gateway)).keys():
            time.sleep(0.1)
        out.send([(confirmed[each] - at) / timedelta(seconds=1) for each, at in put.items()])
        wait_for_the_end(out)


def _offered_in_the_end(database: str, folder: Path, load: Load) -> int:
    """How many are offered once all are, or when patience is at its end.

    The worker must be running: one that ends leaves what it has claimed to the next, later.
    """
    until = time.monotonic() + load.patience_seconds
    with line_at(database, folder) as line:
        while (offered := offered_messages(line)) < load.messages and time.monotonic() < until:
            time.sleep(0.1)
    return offered


def _confirmed(gateway: GatewaySimulator) -> dict[str | None, datetime]:
    """When each message was deleted, by the requests that the gateway obeyed."""
    return {
        seen.message_id: seen.at
        for seen in gateway.journal
        if (seen.method, seen.path, seen.effect) == _CONFIRMED
    }


def work(out: Connection, side: Side, poll_seconds: float) -> None:
    """The worker of this process, until it is told to end."""
    with side.line() as line:
        worker = Worker(
            line, poll_seconds=poll_seconds, checkpoints=side.folder / "checkpoints.txt"
        )
        thread = Thread(target=worker.run)
        thread.start()
        out.send(None)
        wait_for_the_end(out)
        worker.stop()
        thread.join(timeout=10)
