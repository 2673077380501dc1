"""Writes ZIP archives as Java's writer does: sizes after the data, UTF-8 names, no extras."""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

STORED, DEFLATED = 0, 8
UTF8_NAMES, SIZES_FOLLOW = 0x800, 0x008
SMALL, WITH_DEFLATE = 10, 20


@dataclass(frozen=True, kw_only=True)
class _Entry:
    name: bytes
    comment: bytes
    flags: int
    method: int
    version: int
    crc: int
    packed: int
    size: int
    offset: int


class ZipWriter:
    """Entries go out in the order they are given; needs no seeking and holds one chunk at a time.

    Call `finish` last. No ZIP64: the whole archive must stay under 4 GiB.
    """

    def __init__(self, out: BinaryIO, at: datetime) -> None:
        self._out = out
        self._stamp = _dos_time(at)
        self._written = 0
        self._entries: list[_Entry] = []

    def store(self, name: str, content: bytes, *, comment: str = "") -> None:
        """One entry as it is, its sizes before the data."""
        entry = _Entry(
            name=name.encode(),
            comment=comment.encode(),
            flags=UTF8_NAMES,
            method=STORED,
            version=SMALL,
            crc=zlib.crc32(content),
            packed=len(content),
            size=len(content),
            offset=self._written,
        )
        self._put(self._local(entry) + entry.name + content)
        self._entries.append(entry)

    def deflate(self, name: str, chunks: Iterable[bytes]) -> None:
        """One compressed entry, its sizes in a descriptor after the data."""
        offset, crc, size, packed = self._written, 0, 0, 0
        head = _Entry(
            name=name.encode(),
            comment=b"",
            flags=UTF8_NAMES | SIZES_FOLLOW,
            method=DEFLATED,
            version=WITH_DEFLATE,
            crc=0,
            packed=0,
            size=0,
            offset=offset,
        )
        self._put(self._local(head) + head.name)
        start = self._written
        packer = zlib.compressobj(1, zlib.DEFLATED, -15)
        for chunk in chunks:
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
            self._put(packer.compress(chunk))
        self._put(packer.flush())
        packed = self._written - start
        self._put(struct.pack("<4s3I", b"PK\x07\x08", crc, packed, size))
        self._entries.append(_Entry(**{**vars(head), "crc": crc, "packed": packed, "size": size}))

    def finish(self, comment: str = "") -> None:
        """The central directory, with a comment on the archive."""
        start = self._written
        for entry in self._entries:
            self._put(self._central(entry) + entry.name + entry.comment)
        count, note = len(self._entries), comment.encode()
        length = self._written - start
        self._put(
            struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, length, start, len(note))
            + note
        )

    def _put(self, data: bytes) -> None:
        self._out.write(data)
        self._written += len(data)

    def _common(self, entry: _Entry) -> bytes:
        return struct.pack(
            "<3HI3I2H",
            entry.version,
            entry.flags,
            entry.method,
            self._stamp,
            entry.crc,
            entry.packed,
            entry.size,
            len(entry.name),
            0,
        )

    def _local(self, entry: _Entry) -> bytes:
        return b"PK\x03\x04" + self._common(entry)

    def _central(self, entry: _Entry) -> bytes:
        tail = struct.pack("<3H2I", len(entry.comment), 0, 0, 0, entry.offset)
        return b"PK\x01\x02" + struct.pack("<H", entry.version) + self._common(entry) + tail


def _dos_time(at: datetime) -> int:
    """Local time in steps of two seconds, date in the upper half."""
    date = (at.year - 1980) << 9 | at.month << 5 | at.day
    return date << 16 | at.hour << 11 | at.minute << 5 | at.second // 2
