"""A large package is taken into custody, beside a plain network copy of the same bytes."""

import hashlib
import http.client
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from inbox.line import Job, Line
from inbox.line.queue import claim
from inbox.line.stations import advance
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from inbox.simulator.packages.envelopes import ADMINISTRASJON, sbd_json
from inbox.tables import Arrival
from tests.bench.figure import Figure, Of, Target, name_of, size_of
from tests.bench.installation import Side, furnish, large_package, line_at
from tests.bench.neighbour_process import apart, memory_mb, told, wait_for_the_end
from tests.bench.outcome import check_outcome, confirmed_messages
from tests.worlds import collect_from, settle_in

_BLOCK = 1 << 20
_MEMORY_MB = 256.0
_RATIO = 1.5


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large the package is, and how often it is taken."""

    documents: int
    document_bytes: int
    runs: int


FULL = Size(documents=64, document_bytes=15_625_000, runs=5)
TINY = Size(documents=3, document_bytes=100_000, runs=2)


def figures(database: str, folder: Path) -> list[Figure]:
    """1 GB, five times."""
    return measured(database, folder, FULL)


def quick(database: str, folder: Path) -> list[Figure]:
    """A small one, to see that it works."""
    return measured(database, folder, TINY)


def measured(
    database: str, folder: Path, size: Size, slowly: Callable[[Line], Line] | None = None
) -> list[Figure]:
    """Time and peak memory; `slowly` may put something slow into the line."""
    package = large_package(
        folder.parent / f"package-{size.documents}x{size.document_bytes}.asice",
        documents=size.documents,
        size=size.document_bytes,
    )
    furnish(folder)
    with line_at(database, folder) as line_here:
        settle_in(line_here)
    with apart(offer, str(package), size.runs) as gateway:
        url, other = told(gateway)
        side = Side(database=database, folder=folder, gateway_url=url, slowly=slowly)
        with apart(take, side, other, package.stat().st_size, size.runs) as line:
            copied, taken, memory = told(line)
    with line_at(database, folder) as line_here, package.open("rb") as whole:
        digest = hashlib.file_digest(whole, "sha256").hexdigest()
        confirmed = confirmed_messages(line_here, digest)
    check_outcome("packages in custody", expected=size.runs, seen=confirmed)
    return [
        Figure(
            what=f"{size_of(package)} fetched, sealed, confirmed",
            database=name_of(database),
            unit="s",
            ours=tuple(taken),
            beside=tuple((before + after) / 2 for before, after in pairwise(copied)),
            beside_what="network copy to a synced file",
            target=Target(at_most=_RATIO, of=Of.RATIO),
        ),
        Figure(
            what="most memory of the process that took it",
            database=name_of(database),
            unit="MB",
            ours=(memory,),
            target=Target(at_most=_MEMORY_MB),
        ),
    ]


def offer(out: Connection, package: str, runs: int) -> None:
    """A gateway with so many of the package for the line, and one more that is not for it."""
    gateway = GatewaySimulator(lock_time=timedelta(hours=12))
    for _ in range(runs):
        gateway.put(sbd_json(), Path(package))
    other = gateway.put(sbd_json(process=ADMINISTRASJON), Path(package))
    with serve(gateway.app) as url:
        out.send((url, other))
        wait_for_the_end(out)


def take(out: Connection, side: Side, other: str, size: int, runs: int) -> None:
    """Copy, take, copy, take ..., copy; says how long each took and the most memory used."""
    with side.line() as line:
        check_outcome("announced packages", expected=runs, seen=collect_from(line))
        copied, taken = [_copy(side, other, size)], []
        for _ in range(runs):
            taken.append(_custody(line))
            copied.append(_copy(side, other, size))
        out.send((copied, taken, memory_mb("VmHWM")))


def _custody(line: Line) -> float:
    """Take one arrival as far as it goes, which must be confirmed; then make room again."""
    began = time.perf_counter()
    job: Job[Any] | None = claim(line, Arrival)
    steps = 0
    while job is not None:
        job, steps = advance(line, job), steps + 1
    seconds = time.perf_counter() - began
    check_outcome("steps to fetch and confirm", expected=2, seen=steps)
    for name in [name for name, _ in line.vault.names()]:
        line.vault.remove(name)
    return seconds


def _copy(side: Side, message_id: str, size: int) -> float:
    """The same bytes from the same server, by the standard library, to a plain file, synced."""
    path = side.folder / "copy"
    began = time.perf_counter()
    with path.open("wb", buffering=0) as file:
        for block in _popped(side.gateway_url, message_id):
            file.write(block)
        os.fsync(file.fileno())
    seconds = time.perf_counter() - began
    check_outcome("bytes copied", expected=size, seen=path.stat().st_size)
    path.unlink()
    return seconds


def _popped(url: str, message_id: str) -> Iterator[memoryview]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=600)
    try:
        connection.request("GET", f"/api/messages/in/peek?process={quote(ADMINISTRASJON)}")
        connection.getresponse().read()
        connection.request("GET", f"/api/messages/in/pop/{message_id}")
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise ConnectionError(json.dumps(response.status))
        block = memoryview(bytearray(_BLOCK))
        while count := response.readinto(block):
            yield block[:count]
    finally:
        connection.close()
