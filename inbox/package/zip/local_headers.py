"""Checks what stands around a file's content against the central directory (APPNOTE 6.3)."""

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from inbox.errors import PackageRejected
from inbox.package.zip.central_directory import (
    FLAG_DESCRIPTOR,
    STORED,
    ZIP64_VERSION,
    CentralEntry,
    read_at,
)
from inbox.package.zip.extra_fields import (
    UNICODE_PATH,
    ZIP64,
    has_matching_copy,
    local_sizes,
    read_extra,
)

HEADER = struct.Struct("<4s5H3L2H")
SIGNATURE = b"PK\x03\x04"
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
_RECORD = re.compile(rb"PK(?:\x01\x02|\x03\x04|\x05[\x05\x06]|\x06[\x06-\x08]|\x07\x08)")
_SENTINEL32 = 0xFFFF_FFFF


def checked_content_start(source: BinaryIO, entry: CentralEntry, header: bytes, stop: int) -> int:
    """Check the bytes before and after the content; returns where it begins.

    The next begins at `stop`.

    `header` is the fixed part of the local header, as read or as put right.
    """
    if len(header) < HEADER.size:
        raise PackageRejected("container.local_header", "cut")
    signature, version, *kind, crc, packed, size, names, extras = HEADER.unpack(header)
    if signature != SIGNATURE or kind != [entry.flags, entry.method, entry.time, entry.date]:
        raise PackageRejected("container.local_header", "kind, flags, method or time")
    if version != entry.version and max(version, entry.version) != ZIP64_VERSION:
        raise PackageRejected("container.local_header", "version")
    after = entry.offset + HEADER.size
    named = read_at(source, after, names + extras)
    if named[:names] != entry.raw_name or len(named) != names + extras:
        raise PackageRejected("container.local_header", "name")
    fields = read_extra(named[names:])
    has_matching_copy(fields.get(UNICODE_PATH), entry.raw_name)
    _check_sizes_and_crc(entry, (crc, *local_sizes((size, packed), fields.get(ZIP64))))
    start = after + names + extras
    _check_descriptor(source, entry, start + entry.compressed_size, stop, wide=ZIP64 in fields)
    return int(start)


def _check_sizes_and_crc(entry: CentralEntry, told: tuple[int, ...]) -> None:
    """CRC and sizes before the content; where they come after it, each may be left out here."""
    wanted = (entry.crc, entry.size, entry.compressed_size)
    later = bool(entry.flags & FLAG_DESCRIPTOR)
    for number, right in zip(told, wanted, strict=True):
        if number != right and not (later and number == 0):
            raise PackageRejected("container.local_header", "sizes or CRC")


def _check_descriptor(
    source: BinaryIO, entry: CentralEntry, position: int, stop: int, *, wide: bool
) -> None:
    """What lies between the content and the next entry: nothing, or its data descriptor.

    Wide where the header has wide sizes or says version 4.5. A stored file's must have a signature.
    """
    length = stop - position
    if not entry.flags & FLAG_DESCRIPTOR:
        if length:
            raise PackageRejected("container.gap", "after an entry")
        return
    large = max(entry.size, entry.compressed_size) >= _SENTINEL32
    forms = ["<3L"] if not wide and not large else []
    forms += ["<LQQ"] if wide or large or entry.version >= ZIP64_VERSION else []
    told = [struct.pack(f, entry.crc, entry.compressed_size, entry.size) for f in forms]
    allowed = {_DESCRIPTOR_SIGNATURE + numbers for numbers in told}
    if entry.method != STORED:
        allowed |= {numbers for numbers in told if not numbers.startswith(_DESCRIPTOR_SIGNATURE)}
    if length not in {len(each) for each in allowed}:
        raise PackageRejected("container.gap", "after an entry")
    if read_at(source, position, length) not in allowed:
        raise PackageRejected("container.descriptor")


def reject_zip_records(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Pass the blocks on, and refuse content that contains something like a zip record.

    Where a stored file's size comes after it, a reader from the front ends it there.
    """
    last = b""
    for block in blocks:
        if _RECORD.search(last + block):
            raise PackageRejected("container.flags", "a record in content without an end")
        last = (last + block)[-3:]
        yield block
