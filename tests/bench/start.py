"""The real program with much mail behind it: how soon it is ready, and what it takes when idle."""

import http.client
import os
import subprocess
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from tests.bench.figure import Figure, Target, name_of
from tests.bench.installation import addresses_of, furnish, line_at, served, settings_at
from tests.bench.mail_filler import Extent, fill
from tests.bench.neighbour_process import apart, is_asked, memory_mb, told
from tests.bench.outcome import WrongOutcome, check_outcome
from tests.worlds import OURS, install

_SECONDS, _MEMORY_MB = 3.0, 150.0
_PATIENCE = 60.0


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much mail there is, how often it starts, how long it then lies idle."""

    extent: Extent
    starts: int
    idle_seconds: float


FULL = Size(extent=Extent(messages=100_000, people=5_000, units=200), starts=5, idle_seconds=60)
TINY = Size(extent=Extent(messages=50, people=12, units=3), starts=1, idle_seconds=0.2)


def figures(database: str, folder: Path) -> list[Figure]:
    """100 000 messages, a minute."""
    return measured(database, folder, FULL)


def quick(database: str, folder: Path) -> list[Figure]:
    """A few messages, a moment."""
    return measured(database, folder, TINY)


def measured(database: str, folder: Path, size: Size) -> list[Figure]:
    """`inbox serve` with its worker, asking an empty gateway as often as by default."""
    furnish(folder)
    with line_at(database, folder) as line:
        install(line.store, line.keyring)
        fill(line, size.extent)
    with apart(stand_by) as gateway:
        config = settings_at(
            database,
            folder,
            f'[[gateways]]\nchannel = "eformidling"\nurl = "{told(gateway)}"\n'
            f'organisations = ["{OURS}"]\n',
        )
        starts = [_start(config, 0, gateway) for _ in range(size.starts - 1)]
        starts.append(_start(config, size.idle_seconds, gateway))
    last, name = starts[-1], name_of(database)
    there = f"with {size.extent.messages} messages"
    idle = f"inbox serve and its worker, idle {size.idle_seconds:g} s"
    return [
        Figure(
            what=f"start to ready {there}",
            database=name,
            unit="s",
            ours=tuple(each.ready for each in starts),
            target=Target(at_most=_SECONDS),
            note=f"processor time of it: {median(each.spent for each in starts):.2f} s",
        ),
        Figure(
            what=f"{idle}: resident memory",
            database=name,
            unit="MB",
            ours=(last.resident,),
            target=Target(at_most=_MEMORY_MB),
            note=f"the most since its start {last.most:.0f} MB",
        ),
        Figure(what=f"{idle}: processor time", database=name, unit="s", ours=(last.busy,)),
    ]


@dataclass(frozen=True, kw_only=True)
class _Started:
    """What was seen of one process; seconds and megabytes."""

    ready: float
    spent: float
    """Processor time until it was ready, which does not depend on who else is at work."""
    resident: float
    most: float
    busy: float


def _start(config: Path, idle_seconds: float, gateway: Connection) -> _Started:
    began = time.perf_counter()
    with served(config) as process:
        operator = urlsplit(addresses_of(process)["operator"]).netloc
        while not _is_ready(operator):
            assert time.perf_counter() - began < _PATIENCE, "inbox serve does not become ready"
            time.sleep(0.01)
        ready = time.perf_counter() - began
        spent = _cpu_seconds(process)
        time.sleep(idle_seconds)
        gateway.send("has it been asked?")
        told(gateway)
        check_outcome("exit code of inbox serve", expected=None, seen=process.poll())
        return _Started(
            ready=ready,
            spent=spent,
            resident=memory_mb("VmRSS", process.pid),
            most=memory_mb("VmHWM", process.pid),
            busy=_cpu_seconds(process) - spent,
        )


def _is_ready(operator: str) -> bool:
    connection = http.client.HTTPConnection(operator, timeout=10)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.client.OK
    finally:
        connection.close()


def _cpu_seconds(process: "subprocess.Popen[str]") -> float:
    """User and system time of all its threads."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stand_by(out: Connection, patience: float = _PATIENCE) -> None:
    """A gateway at which nothing waits; it says, whenever asked, that it has been asked since."""
    gateway, seen = GatewaySimulator(), 0
    with serve(gateway.app) as url:
        out.send(url)
        while is_asked(out):
            until = time.monotonic() + patience
            while len(gateway.journal) == seen:
                if time.monotonic() > until:
                    raise WrongOutcome("the worker does not ask its gateway")
                time.sleep(0.05)
            seen = len(gateway.journal)
            out.send(seen)
