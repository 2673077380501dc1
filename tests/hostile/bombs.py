"""Bombs: small to carry, large to unpack; overlapping, quoted, nested, and lying about it."""

import functools
import random
import struct
import zlib
from dataclasses import replace

from inbox.simulator.packages.builder import ParcelDocument
from tests.hostile.flaws import MOST, PLAIN, Spoilt, chosen, kind, offsets, plus, rewritten, spoilt
from tests.hostile.genuine_writers import Layout, files_of, go, python, python_to_a_pipe
from tests.package.zip.zip_writer import Part, deflated, local_bytes
from tests.package_builder import genuine, opened

MIB = 1 << 20


@functools.cache
def _zeros(mib: int) -> bytes:
    """So many zero bytes, deflated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(mib)) + packer.flush()


@functools.cache
def _crc_of_zeros(mib: int) -> int:
    return functools.reduce(lambda crc, _: zlib.crc32(bytes(MIB), crc), range(mib), 0)


def _bomb(mib: int, **numbers: int) -> Part:
    told = {"size": mib << 20, "crc": _crc_of_zeros(mib)} | numbers
    return Part(name="bombe.bin", packed=_zeros(mib), local=told, central=told)


@kind(*MOST)
def plain_bombs(rng: random.Random, layout: Layout) -> Spoilt:
    """So well packed that together they would unpack to more than is allowed of a package."""
    told = {"size": 0xFFFF_FFFE}
    bombs = [replace(_bomb(rng.choice((2, 8)), **told), name=f"{n}.bin") for n in range(2)]
    return spoilt(plus(layout, *bombs), "inflated_too_large")


@kind(*PLAIN)
def bombs_that_lie(rng: random.Random, layout: Layout) -> Spoilt:
    """Said to be as large as what was signed, so that has to be compared while it is unpacked."""
    index = chosen(rng, layout, where=lambda part: not part.stored)
    part = layout.parts[index]
    told = {"size": len(part.content), "crc": zlib.crc32(part.content)}
    bomb = rewritten(part, packed=_zeros(rng.choice((2, 8, 64))), local=told, central=told)
    parts = (*layout.parts[:index], bomb, *layout.parts[index + 1 :])
    return spoilt(replace(layout, parts=parts), "size")


@kind(*MOST)
def bombs_by_sum(rng: random.Random, layout: Layout) -> Spoilt:
    """Each within what is allowed of one, if what it says of itself were true."""
    told = {"size": 0x7FFF_FFFF, "packed": 0x7FFF_FFFF}
    bombs = [
        Part(name=f"{number}.bin", stored=True, local=told, central=told)
        for number in range(rng.choice((3, 5)))
    ]
    return spoilt(plus(layout, *bombs), "inflated_too_large")


@kind(*MOST)
def many_names_of_one_file(rng: random.Random, layout: Layout) -> Spoilt:
    """Full overlap: the directory names one body a hundred times."""
    kernel = replace(_bomb(1), name="k")
    shown = plus(layout, kernel)
    offset = list(offsets(shown))[-1]
    count = rng.choice((1, 10, 100))
    ghosts = [
        replace(kernel, name=f"k{n}", packed=b"", central={**kernel.central, "offset": offset})
        for n in range(count)
    ]
    for_all = [
        replace(g, central={**g.central, "packed": len(kernel.body)}, local_name=b"")
        for g in ghosts
    ]
    return spoilt(plus(shown, *for_all), "gap local_header")


@kind(*MOST)
def files_that_quote_the_next(rng: random.Random, layout: Layout) -> Spoilt:
    """A file's content is the header of the next and all that follows: sizes and CRCs are right."""
    kernel = replace(_bomb(1), name="kjerne")
    quoted = local_bytes(kernel)
    parts = [kernel]
    for number in range(rng.choice((1, 2, 5, 20))):
        body, rest = parts[0].body, b"".join(local_bytes(p) + p.body for p in parts)
        name = f"{number}"
        if rng.random() < 0.5:  # stored as it lies there
            quoting = Part(name=name, content=rest, stored=True)
        else:  # a stored block that quotes the header, then the deflated stream goes on
            block = struct.pack("<BHH", 0, len(quoted), len(quoted) ^ 0xFFFF) + quoted + body
            content = zlib.decompressobj(-15).decompress(block)
            quoting = Part(name=name, content=content, packed=block)
        parts.insert(0, _spanning(quoting))
        quoted = local_bytes(parts[0])
    return spoilt(plus(layout, *parts), "gap")


def _spanning(quoting: Part) -> Part:
    """The same entry, of whose body only what stands before the quotation is written here."""
    told = {name: quoting.numbers()[name] for name in ("crc", "packed", "size")}
    own = b"" if quoting.stored else quoting.body[:5]
    return replace(quoting, packed=own, local=told, central=told)


@kind(*PLAIN)
def streams_that_do_not_end_where_they_should(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout, where=lambda part: part.numbers()["method"] == 8)
    part = layout.parts[index]
    body = part.body
    broken = rng.choice(
        (
            body + b"\0",
            body + deflated(b"mer"),
            body[:-1],
            b"",
            zlib.compress(part.content),
            b"\0\0\0\xff\xff" + body[: len(body) // 2],
            rng.randbytes(len(body)) if len(body) > 40 else b"\x07" + body,
        )
    )
    new = rewritten(part, packed=broken)
    parts = (*layout.parts[:index], new, *layout.parts[index + 1 :])
    return spoilt(replace(layout, parts=parts), "deflate size crc")


@kind("python_to_a_pipe", "go")
def stored_files_with_records_inside(rng: random.Random, layout: Layout) -> Spoilt:
    """With its size only behind it, a stored zip ends early for a reader from the front.

    The same package is taken from a writer that says the size first.
    """
    record = rng.choice((b"PK\x03\x04", b"PK\x07\x08", b"PK\x01\x02", b"PK\x05\x06"))
    filler = b"%PDF" * rng.choice((0, 1, 65_535, 70_000)) + bytes(rng.randrange(4))
    inside = ParcelDocument("vedlegg.zip", "application/zip", filler + record + bytes(30))
    files = files_of(genuine(documents=(inside,)), stored=("mimetype", "vedlegg.zip"))
    opened(python(files).raw())
    to_a_pipe = go(files) if layout.writing else python_to_a_pipe(files)
    return spoilt(to_a_pipe, "flags")
