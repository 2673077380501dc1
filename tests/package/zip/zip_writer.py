"""Writes zips in which every field can lie, in the directory and before the file separately."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Numbers = Mapping[str, int]
_FIELDS = ("version", "flags", "method", "time", "date", "crc", "packed", "size")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file; `local` and `central` replace header fields by name, only where they stand."""

    name: str
    content: bytes = b""
    stored: bool = False
    flags: int = 0x800
    crc: int | None = None
    version: int = 20
    time: int = 0
    local: Numbers = field(default_factory=dict)
    central: Numbers = field(default_factory=dict)
    local_name: bytes | None = None
    raw_name: bytes | None = None
    local_extra: bytes = b""
    central_extra: bytes = b""
    comment: bytes = b""
    after: bytes = b""
    """What stands behind the content, such as a data descriptor."""
    packed: bytes | None = None
    """What stands in place of the content, deflated."""

    @property
    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return self.content if self.stored else deflated(self.content)

    @property
    def written_name(self) -> bytes:
        return self.name.encode() if self.raw_name is None else self.raw_name

    def numbers(self) -> dict[str, int]:
        return {
            "version": self.version,
            "flags": self.flags,
            "method": 0 if self.stored else 8,
            "time": self.time,
            "date": 0x5B74,
            "crc": zlib.crc32(self.content) if self.crc is None else self.crc,
            "packed": len(self.body),
            "size": len(self.content),
        }


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def descriptor(part: Part, *, wide: bool = False, signature: bytes = b"PK\x07\x08") -> bytes:
    numbers = part.numbers()
    return signature + struct.pack(
        "<LQQ" if wide else "<3L", numbers["crc"], numbers["packed"], numbers["size"]
    )


def zip_bytes(
    parts: Sequence[Part],
    *,
    before: bytes = b"",
    comment: bytes = b"",
    end: Numbers | None = None,
    wide_end: Numbers | None = None,
    trailing: bytes = b"",
) -> bytes:
    """The zip; `wide_end` (possibly empty) adds ZIP64 records with these fields replaced."""
    body, directory = before, b""
    for part in parts:
        directory += central_bytes(part, len(body))
        body += local_bytes(part) + part.body + part.after
    count = len(parts)
    numbers = {"here": count, "entries": count, "size": len(directory), "offset": len(body)}
    records = b"" if wide_end is None else _wide(numbers | dict(wide_end), body, directory)
    last = numbers | dict(end or {})
    closing = struct.pack(
        "<4s4H2LH",
        b"PK\x05\x06",
        last.get("disk", 0),
        last.get("first_disk", 0),
        last["here"],
        last["entries"],
        last["size"],
        last["offset"],
        last.get("comment", len(comment)),
    )
    return body + directory + records + closing + comment + trailing


def local_bytes(part: Part) -> bytes:
    name = part.written_name if part.local_name is None else part.local_name
    numbers = part.numbers() | dict(part.local)
    return (
        struct.pack(
            "<4s5H3L2H",
            b"PK\x03\x04",
            *(numbers[each] for each in _FIELDS),
            len(name),
            len(part.local_extra),
        )
        + name
        + part.local_extra
    )


def central_bytes(part: Part, offset: int) -> bytes:
    name = part.written_name
    usual = {"made_by": 20, "disk": 0, "internal": 0, "attributes": 0, "offset": offset}
    numbers = usual | part.numbers() | dict(part.central)
    return (
        struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            numbers["made_by"],
            *(numbers[each] for each in _FIELDS),
            len(name),
            len(part.central_extra),
            len(part.comment),
            numbers["disk"],
            numbers["internal"],
            numbers["attributes"],
            numbers["offset"],
        )
        + name
        + part.central_extra
        + part.comment
    )


def _wide(numbers: dict[str, int], body: bytes, directory: bytes) -> bytes:
    position = numbers.get("position", len(body) + len(directory))
    record = struct.pack(
        "<4sQ2H2L4Q",
        b"PK\x06\x06",
        numbers.get("length", 44),
        45,
        45,
        numbers.get("disk", 0),
        numbers.get("first_disk", 0),
        numbers["here"],
        numbers["entries"],
        numbers["size"],
        numbers["offset"],
    )
    return record + struct.pack(
        "<4sLQL", b"PK\x06\x07", numbers.get("record_disk", 0), position, numbers.get("disks", 1)
    )
