"""One document out of a large package through the case systems' API, beside a plain file."""

import hashlib
import http.client
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from threading import Thread
from urllib.parse import urlsplit

from sqlmodel import select

from inbox.app import create_app
from inbox.cli.serve import HttpListener
from inbox.config import Listener
from inbox.line import Line
from inbox.line.queue import QUEUE_ROW_TYPES, claim
from inbox.line.stations import advance
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from inbox.simulator.packages.envelopes import sbd_json
from inbox.tables import Delivery
from tests.bench.figure import Figure, Of, Target, name_of, size_of
from tests.bench.installation import document_bytes, furnish, large_package, line_at
from tests.bench.neighbour_process import apart, told, wait_for_the_end
from tests.bench.outcome import WrongOutcome, check_outcome
from tests.worlds import collect_from, settle_in

_API = "/api/v1/deliveries"
_BLOCK = 1 << 18
_MORE_MS = 5.0


_Read = tuple[float, float, bytes]


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large the package is, and how often a document of it is asked for."""

    documents: int
    document_bytes: int
    runs: int


FULL = Size(documents=64, document_bytes=15_625_000, runs=15)
TINY = Size(documents=3, document_bytes=100_000, runs=2)


def figures(database: str, folder: Path) -> list[Figure]:
    """The one in the middle of 1 GB."""
    return measured(database, folder, FULL)


def quick(database: str, folder: Path) -> list[Figure]:
    """One of a small package, to see that it works."""
    return measured(database, folder, TINY)


def measured(database: str, folder: Path, size: Size) -> list[Figure]:
    """Time to the first byte and to the last."""
    package = large_package(
        folder.parent / f"package-{size.documents}x{size.document_bytes}.asice",
        documents=size.documents,
        size=size.document_bytes,
    )
    key, delivery = _offered(database, folder, package)
    number, plain = size.documents // 2, folder / "plain"
    plain.write_bytes(document_bytes(number, size.document_bytes))
    ours, beside, listed = list[_Read](), list[_Read](), list[float]()
    with apart(serve_api, database, folder) as server:
        api = http.client.HTTPConnection(urlsplit(told(server)).netloc)
        for _ in range(size.runs + 1):
            beside.append(_read(plain))
            ours.append(_asked(api, key, f"{_API}/{delivery}/documents/{number}"))
            listed.append(_asked(api, key, f"{_API}?limit=1")[0])
        api.close()
    read, given = ({digest for _, _, digest in runs} for runs in (beside, ours))
    check_outcome("digests of the documents", expected=read, seen=given)
    del ours[0], beside[0]  # the first one warms both
    what = f"a document of {size_of(plain)} out of {size_of(package)}"
    name, plainly = name_of(database), "read from a plain file"
    return [
        Figure(
            what=f"{what}, to its first byte",
            ours=tuple(first for first, _, _ in ours),
            beside=tuple(first for first, _, _ in beside),
            target=Target(at_most=_MORE_MS, of=Of.MORE),
            note=f"asking the API for what writes nothing takes {median(listed):.2f} ms",
            database=name,
            unit="ms",
            beside_what=plainly,
        ),
        Figure(
            what=f"{what}, to its last byte",
            ours=tuple(last for _, last, _ in ours),
            beside=tuple(last for _, last, _ in beside),
            database=name,
            unit="ms",
            beside_what=plainly,
        ),
    ]


def serve_api(out: Connection, database: str, folder: Path) -> None:
    """The case systems' listener, as `inbox serve` has it."""
    with line_at(database, folder) as line:
        face = HttpListener(create_app(line), Listener(port=0), connections=100)
        thread = Thread(target=face.run, daemon=True)
        thread.start()
        face.wait_until_up()
        out.send(face.url)
        wait_for_the_end(out)
        face.stop()
        thread.join(timeout=10)


def _offered(database: str, folder: Path, package: Path) -> tuple[str, str]:
    """Walk the package down the line until a case system may collect it: its key, the delivery."""
    furnish(folder)
    gateway = GatewaySimulator()
    gateway.put(sbd_json(), package)
    with serve(gateway.app) as url, line_at(database, folder, url) as line:
        keys = settle_in(line)
        check_outcome("announced packages", expected=1, seen=collect_from(line))
        _work(line)
        with line.store.reading() as tx:
            delivery = tx.exec(select(Delivery)).one_or_none()
    if delivery is None:
        raise WrongOutcome("the package is not offered to its case system")
    return keys[delivery.case_system][0], delivery.id


def _work(line: Line) -> None:
    """Advance everything that is due until nothing is."""
    while True:
        job = next((found for kind in QUEUE_ROW_TYPES if (found := claim(line, kind))), None)
        if job is None:
            return
        while job is not None:
            job = advance(line, job)


def _asked(api: http.client.HTTPConnection, key: str, path: str) -> _Read:
    """Milliseconds to the first byte of the answer's body and to the last, and its digest."""
    digest, began = hashlib.sha256(), time.perf_counter()
    api.request("GET", path, headers={"authorization": f"Bearer {key}"})
    response = api.getresponse()
    block = response.read(1)
    first = time.perf_counter()
    while block:
        digest.update(block)
        block = response.read(_BLOCK)
    last = time.perf_counter()
    check_outcome("status of an answer", expected=http.client.OK, seen=response.status)
    return (first - began) * 1000, (last - began) * 1000, digest.digest()


def _read(path: Path) -> _Read:
    """The same of a plain file."""
    digest, began = hashlib.sha256(), time.perf_counter()
    with path.open("rb", buffering=0) as file:
        block = file.read(1)
        first = time.perf_counter()
        while block:
            digest.update(block)
            block = file.read(_BLOCK)
    return (first - began) * 1000, (time.perf_counter() - began) * 1000, digest.digest()
