"""A package verified: a large one beside programs that only read it, a small one, a long letter."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sized
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import BinaryIO

from inbox.domain import OrgNumber, Service
from inbox.package import open_package
from inbox.package.arkivmelding.documents import PackageDocument
from inbox.package.arkivmelding.grading import grading_of
from inbox.package.arkivmelding.model import DocumentDescription
from inbox.package.arkivmelding.reader import archive_message_of, parse_arkivmelding
from inbox.package.envelope import read_envelope
from inbox.package.inputs import Expectations, Limits, Trust
from inbox.simulator.packages.arkivmelding import arkivmelding_xml
from inbox.simulator.packages.envelopes import sbd_json
from inbox.trust.trust_store import TrustStore
from tests.bench.figure import Figure, Of, Target, size_of
from tests.bench.installation import furnish, large_package, small_package
from tests.bench.neighbour_process import apart, is_asked, memory_mb, told
from tests.bench.outcome import check_outcome
from tests.worlds import OURS, SENDER

_SLOWER = Target(at_most=1 / 0.7, of=Of.RATIO)
"""At least 70 % of the throughput of the slower of the two programs."""
_MEMORY = Target(at_most=256)
_SMALL = Target(at_most=10)
_LONG = Target(at_most=1)
_UNZIPPING = """\
import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
for name in archive.namelist():
    with archive.open(name) as file:
        while file.read(1 << 18):
            pass
"""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large the large package and the long letter are, and how often each is read."""

    documents: int
    document_bytes: int
    elements: int
    runs: int
    small_runs: int


FULL = Size(documents=64, document_bytes=15_625_000, elements=100_000, runs=5, small_runs=100)
TINY = Size(documents=3, document_bytes=100_000, elements=1000, runs=2, small_runs=3)


def figures(database: str, folder: Path) -> list[Figure]:
    """1 GB five times, 20 kB a hundred times, 100 000 elements five times."""
    return measured(database, folder, FULL)


def quick(database: str, folder: Path) -> list[Figure]:
    """Small ones, to see that it works."""
    return measured(database, folder, TINY)


def measured(
    database: str, folder: Path, size: Size, slowly: Callable[[], None] | None = None
) -> list[Figure]:
    """All of it, once: no database has a part in it. `slowly` is done before each verdict."""
    if not database.startswith("sqlite"):
        return []
    furnish(folder)
    before = slowly or _nothing
    return [*_large(folder, size), *_small(folder, size, before), _letter(size, before)]


def _nothing() -> None:
    """What is done before a verdict where nothing holds it up."""


def _large(folder: Path, size: Size) -> list[Figure]:
    """In a process of its own, which is asked again when the others have had their turn."""
    package = large_package(
        folder.parent / f"package-{size.documents}x{size.document_bytes}.asice",
        documents=size.documents,
        size=size.document_bytes,
    )
    sums, unzips, ours = list[float](), list[float](), list[float]()
    with apart(verify, str(package), str(folder / "trust"), size.documents) as verifier:
        for _ in range(size.runs):
            sums.append(_seconds_of(["sha256sum", str(package)]))
            unzips.append(_seconds_of([*_unzip(), str(package)]))
            verifier.send("again")
            seconds, megabytes = told(verifier)
            ours.append(seconds)
    what = f"{size_of(package)} verified"
    slower = max(sums, unzips, key=sum)
    beside = [_beside(what, ours, sums, "sha256sum of it", target=slower is sums)]
    beside.append(
        _beside(what, ours, unzips, f"{Path(_unzip()[0]).name} to nowhere", target=slower is unzips)
    )
    memory = Figure(
        what="most memory of the process that verified it",
        database="-",
        unit="MB",
        ours=(megabytes,),
        target=_MEMORY,
    )
    return [*beside, memory]


def _beside(what: str, ours: list[float], other: list[float], name: str, *, target: bool) -> Figure:
    return Figure(
        what=what,
        database="-",
        unit="s",
        ours=tuple(ours),
        beside=tuple(other),
        beside_what=name,
        target=_SLOWER if target else None,
    )


def verify(out: Connection, package: str, trust_folder: str, documents: int) -> None:
    """Verify the package whenever asked; tell the seconds, and the most memory so far."""
    trust = TrustStore(Path(trust_folder)).current()
    while is_asked(out):
        began = time.perf_counter()
        with Path(package).open("rb") as source:
            verified = verified_documents(source, trust)
        seconds = time.perf_counter() - began
        check_outcome("verified documents", expected=documents, seen=len(verified))
        out.send((seconds, memory_mb("VmHWM")))


def verified_documents(source: BinaryIO, trust: Trust) -> tuple[PackageDocument, ...]:
    """The documents, after the whole verdict, as the line reaches it."""
    return open_package(
        source,
        read_envelope(json.dumps(sbd_json(sender=SENDER, receiver=OURS)).encode()),
        expected=Expectations(service=Service.DPO, organisation=OrgNumber(OURS)),
        trust=trust,
        limits=Limits(),
        waivers=frozenset(),
        now=datetime.now(UTC),
    ).documents


def _small(folder: Path, size: Size, before: Callable[[], None]) -> list[Figure]:
    """Of a sender whose certificate has been seen, and, each time, of one that has not."""
    trust = TrustStore(folder / "trust").current()
    known = small_package(20_000)
    verified_documents(BytesIO(known), trust)
    runs = {
        "a sender seen before": [known] * size.small_runs,
        "a new certificate": [small_package(20_000) for _ in range(size.small_runs)],
    }
    return [
        Figure(
            what=f"verdict on a package of 20 kB of {of}",
            database="-",
            unit="ms",
            ours=tuple(
                1000 * _seconds(1, before, verified_documents, BytesIO(raw), trust)
                for raw in packages
            ),
            target=_SMALL,
        )
        for of, packages in runs.items()
    ]


def _letter(size: Size, before: Callable[[], None]) -> Figure:
    raw = long_letter(size.elements)
    return Figure(
        what=f"arkivmelding.xml of {size.elements} elements",
        database="-",
        unit="s",
        ours=tuple(
            _seconds(raw.count(b"<dokumentbeskrivelse>"), before, _read, raw)
            for _ in range(size.runs)
        ),
        target=_LONG,
    )


def long_letter(elements: int) -> bytes:
    """A letter whose one attachment is described until it has so many elements."""
    whole = arkivmelding_xml()
    start, stop = whole.index(b"<dokumentbeskrivelse>"), whole.index(b"</dokumentbeskrivelse>")
    one = whole[start:stop] + b"</dokumentbeskrivelse>"
    missing = elements - whole.count(b"</")
    return whole.replace(one, one * (1 + missing // one.count(b"</")), 1)


def _read(raw: bytes) -> tuple[DocumentDescription, ...]:
    root = parse_arkivmelding(raw, Limits(max_arkivmelding_bytes=1 << 30))
    check_outcome("grading of the letter", expected=None, seen=grading_of(root))
    return archive_message_of(root).descriptions


def _seconds(
    parts: int, before: Callable[[], None], do: Callable[..., Sized], *values: object
) -> float:
    """How long it takes to read so many parts."""
    began = time.perf_counter()
    before()
    read = do(*values)
    seconds = time.perf_counter() - began
    check_outcome("parts that were read", expected=parts, seen=len(read))
    return seconds


def _seconds_of(words: list[str]) -> float:
    """How long another program takes; what it says goes nowhere."""
    began = time.perf_counter()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def _unzip() -> list[str]:
    """The program, or Python's own reader where it is not installed."""
    found = shutil.which("unzip")
    return [found, "-p"] if found else [sys.executable, "-c", _UNZIPPING]
