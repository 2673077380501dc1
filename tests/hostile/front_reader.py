"""A small reader of its own kind: from the front, by what stands there, without the directory."""

import struct
import zlib

_LOCAL = struct.Struct("<4s5H3L2H")
_DESCRIPTOR = b"PK\x07\x08"


def read_from_the_front(raw: bytes) -> list[tuple[bytes, bytes]]:
    """Name and content of each entry until something else comes."""
    found, position = [], 0
    while raw[position : position + 4] == b"PK\x03\x04":
        fields = _LOCAL.unpack_from(raw, position)
        flags, method, packed = fields[2], fields[3], fields[7]
        start = position + _LOCAL.size
        name = raw[start : start + fields[9]]
        start += fields[9] + fields[10]
        if packed == 0xFFFF_FFFF:
            extra = raw[start - fields[10] : start]
            place = extra.index(b"\x01\x00\x10\x00") + 4
            packed = struct.unpack_from("<Q", extra, place + 8)[0]
        content, position = _content(raw, start, method, None if flags & 8 else packed)
        found.append((name, content))
        if flags & 8:
            position = _after_descriptor(raw, position)
    return found


def _content(raw: bytes, start: int, method: int, packed: int | None) -> tuple[bytes, int]:
    """The content and where it ends: by its size, by itself, or by the descriptor's signature."""
    if method == 8:
        inflater = zlib.decompressobj(-15)
        content = inflater.decompress(raw[start:])
        return content, len(raw) - len(inflater.unused_data)
    end = raw.index(_DESCRIPTOR, start) if packed is None else start + packed
    return raw[start:end], end


def _after_descriptor(raw: bytes, position: int) -> int:
    """Its width is that after which a record of the zip comes."""
    position += 4 if raw[position : position + 4] == _DESCRIPTOR else 0
    for width in (12, 20):
        if raw[position + width :][:4] in {b"PK\x03\x04", b"PK\x01\x02"}:
            return position + width
    raise AssertionError
