"""What a flaw is: one thing spoilt in a layout that was accepted, and the code that it earns."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.hostile.genuine_writers import DESCRIPTOR, SHAPES, Layout, with_descriptor
from tests.package.zip.zip_writer import Part, local_bytes

PLAIN = ("java", "dss", "python", "seven_zip", "dotnet", "go")
"""Shapes without wide sizes and without names in extra fields: any single field can be spoilt."""
MOST = tuple(sorted(set(SHAPES) - {"commons_compress_always_wide"}))
"""Shapes in which entries can be put in anywhere: no offset is written into an extra field."""
LATER = ("java", "dss", "go", "python_to_a_pipe", "mac")
"""Shapes with descriptors."""


@dataclass(frozen=True, kw_only=True)
class Spoilt:
    raw: bytes
    codes: frozenset[str]
    """Those of the container that fit the flaw, without their area."""
    package_only: bool = False
    """Whether as a mere zip there is nothing wrong with it."""


Spoil = Callable[[random.Random, Layout], Spoilt]


@dataclass(frozen=True, kw_only=True)
class Kind:
    name: str
    spoil: Spoil
    shapes: tuple[str, ...]


KINDS: dict[str, Kind] = {}


def kind(*shapes: str) -> Callable[[Spoil], Spoil]:
    """Register a kind of flaw, and which shapes it can be made in; all, if none is named."""

    def register(spoil: Spoil) -> Spoil:
        name = spoil.__name__
        KINDS[name] = Kind(name=name, spoil=spoil, shapes=shapes or tuple(sorted(SHAPES)))
        return spoil

    return register


def spoilt(layout: Layout | bytes, codes: str, *, package_only: bool = False) -> Spoilt:
    raw = layout if isinstance(layout, bytes) else layout.raw()
    return Spoilt(raw=raw, codes=frozenset(codes.split()), package_only=package_only)


def chosen(rng: random.Random, layout: Layout, *, where: Callable[[Part], bool] = bool) -> int:
    """A file that is not the mimetype and has content."""
    fits = [
        index
        for index, part in enumerate(layout.parts)
        if part.name != "mimetype" and part.content and where(part)
    ]
    return rng.choice(fits)


def changed(layout: Layout, index: int, **changes: Any) -> Layout:
    parts = list(layout.parts)
    parts[index] = replace(parts[index], **changes)
    return replace(layout, parts=tuple(parts))


def numbered(layout: Layout, index: int, sides: str, **numbers: int) -> Layout:
    """Fields of the headers replaced: `local`, `central` or both."""
    part = layout.parts[index]
    sides_of: Mapping[str, Mapping[str, int]] = {"local": part.local, "central": part.central}
    changes = {side: dict(sides_of[side]) | numbers for side in sides.split()}
    return changed(layout, index, **changes)


def plus(layout: Layout, *parts: Part, at: int | None = None) -> Layout:
    place = len(layout.parts) if at is None else at
    return replace(layout, parts=(*layout.parts[:place], *parts, *layout.parts[place:]))


def rewritten(part: Part, **changes: Any) -> Part:
    """Changed, with the descriptor, if it has one, of what it has become."""
    new = replace(part, **changes)
    return with_descriptor(new) if part.flags & DESCRIPTOR else new


def sides(rng: random.Random) -> str:
    return rng.choice(("local", "central", "local central"))


def others(rng: random.Random, right: int, *candidates: int) -> int:
    """One of the candidates that is not right."""
    return rng.choice([each for each in candidates if each != right and 0 <= each < 0xFFFF_FFFF])


def length(part: Part) -> int:
    """How much room an entry takes before the directory."""
    return len(local_bytes(part)) + len(part.body) + len(part.after)


def offsets(layout: Layout) -> Iterator[int]:
    """Where each entry begins."""
    position = 0
    for part in layout.parts:
        yield position
        position += length(part)
