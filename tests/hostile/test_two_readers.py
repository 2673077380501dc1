"""Whoever else reads a zip that we read sees the same bytes; a changed byte changes nothing."""

import functools
import random
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from inbox.errors import PackageRejected
from inbox.package import Package
from inbox.package.envelope import Envelope
from inbox.package.inputs import Limits
from inbox.package.verdict import PackageQuarantined
from inbox.package.zip.reader import ZipReader
from inbox.simulator.packages.builder import Dialect
from tests.hostile.front_reader import read_from_the_front
from tests.hostile.genuine_writers import SHAPES, WIDE, File, Layout
from tests.package_builder import envelope_of, genuine, opened

NAMES = st.sampled_from(["a", "b.txt", "Å.pdf", "mappe/c", "mimetype"])
CONTENTS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"x" * 300, b"PK\x03\x04" * 20, b"PK\x07\x08" + bytes(20), bytes(5000)]),
)
FILES = st.lists(
    st.builds(File, name=NAMES, content=CONTENTS, squeeze=st.booleans()),
    max_size=4,
    unique_by=lambda file: file.name,
)
FIELDS = st.sampled_from(["flags", "method", "crc", "packed", "size", "offset", "version", "time"])
NUMBERS = st.one_of(st.sampled_from([0, 1, 8, 0x800, 0x808, 45, 0xFFFF, WIDE]), st.integers(0, 99))
LIES = st.lists(
    st.tuples(st.sampled_from(["local", "central", "end"]), FIELDS, NUMBERS, st.integers(0, 3)),
    max_size=2,
)


def _told(layout: Layout, lies: Iterable[tuple[str, str, int, int]]) -> Layout:
    """With some fields replaced, which may by chance say what is so."""
    parts, writing = list(layout.parts), dict(layout.writing)
    for where, field, number, index in lies:
        if where == "end":
            writing["end"] = {**(writing.get("end") or {}), field: number}
        elif parts:
            part = parts[index % len(parts)]
            fits = number & (0xFFFF if field in {"flags", "method", "version", "time"} else WIDE)
            fields: dict[str, Mapping[str, int]] = {"local": part.local, "central": part.central}
            changes: dict[str, Any] = {where: {**fields[where], field: fits}}
            parts[index % len(parts)] = replace(part, **changes)
    return Layout(parts=tuple(parts), writing=writing)


def _read(raw: bytes) -> dict[str, bytes] | None:
    try:
        archive = ZipReader(BytesIO(raw), Limits())
        return {entry.name: archive.read(entry.name, 1 << 20) for entry in archive.entries}
    except PackageRejected:
        return None


@settings(max_examples=100, deadline=None)
@example(  # a later version than any method of ours needs
    files=[File(name="a", content=b"")],
    shape="commons_compress_always_wide",
    lies=[("central", "version", 64, 0)],
)
@given(files=FILES, shape=st.sampled_from(sorted(SHAPES)), lies=LIES)
def test_other_zip_readers_see_the_same_bytes_or_the_zip_is_refused(
    files: list[File], shape: str, lies: list[tuple[str, str, int, int]]
) -> None:
    layout = SHAPES[shape](files) if files else Layout(parts=())
    raw = _told(layout, lies).raw()

    seen = _read(raw)

    event("refused" if seen is None else "read")
    if seen is None:
        assert lies or any(b"PK" in file.content for file in files)
        return
    assert list(seen.values()) == [
        content for name, content in read_from_the_front(raw) if not name.endswith(b"/")
    ]
    with zipfile.ZipFile(BytesIO(raw)) as stock:
        stocked = [stock.read(each) for each in stock.infolist() if not each.is_dir()]
    assert list(seen.values()) == stocked


@functools.cache
def _envelope() -> Envelope:
    return envelope_of()


@functools.cache
def _small(dialect: Dialect) -> tuple[bytes, Package]:
    raw = genuine(dialect=dialect)
    return raw, opened(raw, envelope=_envelope())


def _changed(dialect: Dialect, position: int, value: int) -> bool:
    """Whether the package with that byte changed is opened; then it must be the same package."""
    raw, whole = _small(dialect)
    changed = bytearray(raw)
    changed[position] ^= value
    try:
        package = opened(bytes(changed), envelope=_envelope())
    except PackageQuarantined:
        return False
    seen, known = package.verdict.notes, whole.verdict.notes
    assert {*seen} ^ {*known} <= {"comment"}, "a changed byte of a comment is noted, no more"
    assert replace(package, verdict=replace(package.verdict, notes=known)) == whole
    assert _read(bytes(changed)) == _read(raw)
    return True


@pytest.mark.parametrize("dialect", list(Dialect))
def test_sampled_byte_change_in_a_package_is_refused_or_changes_nothing(dialect: Dialect) -> None:
    dice, length = random.Random(str(dialect)), len(_small(dialect)[0])
    places = [*range(16), *(dice.randrange(length) for _ in range(60))]

    opened_still = [_changed(dialect, place, dice.randrange(1, 256)) for place in places]

    assert not any(opened_still[:16])


@pytest.mark.long
@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("value", [0x01, 0xFF])
def test_every_byte_change_in_a_package_is_refused_or_changes_nothing(
    dialect: Dialect, value: int
) -> None:
    places = range(len(_small(dialect)[0]))

    still = [place for place in places if _changed(dialect, place, value)]

    assert len(still) < len(places) // 20  # who made it, and what kind of file it was
