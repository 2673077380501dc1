"""Flaws in names: twice, alike, with special bytes, as paths."""

import random

from tests.hostile.flaws import MOST, PLAIN, Spoilt, changed, chosen, kind, plus, spoilt
from tests.hostile.genuine_writers import UTF8, Layout
from tests.package.zip.zip_writer import Part


def _renamed(layout: Layout, index: int, raw: bytes) -> Layout:
    flags = layout.parts[index].flags | UTF8
    return changed(layout, index, raw_name=raw, flags=flags)


@kind(*MOST)
def a_name_twice(rng: random.Random, layout: Layout) -> Spoilt:
    """The same content again, other content, or the mimetype."""
    index = rng.choice((0, chosen(rng, layout)))
    part = layout.parts[index]
    content = rng.choice((part.content, b"noe annet", b""))
    again = Part(name=part.name, content=content, stored=index == 0)
    return spoilt(plus(layout, again, at=rng.randrange(len(layout.parts) + 1)), "name_collision")


@kind(*PLAIN)
def special_bytes_in_a_name(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout)
    name = layout.parts[index].name
    at = rng.randrange(len(name) + 1)
    return spoilt(_renamed(layout, index, (name[:at] + "\0" + name[at:]).encode()), "name")


@kind(*PLAIN)
def bytes_that_are_no_utf8(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout)
    name = layout.parts[index].name.encode()
    broken = (
        b"\xff",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xe6",
        b"\xf5\x80\x80\x80",
        b"\xf0\x80\x80\xaf",
    )
    return spoilt(_renamed(layout, index, rng.choice(broken) + b"-" + name), "name")


@kind("java", "dss", "seven_zip")
def letters_in_an_encoding_that_is_not_said(rng: random.Random, layout: Layout) -> Spoilt:
    """Made on DOS or Windows, not marked as UTF-8, and not ASCII: each reader guesses."""
    index = chosen(rng, layout)
    text = rng.choice(("brev Å.pdf", "søknad.pdf", "Ærfugl"))
    raw = text.encode(rng.choice(("utf-8", "cp865", "latin-1")))
    return spoilt(
        changed(layout, index, raw_name=raw, flags=layout.parts[index].flags & ~UTF8), "name"
    )


@kind(*PLAIN)
def paths_that_lead_elsewhere(rng: random.Random, layout: Layout) -> Spoilt:
    index = chosen(rng, layout)
    name = layout.parts[index].name
    forms = (
        f"../{name}",
        f"a/../../{name}",
        f"/{name}",
        f"//tjener/del/{name}",
        f"\\\\tjener\\del\\{name}",
        f"..\\{name}",
        f"c:/{name}",
        f"./{name}",
        f"a//{name}",
        f"a/./{name}",
        f"a/ /{name}",
        f"a/.../{name}",
        f"a/.. /{name}",
        "..",
        ".",
        "...",
        "",
        " ",
        "/",
        "/".join(["katalog"] * 150),
    )
    return spoilt(_renamed(layout, index, rng.choice(forms).encode()), "name special_file")


@kind(*MOST)
def metadata_folders_that_are_almost_right(rng: random.Random, layout: Layout) -> Spoilt:
    names = (
        "meta-inf/ASiCManifest2.xml",
        "Meta-Inf/x",
        "META-INF./x",
        "META-INF /x",
        "META-INF",
        "meta-inf",
        "METa-INF/y",
        "META-\u00adINF/x",
        "META-INF",
    )
    extra = Part(name=rng.choice(names), content=b"x")
    return spoilt(plus(layout, extra), "name name_collision")
