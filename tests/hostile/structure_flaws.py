"""Flaws in the directory, its end, and what lies where in the file."""

import random
import struct
from dataclasses import replace

from tests.hostile.flaws import MOST, Spoilt, changed, chosen, kind, numbered, offsets, plus, spoilt
from tests.hostile.genuine_writers import COMMENT, WIDE, Layout
from tests.package.zip.zip_writer import Part, local_bytes, zip_bytes

END = b"PK\x05\x06"
HIDDEN = Part(name="skjult.exe", content=b"MZ skjult")
LOCAL_HIDDEN = local_bytes(HIDDEN) + HIDDEN.body
PARTED = "directory gap zip64"


def _end_of(raw: bytes) -> int:
    return raw.rfind(END)


def _directory_of(raw: bytes) -> int:
    return int(struct.unpack_from("<L", raw, _end_of(raw) + 16)[0])


@kind(*MOST)
def entries_that_the_directory_hides(rng: random.Random, layout: Layout) -> Spoilt:
    """Readers from the front see one file more: first, in the middle, or last."""
    place = rng.randrange(len(layout.parts))
    if rng.random() < 0.3:
        return spoilt(replace(layout, writing={**layout.writing, "before": LOCAL_HIDDEN}), "gap")
    after = layout.parts[place].after + LOCAL_HIDDEN
    return spoilt(changed(layout, place, after=after), "gap")


@kind(*MOST)
def entries_that_the_directory_invents(rng: random.Random, layout: Layout) -> Spoilt:
    """In the directory and not in the file, or at a place where another is."""
    index = chosen(rng, layout)
    places = list(offsets(layout))
    offset = rng.choice((places[index], places[0], places[-1] + 1, 1, 0x7FFF_FFFF))
    ghost = replace(HIDDEN, central={"offset": offset})
    shown = plus(layout, ghost)
    return spoilt(shown, "gap local_header descriptor")


@kind()
def two_ends(rng: random.Random, layout: Layout) -> Spoilt:
    """Another end after the end, in its comment, or before it with a comment over the rest."""
    raw = layout.raw()
    end = _end_of(raw)
    other = zip_bytes([Part(name="mimetype", content=b"x", stored=True), HIDDEN])
    empty = END + bytes(18)
    bare = raw[: end + 20] + b"\0\0"
    pick = rng.randrange(5)
    if pick == 0:
        return spoilt(raw + rng.choice((other, empty)), "gap directory comment local_header zip64")
    if pick == 1:
        inner = rng.choice((other, empty, raw))
        framed = raw[: end + 20] + struct.pack("<H", min(len(inner), 0xFFFF)) + inner
        return spoilt(framed, "gap directory local_header comment zip64")
    if pick == 2:
        return spoilt(bare[:end] + empty + bare[end:], "gap zip64")
    if pick == 3:
        reach = struct.pack("<4s4H2LH", END, 0, 0, 0, 0, 0, 0, 22)
        return spoilt(bare[:end] + reach + bare[end:], "directory")
    return spoilt(raw[:end] + raw[end:] + raw[end:], "gap directory zip64 comment")


@kind("java", "python", "go")
def an_end_inside_an_extra_field(rng: random.Random, layout: Layout) -> Spoilt:
    """A field that we pass over holds an end whose comment is the rest of the file."""
    index = rng.randrange(len(layout.parts))
    part = layout.parts[index]
    record = struct.pack("<4s4H2LH", END, 0, 0, 0, 0, 0, 0, 0xEEEE)
    hiding = changed(
        layout, index, central_extra=part.central_extra + struct.pack("<HH", 0x7875, 22) + record
    )
    raw = hiding.raw()
    place = raw.index(record)
    comment = struct.pack("<H", len(raw) - place - 22)
    return spoilt(raw[: place + 20] + comment + raw[place + 22 :], "directory")


@kind()
def counts_that_are_wrong(rng: random.Random, layout: Layout) -> Spoilt:
    right = len(layout.parts)
    count = rng.choice((right + 1, right - 1, 0, 1, right + 256, 0xFFFE))
    fields = rng.choice((("here",), ("entries",), ("here", "entries")))
    return spoilt(
        _with_end(layout, dict.fromkeys(fields, count)), "directory too_many_entries zip64"
    )


@kind(*MOST)
def places_of_the_directory_that_are_wrong(rng: random.Random, layout: Layout) -> Spoilt:
    raw = layout.raw()
    field = rng.choice(("offset", "size"))
    right = _directory_of(raw) if field == "offset" else _end_of(raw) - _directory_of(raw)
    wrong = rng.choice((right + 1, right - 1, 0, right + 46, 0x7FFF_FFFF))
    return spoilt(_with_end(layout, {field: wrong}), "gap directory")


def _with_end(layout: Layout, fields: dict[str, int]) -> Layout:
    """Fields of the end replaced; of the wide one too, where there is one."""
    writing = dict(layout.writing)
    writing["end"] = dict(writing.get("end") or {}) | fields
    return replace(layout, writing=writing)


@kind(*MOST)
def offsets_that_are_wrong(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout)
    places = list(offsets(layout))
    wrong = rng.choice((0, places[index] + 1, places[index] - 1, places[index - 1]))
    return spoilt(numbered(layout, index, "central", offset=wrong), "gap local_header descriptor")


@kind("python", "java", "go")
def wide_ends_that_disagree(rng: random.Random, layout: Layout) -> Spoilt:
    count = len(layout.parts)
    lies: list[dict[str, int]] = [
        {"entries": count + 1},
        {"here": count - 1},
        {"size": 1},
        {"offset": 1},
        {"position": rng.randrange(200)},
        {"length": rng.choice((43, 45, 60, 1 << 40))},
        {"disk": 1},
        {"first_disk": 1},
        {"disks": 2},
        {"disks": 0},
        {"record_disk": 1},
    ]
    narrow = {"entries": 0xFFFF, "here": 0xFFFF, "size": WIDE, "offset": WIDE}
    if rng.random() < 0.2:
        field = rng.choice(sorted(narrow))
        return spoilt(_with_end(layout, {field: narrow[field]}), "zip64 directory")
    wide = replace(layout, writing={**layout.writing, "wide_end": rng.choice(lies)})
    if rng.random() < 0.5:
        return spoilt(wide, "zip64")
    return spoilt(_with_end(wide, narrow), "zip64 gap directory")


@kind(*MOST)
def something_before_or_between(rng: random.Random, layout: Layout) -> Spoilt:
    stuff = rng.choice(
        (b"\0", b"MZ" + bytes(60), b"PK\x07\x08", b"PK00", b"%PDF-1.7\n", LOCAL_HIDDEN)
    )
    raw = layout.raw()
    end, directory = _end_of(raw), _directory_of(raw)
    pick = rng.randrange(4)
    if pick == 0:
        return spoilt(stuff + raw, "gap local_header")
    if pick == 1:
        return spoilt(replace(layout, writing={**layout.writing, "before": stuff}), "gap")
    if pick == 2:
        return spoilt(raw[:end] + stuff + raw[end:], "gap zip64")
    moved = raw[:directory] + stuff + raw[directory:]
    end += len(stuff)
    offset = struct.pack("<L", directory + len(stuff))
    return spoilt(moved[: end + 16] + offset + moved[end + 20 :], "gap descriptor")


@kind()
def something_after_the_end(rng: random.Random, layout: Layout) -> Spoilt:
    raw = layout.raw()
    end = _end_of(raw)
    stuff = rng.choice((b"\0", b"\n", bytes(512), b"<?php ?>", rng.randbytes(40), COMMENT))
    if rng.random() < 0.5:
        return spoilt(raw + stuff, "trailing_bytes")
    mark = rng.choice((b"PK\x01\x02", b"PK\x03\x04", b"PK\x06\x06", b"PK\x06\x07", b"PK\x05\x06"))
    said = rng.choice((b"", b"hei", COMMENT, stuff)) + mark + rng.choice((b"", stuff, bytes(60)))
    refused = "comment truncated trailing_bytes directory gap zip64"
    return spoilt(raw[: end + 20] + struct.pack("<H", len(said)) + said, refused)


@kind()
def the_end_cut_off(rng: random.Random, layout: Layout) -> Spoilt:
    raw = layout.raw()
    kept = rng.choice((len(raw) - 1, len(raw) - 21, rng.randrange(len(raw)), 4))
    return spoilt(raw[:kept], "truncated not_zip trailing_bytes gap directory")


@kind("java", "python", "go")
def parts_of_a_split_archive(rng: random.Random, layout: Layout) -> Spoilt:
    pick = rng.randrange(3)
    if pick == 0:
        field = rng.choice(("disk", "first_disk"))
        return spoilt(_with_end(layout, {field: rng.choice((1, 2, 0xFFFF))}), PARTED)
    if pick == 1:
        disk = rng.choice((1, 0xFFFE, 0xFFFF))
        return spoilt(numbered(layout, chosen(rng, layout), "central", disk=disk), PARTED)
    return spoilt(replace(layout, writing={**layout.writing, "before": b"PK\x07\x08"}), "gap")


@kind(*MOST)
def a_mimetype_that_is_none(rng: random.Random, layout: Layout) -> Spoilt:
    """As a zip it is whole."""
    said = rng.choice(
        (
            b"application/vnd.etsi.asic-e+zip\n",
            b"application/vnd.etsi.asic-s+zip",
            b"application/zip",
            b"Application/vnd.etsi.asic-e+zip",
            b"",
        )
    )
    if rng.random() < 0.3:
        without = replace(layout, parts=layout.parts[1:])
        return spoilt(without, "mimetype_missing", package_only=True)
    new = Part(name="mimetype", content=said, stored=True)
    if rng.random() < 0.3:
        new = Part(name="mimetype", content=layout.parts[0].content)
    changed_first = replace(layout, parts=(new, *layout.parts[1:]))
    return spoilt(changed_first, "mimetype_wrong asic_s", package_only=True)


@kind("java", "dss", "python", "seven_zip")
def a_first_block_that_is_changed_otherwise(rng: random.Random, layout: Layout) -> Spoilt:
    """Not as the known defect leaves it: too little, too much, or another file."""
    raw = layout.raw()
    pick = rng.randrange(3)
    if pick == 0:
        at = rng.randrange(16)
        few = raw[:at] + bytes([raw[at] ^ rng.randrange(1, 256)]) + raw[at + 1 :]
        return spoilt(few, "local_header flags")
    if pick == 1:
        more = rng.randrange(18, 30)
        garbled = bytes(each ^ rng.randrange(1, 256) for each in raw[:more])
        return spoilt(garbled + raw[more:], "local_header")
    other = replace(layout, parts=(*layout.parts[1:], layout.parts[0])).raw()
    return spoilt(rng.randbytes(16) + other[16:], "local_header")
