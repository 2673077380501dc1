"""Flaws in the fields of one entry: what local header, directory, descriptor and extras say."""

import random
import struct
import zlib

from tests.hostile.flaws import (
    LATER,
    PLAIN,
    Spoilt,
    changed,
    chosen,
    kind,
    numbered,
    others,
    plus,
    sides,
    spoilt,
)
from tests.hostile.genuine_writers import DESCRIPTOR, WIDE, Layout
from tests.package.zip.zip_writer import Part

SIZES = "local_header gap size crc deflate inflated_too_large zip64 descriptor"


@kind()
def methods_that_differ(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout)
    right = layout.parts[index].numbers()["method"]
    method = others(rng, right, 0, 1, 6, 8, 9, 12, 14, 20, 93, 95, 98, 99, 0xFFFF)
    where = sides(rng)
    codes = {"local": "local_header", "central": "local_header method size"}
    wrong = codes.get(where, "method size deflate crc descriptor")
    return spoilt(numbered(layout, index, where, method=method), wrong)


@kind()
def sizes_that_differ(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout)
    field = rng.choice(("size", "packed", "crc"))
    right = layout.parts[index].numbers()[field]
    wrong = others(rng, right, right + 1, right - 1, right ^ 0x100, 1, 0x7FFF_FFFF, WIDE - 1)
    return spoilt(numbered(layout, index, sides(rng), **{field: wrong}), SIZES)


@kind()
def names_that_differ(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout)
    name = layout.parts[index].name.encode()
    variants = [name + b"x", name[:-1] or b"y", name.swapcase() + b"", b"../" + name]
    variants += [name + b"\0.exe", layout.parts[index - 1].name.encode(), b"mimetype"]
    local = rng.choice([each for each in variants if each != name])
    return spoilt(changed(layout, index, local_name=local), "local_header")


@kind()
def encryption_in_one_place(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout)
    flags = layout.parts[index].flags | rng.choice((1, 0x40, 0x41, 0x2000, 0x2041))
    return spoilt(numbered(layout, index, sides(rng), flags=flags), "encrypted flags local_header")


@kind()
def flags_that_nobody_sets(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout)
    flags = layout.parts[index].flags ^ rng.choice(
        (0x10, 0x20, 0x80, 0x100, 0x1000, 0x4000, 0x8000)
    )
    return spoilt(numbered(layout, index, sides(rng), flags=flags), "flags local_header")


@kind()
def ordinary_flags_that_differ(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout)
    flags = layout.parts[index].flags ^ rng.choice((2, 4, 8, 0x800))
    side = rng.choice(("local", "central"))
    return spoilt(numbered(layout, index, side, flags=flags), "local_header name gap")


@kind()
def times_and_versions_that_differ(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout)
    field = rng.choice(("time", "date", "version"))
    right = layout.parts[index].numbers()[field]
    candidates = (20, 10, 63) if field == "version" else (0, 1, right ^ 1, 0xFFFF)
    wrong = others(rng, right, *candidates)
    side = rng.choice(("local", "central"))
    if field == "version" and right == 45:
        layout = numbered(layout, index, "local central", version=10)
        wrong = 20
    return spoilt(numbered(layout, index, side, **{field: wrong}), "local_header gap method")


@kind(*LATER)
def descriptors_that_lie(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout, where=lambda part: bool(part.after))
    part = layout.parts[index]
    crc, packed, size = struct.unpack("<3L", part.after[4:])
    form = rng.choice(("<4s3L", "<4sLQQ"))
    lies = [
        struct.pack(form, b"PK\x07\x08", crc ^ rng.randrange(1, 1 << 32), packed, size),
        struct.pack(form, b"PK\x07\x08", crc, packed + rng.choice((1, -1)), size),
        struct.pack(form, b"PK\x07\x08", crc, packed, size + rng.choice((1, -1))),
        struct.pack(form, b"PK\x07\x06", crc, packed, size),
        part.after[:-1],
        part.after + b"\0",
        b"",
        part.after + part.after,
        struct.pack("<4sLQQ", b"PK\x07\x08", crc, packed, size),
    ]
    return spoilt(changed(layout, index, after=rng.choice(lies)), "descriptor gap")


@kind(*LATER)
def descriptors_that_the_flags_deny(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout, where=lambda part: bool(part.after))
    part = layout.parts[index]
    numbers = {name: part.numbers()[name] for name in rng.choice((("crc", "packed", "size"), ()))}
    denied = changed(layout, index, flags=part.flags & ~DESCRIPTOR, local=numbers)
    return spoilt(denied, "gap" if numbers else "gap local_header")


@kind("python", "seven_zip", "dotnet")
def descriptors_that_the_flags_promise(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout)
    promised = layout.parts[index].flags | DESCRIPTOR
    return spoilt(changed(layout, index, flags=promised), "gap")


@kind("python", "seven_zip", "dotnet")
def wide_sizes_that_disagree(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout)
    part = layout.parts[index]
    size, packed = len(part.content), len(part.body)
    side = rng.choice(("local", "central"))
    numbers = [size, packed] if side == "local" else [size]
    lie = rng.randrange(4)
    sentinel = {"size": WIDE, "packed": WIDE} if side == "local" else {"size": WIDE}
    if lie == 0:  # said to be wide, and nothing there
        return spoilt(numbered(layout, index, side, **sentinel), "zip64")
    if lie == 1:  # there, and not said to be wide
        numbers = [size + 1, packed] if side == "local" else numbers
        sentinel = {}
    elif lie == 2:  # more or fewer than said
        numbers = rng.choice((numbers * 2, [], numbers[:0], [*numbers, 0, 0]))
    else:
        numbers[0] += rng.choice((1, 1 << 32, -1))
    extra = struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers)
    field = f"{side}_extra"
    wide = changed(layout, index, **{field: getattr(part, field) + extra})
    return spoilt(numbered(wide, index, side, **sentinel), SIZES + " extra_field")


@kind()
def names_said_again_otherwise(rng: random.Random, layout: Layout) -> Spoilt:
    """The field of Info-ZIP for a name in UTF-8."""
    index = chosen(rng, layout)
    raw = layout.parts[index].name.encode()
    other = rng.choice((b"../x", raw + b"x", raw.swapcase() + b"z", b"mimetype", b""))
    right = zlib.crc32(raw)
    contents = [
        (1, right, other),
        (1, zlib.crc32(other), other),
        (1, right ^ 1, raw),
        (2, right, raw),
    ]
    version, crc, said = rng.choice(contents)
    extra = struct.pack("<HHBL", 0x7075, 5 + len(said), version, crc) + said
    part = layout.parts[index]
    where = {
        "local": {"local_extra": part.local_extra + extra},
        "central": {"central_extra": part.central_extra + extra},
    }
    changes = {name: value for side in sides(rng).split() for name, value in where[side].items()}
    return spoilt(changed(layout, index, **changes), "extra_field")


@kind()
def extra_fields_that_nobody_needs(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout)
    part = layout.parts[index]
    extras = [
        struct.pack("<HHHHBH", 0x9901, 7, 2, 0x4541, 3, 8),
        struct.pack("<HH", 0x0017, 4) + bytes(4),
        struct.pack("<HH", rng.choice((0x000D, 0x756E, 0x4453, 0x1986, 0xA220)), 4) + b"link",
        struct.pack("<HH", 0x5455, 200) + bytes(200),
        struct.pack("<HH", 0x5455, 9) + b"\1",
        b"\0",
        b"\0\0\0",
        2 * (struct.pack("<HH", 0x7855, 4) + bytes(4)),
    ]
    field = rng.choice(("local_extra", "central_extra"))
    value = getattr(part, field) + rng.choice(extras)
    return spoilt(changed(layout, index, **{field: value}), "extra_field")


@kind()
def comments_on_an_entry(rng: random.Random, layout: Layout) -> Spoilt:
    said = [b"PK\x05\x06" + bytes(18), b"x PK\x01\x02", b"PK\x03\x04" + bytes(300)]
    index = chosen(rng, layout)
    return spoilt(changed(layout, index, comment=rng.choice(said)), "comment extra_field")


@kind()
def links_and_devices(rng: random.Random, layout: Layout) -> Spoilt:
    modes = (0o120777, 0o60644, 0o20644, 0o10644, 0o140755, 0o40755, 0o50000)
    attributes = rng.choice([mode << 16 for mode in modes] + [0x10, 0x08, 0o40755 << 16 | 0x10])
    index = chosen(rng, layout)
    return spoilt(numbered(layout, index, "central", attributes=attributes), "special_file")


@kind(*PLAIN)
def folders_that_are_more_than_a_name(rng: random.Random, layout: Layout) -> Spoilt:
    """In a folder's place: content, a hidden stream, the attributes of a file."""
    index = chosen(rng, layout)
    folder = Part(name="META-INF/", stored=True)
    spoilt_folders = [
        Part(name="META-INF/", content=b"skjult", stored=True),
        Part(name="META-INF/", content=b"skjult"),
        Part(name="META-INF/", packed=b"\0\0\0\xff\xff\x03\0"),
        Part(name="META-INF/", packed=rng.randbytes(2) if rng.random() < 0.5 else b""),
        Part(name="META-INF/", stored=True, central={"attributes": 0o100644 << 16}),
        Part(name="META-INF/", stored=True, crc=1),
    ]
    pick = rng.randrange(len(spoilt_folders) + 2)
    if pick == len(spoilt_folders):
        as_folder = changed(layout, index, name=layout.parts[index].name + "/")
        return spoilt(as_folder, "special_file")
    if pick > len(spoilt_folders):
        return spoilt(plus(layout, folder, folder), "name_collision")
    return spoilt(plus(layout, spoilt_folders[pick], at=1), "special_file")
