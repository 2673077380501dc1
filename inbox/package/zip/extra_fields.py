"""Reads the extra fields of a zip entry: 64-bit sizes, repeated names, harmless others."""

import struct
import zlib
from collections.abc import Mapping

from inbox.errors import PackageRejected

ZIP64 = 0x0001
UNICODE_PATH = 0x7075
UNICODE_COMMENT = 0x6375
_FIELD = struct.Struct("<2H")
_SIZES = struct.Struct("<2Q")
_SENTINEL32 = 0xFFFF_FFFF
_SENTINELS = (_SENTINEL32, _SENTINEL32, _SENTINEL32, 0xFFFF)
_WIDE = "QQQL"
"""How size, compressed size, offset and disk stand in a ZIP64 field, where they do."""
_MAX_BYTES = {
    ZIP64: 28,
    UNICODE_PATH: 1029,
    UNICODE_COMMENT: 645,
    0x000A: 32,  # times, Windows
    0x5455: 13,  # times, Unix
    0x5855: 12,  # times and owner, Info-ZIP before 2.2
    0x7855: 4,  # owner, older
    0x7875: 24,  # owner
    0xCAFE: 0,  # Java's mark of a JAR
}
"""The fields that genuine writers leave, and how long each can be: nowhere to hide much."""


def read_extra(raw: bytes) -> Mapping[int, bytes]:
    """The fields by kind; unknown fields and fields that occur twice are refused."""
    fields: dict[int, bytes] = {}
    position = 0
    while position < len(raw):
        if len(raw) - position < _FIELD.size:
            raise PackageRejected("container.extra_field", "cut")
        kind, size = _FIELD.unpack_from(raw, position)
        position += _FIELD.size + size
        if size > _MAX_BYTES.get(kind, -1) or position > len(raw) or kind in fields:
            raise PackageRejected("container.extra_field", hex(kind))
        fields[kind] = raw[position - size : position]
    return fields


def has_matching_copy(field: bytes | None, text: bytes) -> bool:
    """Whether the field repeats the name or comment in UTF-8.

    A copy with other bytes is refused.
    """
    if field is None:
        return False
    if field != b"\x01" + struct.pack("<L", zlib.crc32(text)) + text:
        raise PackageRejected("container.extra_field", "another name")
    return True


def with_zip64_numbers(narrow: tuple[int, ...], field: bytes | None) -> tuple[int, ...]:
    """Size, compressed size, offset and disk, in 64 bits exactly where the others are sentinels."""
    wanted = [
        index
        for index, (number, sentinel) in enumerate(zip(narrow, _SENTINELS, strict=True))
        if number == sentinel
    ]
    layout = struct.Struct("<" + "".join(_WIDE[index] for index in wanted))
    if (field is not None) is not bool(wanted) or layout.size != len(field or b""):
        raise PackageRejected("container.zip64", "of an entry")
    numbers = list(narrow)
    for index, number in zip(wanted, layout.unpack(field or b""), strict=True):
        numbers[index] = number
    return tuple(numbers)


def local_sizes(narrow: tuple[int, int], field: bytes | None) -> tuple[int, int]:
    """Size and compressed size: both 64-bit or neither.

    commons-compress leaves room for wide sizes when it does not know them yet, and writes both
    forms when they turn out small: that says one thing twice.
    """
    if field is None:
        if _SENTINEL32 in narrow:
            raise PackageRejected("container.zip64", "of a local header")
        return narrow
    if len(field) == _SIZES.size:
        size, packed = _SIZES.unpack(field)
        if narrow in {(_SENTINEL32, _SENTINEL32), (size, packed)}:
            return (size, packed)
    raise PackageRejected("container.zip64", "of a local header")
