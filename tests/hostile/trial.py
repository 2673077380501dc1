"""Puts packages made by seed before the reader, in little memory, and says what came of it."""

import random
import resource
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path

from inbox.errors import PackageRejected
from inbox.package import inspect, open_package
from inbox.package.inputs import Limits
from inbox.package.zip.reader import Container, ZipReader
from inbox.simulator.packages.builder import ParcelDocument, write_package
from tests.bench.neighbour_process import memory_mb
from tests.hostile import bombs, field_flaws, name_flaws, structure_flaws
from tests.hostile.flaws import KINDS, Spoilt
from tests.hostile.front_reader import read_from_the_front
from tests.hostile.genuine_writers import SHAPES, Layout
from tests.hostile.random_packages import Drawn, draw
from tests.package_builder import NOW, envelope_of, expecting, opened, parcel, trusted

MODULES = (bombs, field_flaws, name_flaws, structure_flaws)
"""Importing them registers their kinds."""
MIB = 1 << 20
LONGEST_SECONDS = 2.0
"""Of a processor: how busy the machine is says nothing about the reader."""
MOST_MEMORY = 300 * MIB


@dataclass(kw_only=True)
class Report:
    """What was seen; `faults` is empty if all was as it must be."""

    seen: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    peak_bytes: int = 0

    def values(self) -> dict[str, object]:
        """For JSON, with the most memory that this process has had."""
        self.peak_bytes = int(memory_mb("VmHWM") * 1e6)
        return vars(self)

    @contextmanager
    def timing(self, what: str, *, at_most: float = LONGEST_SECONDS) -> Iterator[None]:
        """Anything but a refusal that comes out of it is a crash; too long is a fault too."""
        start = time.process_time()
        try:
            yield
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            self.faults.append(f"{what}: crashed with {error!r}")
        took = time.process_time() - start
        self.slowest = max(self.slowest, took)
        if took > at_most:
            self.faults.append(f"{what}: took {took:.1f} s")


def hold_memory() -> None:
    """From here on more than is allowed is a MemoryError, which is a crash."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))


def code_of(attempt: Callable[[], object]) -> str | None:
    try:
        attempt()
    except PackageRejected as error:
        return error.code
    return None


def try_hostile(count: int, seed: int) -> Report:
    """As many spoilt packages, all kinds in turn; a new base for each round of kinds."""
    report = Report()
    for turn, name in zip(range(count), _rounds(), strict=False):
        rng = random.Random(f"{seed} {turn}")
        if turn % len(KINDS) == 0:
            drawn = draw(rng)
            bases: dict[str, Layout] = {}
        kind = KINDS[name]
        what = f"{name}, seed {seed}, turn {turn}"
        with report.timing(what):
            spoilt = kind.spoil(rng, _base(report, bases, drawn, rng.choice(kind.shapes)))
        with report.timing(what):
            judge(report, what, spoilt)
        report.seen[name] += 1
    return report


def _rounds() -> Iterator[str]:
    while True:
        yield from sorted(KINDS)


def _base(report: Report, bases: dict[str, Layout], drawn: Drawn, shape: str) -> Layout:
    """The package in that shape, shown to be accepted before anything in it is spoilt."""
    if shape not in bases:
        bases[shape] = SHAPES[shape](drawn.files)
        raw = bases[shape].raw()
        if code_of(partial(opened, raw)) or code_of(partial(_archive, raw)):
            report.faults.append(f"a base as {shape} writes it is refused")
    return bases[shape]


def _archive(raw: bytes) -> None:
    ZipReader(BytesIO(raw), Limits()).check()


def _container(raw: bytes) -> None:
    Container(BytesIO(raw), Limits()).check()


def judge(report: Report, what: str, spoilt: Spoilt) -> None:
    """Refused by each reader that should, for a reason that has to do with the flaw."""
    allowed = {f"container.{code}" for code in spoilt.codes}
    found = {
        "container": code_of(partial(_container, spoilt.raw)),
        "inspect": code_of(partial(inspect, BytesIO(spoilt.raw), limits=Limits())),
    }
    any_zip = code_of(partial(_archive, spoilt.raw))
    if not spoilt.package_only:
        found["archive"] = any_zip
    elif any_zip is not None:
        report.faults.append(f"{what}: archive refuses a whole zip as {any_zip}")
    for reader, code in found.items():
        if code not in allowed:
            report.faults.append(f"{what}: {reader} says {code}")
    report.codes[f"{what.partition(',')[0]} {found['container']}"] += 1


def try_genuine(count: int, seed: int) -> Report:
    """As many lawful packages, all shapes in turn, each read by three readers."""
    report = Report()
    shapes = sorted(SHAPES)
    for turn in range(count):
        rng = random.Random(f"{seed} {turn}")
        drawn = draw(rng, shape=shapes[turn % len(shapes)])
        raw = drawn.layout().raw()
        what = f"{drawn.shape}, seed {seed}, turn {turn}"
        with report.timing(what):
            code = code_of(partial(opened, raw)) or code_of(partial(_read_thrice, drawn, raw))
            report.seen[drawn.shape] += 1
            if code is not None:
                report.faults.append(f"{what}: refused as {code}")
    return report


def try_large(folder: Path) -> Report:
    """One package of a gigabyte, on a disk as it would be."""
    report, path = Report(), folder / "stor.asice"
    line = random.Random(1).randbytes(384).hex().encode() + b"\n"
    block = line * (MIB // len(line))

    def chunks() -> Iterator[bytes]:
        return (block + number.to_bytes(2) for number in range(1024))

    with path.open("wb") as out:
        write_package(out, parcel(documents=(ParcelDocument("stor.txt", "text/plain", chunks),)))
    with path.open("rb") as source:
        package = open_package(
            source,
            envelope_of(),
            expected=expecting(),
            trust=trusted(),
            limits=Limits(),
            waivers=frozenset(),
            now=NOW,
        )
    report.seen["bytes"] = package.total_bytes
    return report


def _read_thrice(drawn: Drawn, raw: bytes) -> None:
    """What went in comes out, from us, from `zipfile` and from the front."""
    archive = ZipReader(BytesIO(raw), Limits())
    ours = [(e.name, b"".join(archive.stream(e.name))) for e in archive.entries]
    with zipfile.ZipFile(BytesIO(raw)) as by_directory:
        stock = [by_directory.read(i) for i in by_directory.infolist() if not i.is_dir()]
    from_the_front = [
        (name.decode(), content)
        for name, content in read_from_the_front(raw)
        if not name.endswith(b"/")
    ]
    if not ours == from_the_front == [(file.name, file.content) for file in drawn.files]:
        raise AssertionError
    if stock != [content for _, content in ours]:
        raise AssertionError
