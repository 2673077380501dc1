"""Reading what is in a container: sizes and sums while streaming, in little memory."""

import struct
import tempfile
import tracemalloc
import zlib
from dataclasses import replace
from io import BytesIO
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.errors import NotFound, PackageRejected
from inbox.package.inputs import Limits
from inbox.package.zip.reader import Container
from tests.package.attempts import code, container
from tests.package.zip.zip_writer import Part, zip_bytes
from tests.package_builder import MIMETYPE, refusal

BREV = Part(name="brev.pdf", content=b"%PDF " * 100)


@pytest.mark.parametrize(
    "body",
    [
        BREV.body + b"more",
        BREV.body[:-1],
        zlib.compress(BREV.content),
        b"",
    ],
)
def test_deflated_entry_must_be_one_complete_raw_deflate_stream(body: bytes) -> None:
    assert code(replace(BREV, packed=body)) == "container.deflate"


@pytest.mark.parametrize("size", [499, 501])
def test_zip_entry_that_unpacks_to_another_size_is_refused(size: int) -> None:
    numbers = {"size": size}

    assert code(replace(BREV, local=numbers, central=numbers)) == "container.size"


def test_zip_entry_larger_than_the_read_limit_is_refused() -> None:
    whole = container(BREV)

    assert refusal(lambda: whole.read("brev.pdf", 499)) == "container.inflated_too_large"


def test_stream_yields_no_bytes_beyond_the_declared_size() -> None:
    numbers = {"size": 10}
    whole = container(replace(BREV, content=bytes(4 << 20), local=numbers, central=numbers, crc=0))
    given: list[bytes] = []

    assert refusal(lambda: given.extend(whole.stream("brev.pdf"))) == "container.size"
    assert given == []


def test_zip_file_truncated_while_being_read_is_refused() -> None:
    raw = BytesIO(zip_bytes([MIMETYPE, BREV]))
    whole = Container(raw, Limits())
    raw.truncate(80)

    assert refusal(lambda: whole.read("brev.pdf", 1000)) == "container.truncated"


def test_unknown_entry_name_in_a_container_raises_not_found() -> None:
    with pytest.raises(NotFound):
        container(BREV).entry("annet.pdf")


@pytest.mark.parametrize("filler", [b"\xff", b"\x00", b"hvit "])
def test_well_packed_file_of_many_mebibytes_is_read_within_the_size_limits(filler: bytes) -> None:
    blank = replace(BREV, content=filler * (25_000_000 // len(filler)))
    whole = container(blank)

    assert whole.entries[1].compressed_size * 200 < whole.entries[1].size
    assert sum(map(len, whole.stream("brev.pdf"))) == len(blank.content)
    assert code(blank, limits=Limits(max_inflated_bytes=20_000_000)) == (
        "container.inflated_too_large"
    )


@settings(max_examples=200, deadline=None)
@given(position=st.integers(min_value=0), value=st.integers(min_value=1, max_value=255))
def test_changed_byte_in_a_container_is_refused_or_changes_no_content(
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


def test_large_document_is_streamed_in_under_four_mebibytes_of_memory() -> None:
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
