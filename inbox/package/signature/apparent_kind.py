"""What kind of container one seems to be that the strict reader refuses: only to say the reason.

The strict reader stops at the first thing that is odd, and a container of another kind has many.
Here the directory is read once more, loosely. Nothing is accepted for what is found: it decides
which of several reasons is reported.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

from inbox.package.inputs import Limits
from inbox.package.signature.asic_manifest import is_xades_signature
from inbox.package.zip.central_directory import read_at
from inbox.package.zip.reader import ASIC_S, MIMETYPE

_END: Final = struct.Struct("<4s4H2LH")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_ENTRY_SIGNATURE: Final = b"PK\x01\x02"
_ENCRYPTED: Final = 0x0041
_LOCAL_HEADER_BYTES: Final = 30
_REACH: Final = _END.size + 0xFFFF
_MAX_DIRECTORY_BYTES: Final = 1 << 20


def apparent_codes(source: BinaryIO, limits: Limits) -> frozenset[str]:
    """The codes for another kind of container, as far as its directory can be found."""
    size = source.seek(0, 2)
    tail = read_at(source, max(0, size - _REACH), _REACH)
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < _END.size or size > limits.max_container_bytes:
        return frozenset()
    *_, length, offset, _ = _END.unpack_from(tail, found)
    begin = size - len(tail) + found - length
    if begin < 0 or length > _MAX_DIRECTORY_BYTES:
        return frozenset()
    codes = set()
    for name, flags, place in _entries(read_at(source, begin, length)):
        if flags & _ENCRYPTED:
            codes.add("container.encrypted")
        if is_xades_signature(name):
            codes.add("signature.xades")
        if name == MIMETYPE and _content(source, begin - offset + place) == ASIC_S:
            codes.add("container.asic_s")
    return frozenset(codes)


def _entries(directory: bytes) -> Iterator[tuple[str, int, int]]:
    """Name, flags and place of each entry, up to the first that is invalid."""
    position = 0
    while directory.startswith(_ENTRY_SIGNATURE, position):
        if len(directory) - position < _ENTRY.size:
            return
        fixed = _ENTRY.unpack_from(directory, position)
        name_size, extra_size, comment_size = fixed[10:13]
        start = position + _ENTRY.size
        name = directory[start : start + name_size].decode("utf-8", errors="replace")
        yield name, fixed[3], fixed[16]
        position = start + name_size + extra_size + comment_size


def _content(source: BinaryIO, place: int) -> bytes:
    """The first bytes behind a local header, as they lie there."""
    if place < 0:
        return b""
    header = read_at(source, place, _LOCAL_HEADER_BYTES)
    if len(header) < _LOCAL_HEADER_BYTES:
        return b""
    names, extras = struct.unpack_from("<2H", header, _LOCAL_HEADER_BYTES - 4)
    return read_at(source, place + _LOCAL_HEADER_BYTES + names + extras, len(ASIC_S))
