"""The strict zip reader: genuine dialects pass, every small lie is found, memory stays small."""

import os
import struct
import tempfile
import tracemalloc
import zlib
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.errors import NotFound, PackageRejected
from inbox.package.container import Container, looks_whole
from inbox.package.terms import Limits
from tests.package.zips import Part, descriptor, zip_bytes
from tests.packages import MIMETYPE, refusal

BREV = Part(name="brev.pdf", content=b"%PDF " * 100)
SENTINEL = 0xFFFF_FFFF


def container(*parts: Part, limits: Limits | None = None, **writing: Any) -> Container:
    return Container(BytesIO(zip_bytes([MIMETYPE, *parts], **writing)), limits or Limits())


def code(*parts: Part, limits: Limits | None = None, **writing: Any) -> str:
    def read_all() -> None:
        whole = container(*parts, limits=limits, **writing)
        for entry in whole.entries:
            for _ in whole.stream(entry.name):
                pass

    return refusal(read_all)


def wide(*numbers: int) -> bytes:
    return struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers)


@pytest.mark.parametrize("flags", [0, 0x800, 0x8, 0x808, 0x802, 0x806])
def test_the_flags_of_genuine_senders_are_read(flags: int) -> None:
    part = replace(BREV, flags=flags)
    after = descriptor(part) if flags & 8 else b""

    assert container(replace(part, after=after)).read("brev.pdf", 1000) == BREV.content


@pytest.mark.parametrize("wide_form", [False, True])
@pytest.mark.parametrize("signature", [b"", b"PK\x07\x08"])
def test_all_forms_of_data_descriptors_are_read(*, wide_form: bool, signature: bytes) -> None:
    part = replace(BREV, flags=0x808, local={"crc": 0, "packed": 0, "size": 0})
    after = descriptor(part, wide=wide_form, signature=signature)

    assert container(replace(part, after=after)).read("brev.pdf", 1000) == BREV.content


@pytest.mark.parametrize(
    "comment",
    [b"", b"mimetype=application/vnd.etsi.asic-e+zip", b"LIB DigiDoc4j/1.0.8 format: x"],
)
def test_the_comments_of_genuine_writers_are_accepted(comment: bytes) -> None:
    assert container(replace(BREV, comment=comment), comment=comment).entries[1].size == 500


def test_zip64_that_agrees_with_itself_is_read() -> None:
    sizes = wide(500, len(BREV.body))
    numbers = {"packed": SENTINEL, "size": SENTINEL}
    part = replace(BREV, local=numbers, central=numbers, local_extra=sizes, central_extra=sizes)
    narrow = {"here": 0xFFFF, "entries": 0xFFFF, "size": SENTINEL, "offset": SENTINEL}

    assert container(part, wide_end={}, end=narrow).read("brev.pdf", 1000) == BREV.content
    assert container(part, wide_end={}).read("brev.pdf", 1000) == BREV.content


@pytest.mark.parametrize(
    "lie",
    [
        {"central": {"size": SENTINEL}},
        {"central_extra": wide(500)},
        {"central": {"size": SENTINEL}, "central_extra": wide(500, 7)},
        {"local": {"size": SENTINEL, "packed": SENTINEL}},
        {"local_extra": wide(500, 500)},
        {"local": {"size": SENTINEL}, "local_extra": wide(500)},
        {"central": {"size": SENTINEL}, "central_extra": wide(500) + wide(500)},
    ],
)
def test_zip64_that_disagrees_is_refused(lie: dict[str, Any]) -> None:
    assert code(replace(BREV, **lie)) == "container.zip64"


@pytest.mark.parametrize(
    "records", [{"entries": 3}, {"size": 1}, {"offset": 1}, {"position": 0}, {"here": 1}]
)
def test_zip64_end_records_that_disagree_are_refused(records: dict[str, int]) -> None:
    assert code(BREV, wide_end=records) == "container.zip64"


@pytest.mark.parametrize(
    ("lie", "expected"),
    [
        ({"local_name": b"other.pd"}, "container.local_header"),
        ({"local": {"flags": 0}}, "container.local_header"),
        ({"local": {"method": 0}}, "container.local_header"),
        ({"local": {"size": 1}}, "container.local_header"),
        ({"local": {"packed": 1}}, "container.local_header"),
        ({"after": b"hidden"}, "container.gap"),
        ({"flags": 0x808}, "container.gap"),
        ({"flags": 0x808, "after": bytes(13)}, "container.gap"),
        ({"central": {"offset": 0}}, "container.gap"),
        ({"central": {"packed": 10}, "local": {"packed": 10}}, "container.gap"),
        ({"crc": 5, "flags": 0x808, "after": bytes(16)}, "container.descriptor"),
        ({"flags": 0x808, "stored": True, "after": bytes(16)}, "container.flags"),
        ({"flags": 0x840}, "container.encrypted"),
        ({"flags": 0x820}, "container.flags"),
        ({"central": {"attributes": 0x10}}, "container.special_file"),
        ({"central": {"attributes": 0x6000 << 16}}, "container.special_file"),
        ({"comment": b"PK\x05\x06"}, "container.comment"),
        ({"central_extra": b"\x01\x99\x00\x00"}, "container.extra_field"),
        ({"local_extra": b"\x55\x54\x09\x00\x01"}, "container.extra_field"),
        ({"local_extra": b"\x55\x54"}, "container.extra_field"),
        ({"central_extra": b"\x55\x54\xff\x01" + bytes(511)}, "container.extra_field"),
    ],
)
def test_every_small_lie_in_a_header_is_found(lie: dict[str, Any], expected: str) -> None:
    assert code(replace(BREV, **lie)) == expected


@pytest.mark.parametrize(
    "body",
    [
        BREV.body + b"more",
        BREV.body[:-1],
        zlib.compress(BREV.content),
        b"",
    ],
)
def test_a_deflated_stream_must_end_exactly_where_it_should(body: bytes) -> None:
    assert code(replace(BREV, packed=body)) == "container.deflate"


@pytest.mark.parametrize("size", [499, 501])
def test_a_file_that_unpacks_to_another_size_is_refused(size: int) -> None:
    numbers = {"size": size}

    assert code(replace(BREV, local=numbers, central=numbers)) == "container.size"


def test_an_entry_that_the_directory_hides_is_found() -> None:
    shown = zip_bytes([MIMETYPE, BREV])
    hidden = zip_bytes([BREV])[: 38 + len(BREV.body)]
    start = shown.rfind(b"PK\x01\x02", 0, shown.rfind(b"PK\x01\x02"))
    moved = shown[:start] + hidden + shown[start:]
    end = moved.rfind(b"PK\x05\x06")
    offset = struct.pack("<L", start + len(hidden))

    raw = moved[: end + 16] + offset + moved[end + 20 :]

    assert refusal(lambda: Container(BytesIO(raw), Limits())) == "container.gap"


def test_a_garbled_first_block_is_put_right_and_noted() -> None:
    raw = zip_bytes([MIMETYPE, BREV])

    whole = Container(BytesIO(os.urandom(16) + raw[16:]), Limits())

    assert whole.notes == ("first_block_garbled",)
    assert whole.read("mimetype", 100) == MIMETYPE.content


def test_only_a_mimetype_is_put_right() -> None:
    raw = zip_bytes([BREV, MIMETYPE])

    def attempt() -> None:
        Container(BytesIO(bytes(16) + raw[16:]), Limits())

    assert refusal(attempt) == "container.local_header"


def test_more_than_the_first_block_garbled_is_refused() -> None:
    raw = zip_bytes([MIMETYPE, BREV])

    def attempt() -> None:
        Container(BytesIO(bytes(20) + raw[20:]), Limits())

    assert refusal(attempt) == "container.local_header"


def test_a_mimetype_that_is_not_first_is_noted() -> None:
    assert Container(BytesIO(zip_bytes([BREV, MIMETYPE])), Limits()).notes == (
        "mimetype_not_first",
    )


def test_a_deflated_mimetype_is_refused() -> None:
    raw = zip_bytes([replace(MIMETYPE, stored=False)])

    assert refusal(lambda: Container(BytesIO(raw), Limits())) == "container.mimetype_wrong"


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        container(BREV).entry("annet.pdf")


def test_small_files_may_shrink_as_they_like() -> None:
    assert container(replace(BREV, content=bytes(1 << 20))).entries[1].size == 1 << 20


def test_every_cut_of_a_package_is_seen_at_intake() -> None:
    raw = zip_bytes([MIMETYPE, BREV], comment=b"mimetype=application/vnd.etsi.asic-e+zip")

    assert looks_whole(BytesIO(raw))
    assert [n for n in range(len(raw)) if looks_whole(BytesIO(raw[:n]))] == []


@pytest.mark.parametrize("writing", [{"before": b"x" * 5, "end": {"offset": 0}}, {"wide_end": {}}])
def test_what_looks_whole_may_still_be_refused_later(writing: dict[str, Any]) -> None:
    assert looks_whole(BytesIO(zip_bytes([MIMETYPE], **writing))) is ("wide_end" in writing)


@settings(max_examples=200, deadline=None)
@given(position=st.integers(min_value=0), value=st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_refused_or_changes_nothing_that_is_read(
    position: int, value: int
) -> None:
    raw = bytearray(zip_bytes([MIMETYPE, BREV, Part(name="b", content=b"b", stored=True)]))
    raw[position % len(raw)] ^= value

    try:
        whole = Container(BytesIO(bytes(raw)), Limits())
        seen = {entry.name: whole.read(entry.name, 1000) for entry in whole.entries}
    except PackageRejected:
        return

    assert sorted(seen.values()) == sorted([MIMETYPE.content, BREV.content, b"b"])


class _Sparse:
    """A stored file of zeros between two parts of a zip, of any size, that is never in memory."""

    def __init__(self, head: bytes, zeros: int, tail: bytes) -> None:
        self.file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the test
        self.file.write(head)
        self.file.seek(len(head) + zeros)
        self.file.write(tail)


def _crc_of_zeros(size: int) -> int:
    block, crc = bytes(1 << 20), 0
    for _ in range(size >> 20):
        crc = zlib.crc32(block, crc)
    return crc


def test_a_large_document_is_read_in_a_few_megabytes() -> None:
    size = 64 << 20
    numbers = {"packed": size, "size": size, "crc": _crc_of_zeros(size)}
    empty = replace(BREV, content=b"", stored=True, local=numbers, central=numbers)
    raw = zip_bytes([MIMETYPE, empty])
    start = raw.find(b"PK\x01\x02")
    end = raw.rfind(b"PK\x05\x06")
    tail = raw[start : end + 16] + struct.pack("<LH", start + size, 0)

    with _Sparse(raw[:start], size, tail).file as file:
        tracemalloc.start()
        whole = Container(file, Limits())
        read = sum(len(chunk) for chunk in whole.stream("brev.pdf"))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert read == size
    assert peak < 4 << 20
