"""Reads a zip's central directory so strictly that every byte has one meaning (APPNOTE 6.3)."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from inbox.errors import PackageRejected
from inbox.package.inputs import Limits
from inbox.package.zip.extra_fields import (
    UNICODE_COMMENT,
    UNICODE_PATH,
    ZIP64,
    has_matching_copy,
    read_extra,
    with_zip64_numbers,
)
from inbox.package.zip.names import check_distinct, read_name

STORED = 0
DEFLATED = 8
FLAG_DESCRIPTOR = 0x0008
ZIP64_VERSION = 45
"""4.5, of which wide sizes are; no method that we read needs a later one."""
_FLAG_ENCRYPTED = 0x0041
_KNOWN_FLAGS = 0x080E  # UTF-8 names, data descriptor, how hard the deflater tried
_SENTINEL16 = 0xFFFF
_SENTINEL32 = 0xFFFF_FFFF

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END_SIGNATURE = b"PK\x05\x06"
_MAX_COMMENT = 0xFFFF
_MAX_ENTRY = 3072
_KNOWN_COMMENT = re.compile(
    rb"|(?:mimetype=)?application/vnd\.etsi\.asic-[es]\+zip"
    rb"|LIB[ _](?i:DigiDoc4j|DigiDocPP|JDigiDoc)[/ ][\x20-\x7e]{0,600}"
)
_RECORD_MARK = re.compile(rb"PK[\x01-\x08]")
_FLAG_UTF8 = 0x0800
_UTF8_MAKERS = frozenset({3, 19})
"""Unix and macOS, where Info-ZIP and the Finder write UTF-8 without saying so."""
_REGULAR_FILE = 0x8000
_FOLDER = 0x4000
_DOS_FOLDER = 0x10
_DOS_LABEL = 0x08


@dataclass(frozen=True, kw_only=True)
class CentralEntry:
    """One entry as described by the central directory."""

    raw_name: bytes
    name: str
    version: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    compressed_size: int
    size: int
    offset: int
    has_odd_comment: bool = False

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, which has no bytes of its own."""
        return self.name.endswith("/")


@dataclass(frozen=True, kw_only=True)
class EndRecord:
    """Where the central directory is, from the record at the end of the file."""

    entries: int
    offset: int
    size: int
    stop: int
    """The position after the directory: where the end records begin."""
    comment: bytes


def read_at(source: BinaryIO, position: int, size: int) -> bytes:
    """Read this many bytes at the position, or fewer only at the end of the file."""
    source.seek(position)
    blocks = []
    while size > 0 and (block := source.read(size)):
        blocks.append(block)
        size -= len(block)
    return b"".join(blocks)


def read_end(source: BinaryIO, size: int) -> EndRecord:
    """Read the end-of-central-directory record, which must be the last thing in the file."""
    reach = min(size, _END.size + _MAX_COMMENT)
    tail = read_at(source, size - reach, reach)
    found = tail.rfind(_END_SIGNATURE)
    if found < 0 or len(tail) - found < _END.size:
        starts_so = read_at(source, 0, 4) == b"PK\x03\x04"
        raise PackageRejected("container.truncated" if starts_so else "container.not_zip")
    _, disk, first_disk, here, entries, length, offset, comment = _END.unpack_from(tail, found)
    after = len(tail) - found - _END.size
    if after != comment:
        code = "container.truncated" if after < comment else "container.trailing_bytes"
        raise PackageRejected(code, f"{after} bytes after the end")
    if disk or first_disk or here != entries:
        raise PackageRejected("container.directory", "several disks")
    _check_only_end(tail, found)
    position = size - len(tail) + found
    end = EndRecord(
        entries=entries,
        offset=offset,
        size=length,
        stop=position,
        comment=tail[found + _END.size :],
    )
    return _with_zip64_numbers(source, end)


def _check_only_end(tail: bytes, found: int) -> None:
    """Refuse an earlier record whose comment reaches to the end too: readers choose differently."""
    for earlier in re.finditer(_END_SIGNATURE, tail[:found]):
        comment = int.from_bytes(tail[earlier.start() + 20 :][:2], "little")
        if earlier.start() + _END.size + comment == len(tail):
            raise PackageRejected("container.directory", "two ends")


def _with_zip64_numbers(source: BinaryIO, end: EndRecord) -> EndRecord:
    """The same with the numbers of the ZIP64 records, if there are such; they must agree."""
    before = end.stop - _LOCATOR64.size
    located = read_at(source, before, _LOCATOR64.size) if before >= 0 else b""
    if not located.startswith(b"PK\x06\x07"):
        if _SENTINEL32 in {end.offset, end.size} or end.entries == _SENTINEL16:
            raise PackageRejected("container.zip64", "no record")
        return end
    _, disk, position, disks = _LOCATOR64.unpack(located)
    if disk or disks != 1 or position != before - _END64.size:
        raise PackageRejected("container.zip64", "locator")
    record = _END64.unpack(read_at(source, position, _END64.size))
    length, here, entries, size, offset = record[1], *record[6:]
    narrow = (end.entries, end.size, end.offset)
    sentinels = (_SENTINEL16, _SENTINEL32, _SENTINEL32)
    agrees = all(
        small in {wide, sentinel}
        for small, wide, sentinel in zip(narrow, (entries, size, offset), sentinels, strict=True)
    )
    if record[0] != b"PK\x06\x06" or length != _END64.size - 12 or any(record[4:6]):
        raise PackageRejected("container.zip64", "record")
    if not agrees or here != entries:
        raise PackageRejected("container.zip64", "numbers differ")
    return replace(end, entries=entries, size=size, offset=offset, stop=position)


def read_directory(source: BinaryIO, end: EndRecord, limits: Limits) -> tuple[CentralEntry, ...]:
    """All entries in the order of their position in the file.

    Each must be allowed, and all names distinct.
    """
    if end.entries > limits.max_entries:
        raise PackageRejected("container.too_many_entries", str(end.entries))
    if end.offset + end.size != end.stop:
        raise PackageRejected("container.gap", "the directory does not end where it must")
    _check_comment(end.comment)
    if end.size > end.entries * _MAX_ENTRY:
        raise PackageRejected("container.directory", "too large for its entries")
    raw = read_at(source, end.offset, end.size)
    entries = tuple(sorted(_entries(raw, end.entries), key=lambda entry: entry.offset))
    check_distinct(entry.name for entry in entries)
    _check_sizes(entries, limits)
    return entries


def _entries(raw: bytes, count: int) -> Iterator[CentralEntry]:
    position = 0
    for _ in range(count):
        if len(raw) - position < _CENTRAL.size or raw[position : position + 4] != b"PK\x01\x02":
            raise PackageRejected("container.directory", "fewer entries than said")
        fixed = _CENTRAL.unpack_from(raw, position)
        name_size, extra_size, comment_size = fixed[10:13]
        start = position + _CENTRAL.size
        position = start + name_size + extra_size + comment_size
        if position > len(raw):
            raise PackageRejected("container.directory", "an entry is cut")
        name, extra = start + name_size, start + name_size + extra_size
        yield _entry(fixed, raw[start:name], raw[name:extra], raw[extra:position])
    if position != len(raw):
        raise PackageRejected("container.directory", "more than the entries")


def _entry(fixed: tuple[int, ...], raw_name: bytes, extra: bytes, comment: bytes) -> CentralEntry:
    made_by, version, flags, method, time, date, crc, packed, size = fixed[1:10]
    disk, _, attributes, offset = fixed[13:]
    _check_supported(version, flags, method)
    _check_comment(comment)
    fields = read_extra(extra)
    has_matching_copy(fields.get(UNICODE_COMMENT), comment)
    said_again = has_matching_copy(fields.get(UNICODE_PATH), raw_name)
    numbers = with_zip64_numbers((size, packed, offset, disk), fields.get(ZIP64))
    if numbers[3]:
        raise PackageRejected("container.directory", "several disks")
    utf8 = bool(flags & _FLAG_UTF8) or said_again or made_by >> 8 in _UTF8_MAKERS
    entry = CentralEntry(
        raw_name=raw_name,
        name=read_name(raw_name, utf8=utf8),
        version=version,
        flags=flags,
        method=method,
        time=time,
        date=date,
        crc=crc,
        size=numbers[0],
        compressed_size=numbers[1],
        offset=numbers[2],
        has_odd_comment=is_odd_comment(comment),
    )
    _check_kind(entry, attributes)
    return entry


def is_odd_comment(comment: bytes) -> bool:
    """Whether no writer of containers is known to leave it: read all the same, and noted."""
    return _KNOWN_COMMENT.fullmatch(comment) is None


def _check_comment(comment: bytes) -> None:
    """Refuse a comment in which some reader could find a record of the zip."""
    if _RECORD_MARK.search(comment):
        raise PackageRejected("container.comment")


def _check_kind(entry: CentralEntry, attributes: int) -> None:
    """An ordinary file, or a folder that is nothing but a name; both say so in all places."""
    unix = (attributes >> 16) & 0xF000
    if entry.is_folder:
        fits = unix in {0, _FOLDER} and not (entry.size or entry.crc)
    else:
        fits = unix in {0, _REGULAR_FILE} and not attributes & _DOS_FOLDER
    if not fits or attributes & _DOS_LABEL:
        raise PackageRejected("container.special_file")


def _check_supported(version: int, flags: int, method: int) -> None:
    """Refuse what we do not read."""
    if flags & _FLAG_ENCRYPTED:
        raise PackageRejected("container.encrypted")
    if flags & ~_KNOWN_FLAGS:
        raise PackageRejected("container.flags", hex(flags))
    if method not in {STORED, DEFLATED} or version > ZIP64_VERSION:
        raise PackageRejected("container.method", str(method))


def _check_sizes(entries: tuple[CentralEntry, ...], limits: Limits) -> None:
    if sum(entry.size for entry in entries) > limits.max_inflated_bytes:
        raise PackageRejected("container.inflated_too_large")
    for entry in entries:
        if entry.method == STORED and entry.size != entry.compressed_size:
            raise PackageRejected("container.size", "stored in another size")
