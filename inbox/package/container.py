"""The strict zip reader in front of zlib: every byte accounted for, CRCs while streaming."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from inbox.errors import NotFound, PackageRejected
from inbox.package.directory import (
    DEFLATED,
    FLAG_DESCRIPTOR,
    STORED,
    Central,
    read_at,
    read_directory,
    read_end,
    wide_numbers,
)
from inbox.package.names import METADATA_FOLDER
from inbox.package.terms import Limits

MIMETYPE = "mimetype"
_ASIC_E = b"application/vnd.etsi.asic-e+zip"
_ASIC_S = b"application/vnd.etsi.asic-s+zip"
_LOCAL = struct.Struct("<4s5H3L2H")
_GARBLED_BYTES = 16
_SENTINEL32 = 0xFFFF_FFFF
_CHUNK = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file in the container and where its bytes are."""

    name: str
    size: int
    compressed_size: int
    method: int
    crc: int
    start: int

    @property
    def is_metadata(self) -> bool:
        """Whether it belongs to the signature rather than to what is signed."""
        return self.name == MIMETYPE or self.name.startswith(METADATA_FOLDER)


def looks_whole(source: BinaryIO) -> bool:
    """Whether the end of the zip is there and fits: cheap, for telling a cut transfer from a whole.

    It says nothing about what is inside. False is no proof of a cut: if the same bytes come
    again, that is what the sender made.
    """
    size = source.seek(0, 2)
    try:
        end = read_end(source, size)
    except PackageRejected:
        return False
    starts_so = read_at(source, end.offset, 4) == b"PK\x01\x02"
    return end.offset + end.size == end.stop and (starts_so or end.entries == 0)


class Container:
    """An ASiC-E container over a seekable file, which it neither owns nor closes.

    Opening reads the directory and every local header; content is read by `read` and `stream`,
    by seeking, never as a whole. Raises `PackageRejected` (`container.*`).
    """

    def __init__(self, source: BinaryIO, limits: Limits) -> None:
        self._source = source
        size = source.seek(0, 2)
        if size > limits.max_container_bytes:
            raise PackageRejected("container.too_large", f"{size} bytes")
        end = read_end(source, size)
        central = read_directory(source, end, limits)
        self.notes: tuple[str, ...] = ()
        """How the container departs from the ordinary profile without harm."""
        self.entries: tuple[Entry, ...] = tuple(self._placed(central, end.offset))
        """In the order in which they lie in the file."""
        self._by_name = {entry.name: entry for entry in self.entries}
        self._check_mimetype()

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def entry(self, name: str) -> Entry:
        """The entry of that exact name; raises `NotFound`."""
        try:
            return self._by_name[name]
        except KeyError:
            raise NotFound from None  # A KeyError's text is the name of a file.

    def read(self, name: str, max_bytes: int) -> bytes:
        """All bytes of a small entry; a larger one is `container.inflated_too_large`."""
        if self.entry(name).size > max_bytes:
            raise PackageRejected("container.inflated_too_large", "entry")
        return b"".join(self.stream(name))

    def stream(self, name: str) -> Iterator[bytes]:
        """The bytes in chunks; they are right only when the last has come without an error."""
        entry = self.entry(name)
        blocks = self._blocks(entry)
        size = crc = 0
        for chunk in _inflated(blocks) if entry.method == DEFLATED else blocks:
            size += len(chunk)
            crc = zlib.crc32(chunk, crc)
            if size > entry.size:
                raise PackageRejected("container.size", "more than said")
            yield chunk
        if size != entry.size:
            raise PackageRejected("container.size", "less than said")
        if crc != entry.crc:
            raise PackageRejected("container.crc")

    def _blocks(self, entry: Entry) -> Iterator[bytes]:
        position, stop = entry.start, entry.start + entry.compressed_size
        while position < stop:
            block = read_at(self._source, position, min(_CHUNK, stop - position))
            if not block:
                raise PackageRejected("container.truncated", "while reading")
            position += len(block)
            yield block

    def _placed(self, central: tuple[Central, ...], stop: int) -> Iterator[Entry]:
        """Check each local header, and that one entry begins where the one before ended."""
        stops = [entry.offset for entry in central[1:]] + [stop]
        position = 0
        for entry, end in zip(central, stops, strict=True):
            if entry.offset != position:
                raise PackageRejected("container.gap", "before an entry")
            start = self._start(entry)
            self._check_after(entry, start + entry.compressed_size, end)
            position = end
            yield Entry(
                name=entry.name,
                size=entry.size,
                compressed_size=entry.compressed_size,
                method=entry.method,
                crc=entry.crc,
                start=start,
            )

    def _start(self, entry: Central) -> int:
        """Where the content begins, once the local header says what the directory says."""
        header = self._header(entry)
        if len(header) < _LOCAL.size:
            raise PackageRejected("container.local_header", "cut")
        signature, _, flags, method, _, _, crc, packed, size, names, extras = _LOCAL.unpack(header)
        if signature != b"PK\x03\x04" or (flags, method) != (entry.flags, entry.method):
            raise PackageRejected("container.local_header", "kind, flags or method")
        after = entry.offset + _LOCAL.size
        named = read_at(self._source, after, names + extras)
        if named[:names] != entry.raw_name or len(named) != names + extras:
            raise PackageRejected("container.local_header", "name")
        sizes = _local_sizes(size, packed, wide_numbers(named[names:]))
        told = (crc, *sizes)
        wanted = (entry.crc, entry.size, entry.compressed_size)
        later = bool(entry.flags & FLAG_DESCRIPTOR) and told == (0, 0, 0)
        if told != wanted and not later:
            raise PackageRejected("container.local_header", "sizes or CRC")
        return int(after + names + extras)

    def _header(self, entry: Central) -> bytes:
        """The fixed part of the local header, with a garbled first block put right.

        Some senders' decryption garbles the first 16 bytes of the file (reference §4.7). Only a
        stored `mimetype` is repaired, from the directory, so nothing can hide in it.
        """
        header = read_at(self._source, entry.offset, _LOCAL.size)
        first = entry.offset == 0 and entry.name == MIMETYPE and entry.method == STORED
        if header.startswith(b"PK\x03\x04") or not first:
            return header
        self.notes += ("first_block_garbled",)
        kind = (entry.version, entry.flags, entry.method, entry.dos_time, entry.dos_date)
        repaired = struct.pack("<4s5HL", b"PK\x03\x04", *kind, entry.crc)
        return repaired[:_GARBLED_BYTES] + header[_GARBLED_BYTES:]

    def _check_after(self, entry: Central, position: int, stop: int) -> None:
        """What lies between the content and the next entry: nothing, or its data descriptor."""
        if not entry.flags & FLAG_DESCRIPTOR:
            if position != stop:
                raise PackageRejected("container.gap", "after an entry")
            return
        allowed = {
            signature + struct.pack(numbers, entry.crc, entry.compressed_size, entry.size)
            for signature in (b"", b"PK\x07\x08")
            for numbers in ("<3L", "<LQQ")
            if numbers == "<LQQ" or max(entry.compressed_size, entry.size) < _SENTINEL32
        }
        length = stop - position
        if length not in {len(descriptor) for descriptor in allowed}:
            raise PackageRejected("container.gap", "after an entry")
        if read_at(self._source, position, length) not in allowed:
            raise PackageRejected("container.descriptor")

    def _check_mimetype(self) -> None:
        if MIMETYPE not in self:
            raise PackageRejected("container.mimetype_missing")
        entry = self.entry(MIMETYPE)
        said = self.read(MIMETYPE, len(_ASIC_E)) if entry.size <= len(_ASIC_E) else b""
        if said == _ASIC_S:
            raise PackageRejected("container.asic_s")
        if said != _ASIC_E or entry.method != STORED:
            raise PackageRejected("container.mimetype_wrong")
        if self.entries[0] != entry:
            self.notes += ("mimetype_not_first",)


def _local_sizes(size: int, packed: int, wide: tuple[int, ...] | None) -> tuple[int, int]:
    """Uncompressed and compressed size by the local header: both in ZIP64 form, or neither."""
    if (size, packed) == (_SENTINEL32, _SENTINEL32) and wide is not None and len(wide) == 2:  # noqa: PLR2004 - two sizes
        return (wide[0], wide[1])
    if wide is not None or _SENTINEL32 in {size, packed}:
        raise PackageRejected("container.zip64", "of a local header")
    return (size, packed)


def _inflated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Deflated blocks unpacked in bounded chunks; the stream must end exactly with the blocks."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for block in blocks:
            left = block
            while left and not inflater.eof:
                yield inflater.decompress(left, _CHUNK)
                left = inflater.unconsumed_tail
            if inflater.unused_data or left:
                raise PackageRejected("container.deflate", "more after its end")
        while not inflater.eof and (chunk := inflater.decompress(b"", _CHUNK)):
            yield chunk
    except zlib.error as error:
        raise PackageRejected("container.deflate") from error
    if not inflater.eof:
        raise PackageRejected("container.deflate", "no end")
