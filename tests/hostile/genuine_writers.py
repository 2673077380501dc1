"""The shapes in which genuine tools write zips, as seen from the tools themselves."""

import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from tests.package.zip.zip_writer import Part, zip_bytes

MEDIA_TYPE = b"application/vnd.etsi.asic-e+zip"
COMMENT = b"mimetype=" + MEDIA_TYPE
UTF8, DESCRIPTOR = 0x800, 0x8
WIDE = 0xFFFF_FFFF
TIMES = struct.pack("<HHBL", 0x5455, 5, 1, 0x6AE80579)
BOTH_TIMES = struct.pack("<HHBLL", 0x5455, 9, 3, 0x6AE80579, 0x6AE80579)
OWNER = bytes.fromhex("757 80b00 01 04 e8030000 04 e8030000".replace(" ", ""))
WINDOWS_TIMES = struct.pack("<HHLHHQQQ", 10, 32, 0, 1, 24, *(3 * [0x01DC5D00_00000000]))


@dataclass(frozen=True, kw_only=True)
class File:
    """What goes in, whoever writes it."""

    name: str
    content: bytes
    squeeze: bool = True
    """Whether a writer that can choose would deflate it."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A zip that is not written yet, so that it can be spoilt in one place."""

    parts: tuple[Part, ...]
    writing: Mapping[str, Any] = field(default_factory=dict)

    def raw(self) -> bytes:
        return zip_bytes(self.parts, **self.writing)


def files_of(raw: bytes, *, stored: Sequence[str]) -> list[File]:
    """What is in a package, to be written anew by another tool."""
    with zipfile.ZipFile(BytesIO(raw)) as made:
        contents = {name: made.read(name) for name in made.namelist()}
    return [File(name=n, content=c, squeeze=n not in stored) for n, c in contents.items()]


Shape = Callable[[Sequence[File]], Layout]


def _flags(name: str) -> int:
    return 0 if name.isascii() else UTF8


def with_descriptor(part: Part, *, wide: bool = False, size_first: bool = False) -> Part:
    """Sizes and CRC after the content, none of them before it but for what is known at once."""
    written = replace(part, flags=part.flags | DESCRIPTOR)
    numbers = written.numbers()
    form = "<4sLQQ" if wide else "<4s3L"
    after = struct.pack(form, b"PK\x07\x08", numbers["crc"], numbers["packed"], numbers["size"])
    before = {"crc": 0, "packed": 0, "size": numbers["size"] if size_first else 0}
    return replace(written, local=dict(written.local) | before, after=after)


def java(files: Sequence[File], *, comment: bytes = COMMENT) -> Layout:
    """ZipOutputStream, which the integrasjonspunkt, DSS and digidoc4j write through."""
    parts = []
    for file in files:
        part = Part(name=file.name, content=file.content, time=40218)
        if file.name == "mimetype":
            parts.append(replace(part, stored=True, version=10, comment=comment))
        else:
            parts.append(with_descriptor(part))
    return Layout(parts=tuple(parts), writing={"comment": comment})


def dss(files: Sequence[File]) -> Layout:
    return java(files, comment=b"")


def digidoc4j(files: Sequence[File]) -> Layout:
    said = b"LIB DigiDoc4j/6.0.1 format: application/vnd.etsi.asic-e+zip signatureCount: 1 Java: 21"
    written = java(files, comment=said)
    parts = tuple(replace(part, comment=said) for part in written.parts)
    return replace(written, parts=parts)


def java_jar(files: Sequence[File]) -> Layout:
    """JarOutputStream marks the first entry; some entries have times of their own."""
    written = dss(files)
    mark = b"\xfe\xca\x00\x00"
    first = replace(written.parts[0], local_extra=mark, central_extra=mark)
    rest = [
        replace(part, local_extra=BOTH_TIMES, central_extra=TIMES) for part in written.parts[1:]
    ]
    return replace(written, parts=(first, *rest))


def commons_compress(files: Sequence[File]) -> Layout:
    """To a file: room for wide sizes was left, and both forms say the same in the end."""
    parts = []
    for file in files:
        stored = file.name == "mimetype"
        part = Part(name=file.name, content=file.content, stored=stored, version=10)
        sizes = struct.pack("<HHQQ", 1, 16, len(part.content), len(part.body))
        parts.append(part if stored else replace(part, local_extra=sizes))
    return Layout(parts=tuple(parts))


def commons_compress_always_wide(files: Sequence[File]) -> Layout:
    """`Zip64Mode.Always`: everything in its wide form, the number of the disk too."""
    parts: list[Part] = []
    offset = 0
    for file in files:
        part = Part(name=file.name, content=file.content, stored=not file.squeeze, version=45)
        sizes = struct.pack("<QQ", len(part.content), len(part.body))
        local = struct.pack("<HH", 1, 16) + sizes
        central = struct.pack("<HH", 1, 28) + sizes + struct.pack("<QL", offset, 0)
        wide = {"packed": WIDE, "size": WIDE}
        parts.append(
            replace(
                part,
                local=wide,
                central=wide | {"offset": WIDE, "disk": 0xFFFF},
                local_extra=local,
                central_extra=central,
            )
        )
        offset += 30 + len(file.name.encode()) + len(local) + len(part.body)
    narrow = {"here": 0xFFFF, "entries": 0xFFFF, "size": WIDE, "offset": WIDE}
    return Layout(parts=tuple(parts), writing={"wide_end": {}, "end": narrow})


def python(files: Sequence[File]) -> Layout:
    """`zipfile` to a file that it can seek in."""
    made = {"made_by": 0x314, "attributes": 0o600 << 16}
    return Layout(
        parts=tuple(
            Part(
                name=file.name,
                content=file.content,
                stored=not file.squeeze,
                flags=_flags(file.name),
                central=made,
            )
            for file in files
        )
    )


def python_to_a_pipe(files: Sequence[File]) -> Layout:
    return Layout(parts=tuple(with_descriptor(part) for part in python(files).parts))


def python_wide(files: Sequence[File]) -> Layout:
    """`force_zip64`: wide before the content, narrow in the directory."""
    parts = []
    for part in python(files).parts:
        sizes = struct.pack("<HHQQ", 1, 16, len(part.content), len(part.body))
        wide = {"packed": WIDE, "size": WIDE}
        parts.append(replace(part, version=45, local=wide, local_extra=sizes))
    return Layout(parts=tuple(parts))


def python_wide_to_a_pipe(files: Sequence[File]) -> Layout:
    parts = []
    for part in python(files).parts:
        later = with_descriptor(replace(part, version=45), wide=True)
        local = {"crc": 0, "packed": WIDE, "size": WIDE}
        parts.append(replace(later, local=local, local_extra=struct.pack("<HHQQ", 1, 16, 0, 0)))
    return Layout(parts=tuple(parts))


def info_zip(files: Sequence[File]) -> Layout:
    """`zip -r` on Linux: folders, owners and times, UTF-8 without a word about it."""
    made = {"made_by": 0x31E, "internal": 1, "attributes": 0o100644 << 16}
    of_folder = {"made_by": 0x31E, "attributes": 0o40755 << 16 | 0x10}
    mimetype, *rest = [replace(part, central=made) for part in python(files).parts]
    folder = Part(name="META-INF/", stored=True, central=of_folder)
    return Layout(
        parts=tuple(
            replace(
                part,
                flags=0,
                version=10 if part.stored else 20,
                local_extra=BOTH_TIMES + OWNER,
                central_extra=TIMES + OWNER,
            )
            for part in (mimetype, folder, *rest)
        )
    )


def info_zip_to_a_pipe(files: Sequence[File]) -> Layout:
    """The size is known from the file, the rest comes after it."""
    return Layout(
        parts=tuple(
            part if part.name.endswith("/") else with_descriptor(part, size_first=True)
            for part in info_zip(files).parts
        )
    )


def info_zip_with_names_twice(files: Sequence[File]) -> Layout:
    """Names again in a field of their own, the same bytes."""
    parts = []
    for part in info_zip(files).parts:
        raw = part.name.encode()
        said = struct.pack("<HHBL", 0x7075, 5 + len(raw), 1, zlib.crc32(raw)) + raw
        local, central = part.local_extra + said, part.central_extra + said
        parts.append(replace(part, local_extra=local, central_extra=central))
    return Layout(parts=tuple(parts))


def seven_zip(files: Sequence[File]) -> Layout:
    made = {"made_by": 0x3F, "attributes": 0x20}
    return Layout(
        parts=tuple(
            replace(
                part,
                version=10 if part.stored else 20,
                central=made,
                central_extra=WINDOWS_TIMES,
            )
            for part in python(files).parts
        )
    )


def go(files: Sequence[File]) -> Layout:
    """archive/zip: everything has a descriptor, stored files too."""
    parts = [
        replace(part, central={}, local_extra=TIMES, central_extra=TIMES)
        for part in python(files).parts
    ]
    return Layout(parts=tuple(with_descriptor(p) for p in parts), writing={"comment": COMMENT})


def dotnet(files: Sequence[File]) -> Layout:
    """System.IO.Compression: says how hard it tried."""
    parts = [
        replace(part, flags=part.flags | (0 if part.stored else 2), central={"made_by": 0x314})
        for part in python(files).parts
    ]
    return Layout(parts=tuple(parts))


def mac(files: Sequence[File]) -> Layout:
    """The Finder: times and owners of its own, UTF-8 without a word about it."""
    local = struct.pack("<HHLLHH", 0x5855, 12, 1, 2, 501, 20)
    central = struct.pack("<HHLL", 0x5855, 8, 1, 2)
    parts = []
    for part in python(files).parts:
        made = {"made_by": 0x315, "attributes": 0o100644 << 16}
        plain = replace(part, flags=0, central=made, local_extra=local, central_extra=central)
        parts.append(plain if part.stored else with_descriptor(plain))
    return Layout(parts=tuple(parts))


def older(files: Sequence[File]) -> Layout:
    """Descriptors without a signature, which the format allows."""
    parts = [
        replace(part, after=part.after.removeprefix(b"PK\x07\x08")) for part in dss(files).parts
    ]
    return Layout(parts=tuple(parts))


SHAPES: Mapping[str, Shape] = {
    shape.__name__: shape
    for shape in (
        java,
        dss,
        digidoc4j,
        java_jar,
        commons_compress,
        commons_compress_always_wide,
        python,
        python_to_a_pipe,
        python_wide,
        python_wide_to_a_pipe,
        info_zip,
        info_zip_to_a_pipe,
        info_zip_with_names_twice,
        seven_zip,
        go,
        dotnet,
        mac,
        older,
    )
}
