"""A strict zip reader: every byte is accounted for, and CRCs are checked while streaming."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from inbox.errors import NotFound, PackageRejected
from inbox.package.inputs import Limits
from inbox.package.zip import local_headers
from inbox.package.zip.central_directory import (
    DEFLATED,
    FLAG_DESCRIPTOR,
    STORED,
    CentralEntry,
    is_odd_comment,
    read_at,
    read_directory,
    read_end,
)
from inbox.package.zip.names import METADATA_FOLDER, name_notes

MIMETYPE = "mimetype"
_ASIC_E = b"application/vnd.etsi.asic-e+zip"
ASIC_S = b"application/vnd.etsi.asic-s+zip"
_EMPTY_CONTENT = {STORED: b"", DEFLATED: b"\x03\x00"}
"""What a folder may have for content."""
_GARBLED_BYTES = 16
_GARBLED_THRESHOLD = 8
"""Of 16 random bytes as many as this are wrong, but for one time in 10 to the 16th."""
_PATCHED_BLOCK = bytes.fromhex("504b03040a0000080000d568674c8a21")
"""What an integrasjonspunkt that knows of the defect writes over it (reference §4.7)."""
_CHUNK = 1 << 18
EMPTY_FOLDER = "empty_folder"
"""The note on a folder without files: a name that is shown nowhere."""


@dataclass(frozen=True, kw_only=True)
class ZipEntry:
    """One file in the zip, and where its bytes are."""

    name: str
    size: int
    compressed_size: int
    method: int
    crc: int
    start: int
    open_ended: bool = False
    """Stored, with its size only after it: from the front it ends at the first record."""

    @property
    def is_metadata(self) -> bool:
        """Whether it belongs to the signature rather than to what is signed."""
        return self.name == MIMETYPE or self.name.startswith(METADATA_FOLDER)


def has_complete_end(source: BinaryIO) -> bool:
    """Whether the end of the zip is there and consistent: a cheap test for a cut transfer.

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


class ZipReader:
    """A reader for any zip in a seekable file, which it neither owns nor closes.

    Opening reads the directory and every local header; content is read by `read` and `stream`,
    by seeking, never as a whole. With `only`, it reads the local header of that one entry and has
    no other: for a file that was read whole before and cannot have changed since. Raises
    `PackageRejected` (`container.*`).
    """

    def __init__(self, source: BinaryIO, limits: Limits, *, only: str | None = None) -> None:
        self._source = source
        self._only = only
        size = source.seek(0, 2)
        if size > limits.max_container_bytes:
            raise PackageRejected("container.too_large", f"{size} bytes")
        end = read_end(source, size)
        self.notes: tuple[str, ...] = ()
        """How it departs from the ordinary profile without harm."""
        central = read_directory(source, end, limits)
        if is_odd_comment(end.comment) or any(entry.has_odd_comment for entry in central):
            self.notes += ("comment",)
        placed = tuple(self._locate_entries(central, end.offset))
        self.entries: tuple[ZipEntry, ...] = tuple(e for e in placed if not e.name.endswith("/"))
        """The files, in the order in which they lie in the archive."""
        self.folders: tuple[str, ...] = tuple(e.name for e in placed if e.name.endswith("/"))
        """Folders that are there on their own account: names without content."""
        self.notes += name_notes(entry.name for entry in placed)
        self._by_name = {entry.name: entry for entry in self.entries}

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def entry(self, name: str) -> ZipEntry:
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
        """The bytes in chunks.

        They are verified only when the last chunk has come without an error.
        """
        entry = self.entry(name)
        blocks = self._blocks(entry)
        size = crc = 0
        if entry.open_ended:
            blocks = local_headers.reject_zip_records(blocks)
        for chunk in _inflate(blocks) if entry.method == DEFLATED else blocks:
            size += len(chunk)
            crc = zlib.crc32(chunk, crc)
            if size > entry.size:
                raise PackageRejected("container.size", "more than said")
            yield chunk
        if size != entry.size:
            raise PackageRejected("container.size", "less than said")
        if crc != entry.crc:
            raise PackageRejected("container.crc")

    def check(self) -> None:
        """Read all content to the end, so that every size and CRC has been checked."""
        for entry in self.entries:
            for _ in self.stream(entry.name):
                pass

    def _blocks(self, entry: ZipEntry) -> Iterator[bytes]:
        position, stop = entry.start, entry.start + entry.compressed_size
        while position < stop:
            block = read_at(self._source, position, min(_CHUNK, stop - position))
            if not block:
                raise PackageRejected("container.truncated", "while reading")
            position += len(block)
            yield block

    def _locate_entries(self, central: tuple[CentralEntry, ...], stop: int) -> Iterator[ZipEntry]:
        """Check each local header, and that one entry begins where the one before ended."""
        places = [entry.offset for entry in central] + [stop]
        if places[0]:
            raise PackageRejected("container.gap", "before the first")
        for entry, end in zip(central, places[1:], strict=True):
            if self._only not in {None, entry.name}:
                continue
            start = local_headers.checked_content_start(
                self._source, entry, self._header(entry), end
            )
            if entry.is_folder:
                self._check_folder(entry, start)
            yield ZipEntry(
                name=entry.name,
                size=entry.size,
                compressed_size=entry.compressed_size,
                method=entry.method,
                crc=entry.crc,
                start=start,
                open_ended=entry.method == STORED and bool(entry.flags & FLAG_DESCRIPTOR),
            )

    def _check_folder(self, entry: CentralEntry, start: int) -> None:
        nothing = _EMPTY_CONTENT[entry.method]
        if entry.compressed_size != len(nothing):
            raise PackageRejected("container.special_file", "a folder with content")
        if read_at(self._source, start, len(nothing)) != nothing:
            raise PackageRejected("container.special_file", "a folder with content")

    def _header(self, entry: CentralEntry) -> bytes:
        """The fixed part of the local header."""
        return read_at(self._source, entry.offset, local_headers.HEADER.size)


class Container(ZipReader):
    """An ASiC-E container: a zip with that mimetype, in which everything can be signed."""

    def __init__(self, source: BinaryIO, limits: Limits) -> None:
        super().__init__(source, limits)
        if any(self._is_empty(folder) for folder in self.folders):
            self.notes += (EMPTY_FOLDER,)
        self._check_mimetype()

    def _is_empty(self, folder: str) -> bool:
        return not any(entry.name.startswith(folder) for entry in self.entries)

    def _header(self, entry: CentralEntry) -> bytes:
        """The fixed part of the local header, with a garbled first block put right.

        Some senders' decryption garbles the first 16 bytes of the file (reference §4.7). Only a
        stored `mimetype` is repaired, from the directory, so nothing can hide in it; and only
        what is garbled as that defect does it, not some changed bytes.
        """
        header = super()._header(entry)
        if entry.offset or entry.name != MIMETYPE or entry.method != STORED:
            return header
        kind = (entry.version, entry.flags, entry.method, entry.time, entry.date)
        right = struct.pack("<4s5HL", local_headers.SIGNATURE, *kind, entry.crc)[:_GARBLED_BYTES]
        first = header[:_GARBLED_BYTES]
        wrong = sum(one != other for one, other in zip(first, right, strict=False))
        if wrong < _GARBLED_THRESHOLD and not (wrong and first == _PATCHED_BLOCK):
            return header
        self.notes += ("first_block_garbled",)
        return right + header[_GARBLED_BYTES:]

    def _check_mimetype(self) -> None:
        if MIMETYPE not in self:
            raise PackageRejected("container.mimetype_missing")
        entry = self.entry(MIMETYPE)
        said = self.read(MIMETYPE, len(_ASIC_E)) if entry.size <= len(_ASIC_E) else b""
        if said == ASIC_S:
            raise PackageRejected("container.asic_s")
        if said != _ASIC_E or entry.method != STORED:
            raise PackageRejected("container.mimetype_wrong")
        if self.entries[0] != entry:
            self.notes += ("mimetype_not_first",)


def _inflate(blocks: Iterator[bytes]) -> Iterator[bytes]:
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
