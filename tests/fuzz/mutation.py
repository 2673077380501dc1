"""Changes bytes as somebody would who knows the format: fields, elements, members, DER nodes."""

import json
import random
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tests.package.zip.zip_writer import Part, descriptor, zip_bytes

MAX_BYTES = 1 << 16
_NUMBERS = (
    *(0, 1, 2, 8, 12, 0x14, 0x7F, 0x80, 0xFF, 0x801, 0x808),
    *(0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF),
)
_NAMES = (
    *(b"brev.pdf", b"BREV.pdf", b"../a", b"/a", b"a\\b", b"a/", b"C:a", b"a\0b", b"mimetype"),
    *(b"META-INF/a", b"meta-inf/manifest.xml", "å".encode(), "a\u030a".encode(), b"\xff", b""),
)
_FIELDS = ("version", "flags", "method", "crc", "packed", "size", "attributes", "offset")
_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1e300,
    "",
    "x",
    "0192:910077473",
    [],
    {},
    [[]],
    "\x00",
)
Change = Callable[[bytes, random.Random], bytes]


def mutated(raw: bytes, change: Change, tokens: Sequence[bytes], noise: random.Random) -> bytes:
    """The bytes with one to four changes, half of them by the format."""
    for _ in range(noise.choice((1, 1, 1, 2, 3, 4))):
        by_format = noise.random() < 0.5
        changed = change(raw, noise) if by_format else any_bytes(raw, tokens, noise)
        raw = changed[:MAX_BYTES]
    return raw


def any_bytes(raw: bytes, tokens: Sequence[bytes], noise: random.Random) -> bytes:
    """One change that knows nothing but words that stand in such files."""
    start = noise.randrange(len(raw) + 1)
    stop = min(len(raw), start + noise.choice((1, 1, 2, 4, 16, 200)))
    number = noise.choice(_NUMBERS)
    other = noise.choice(tokens) if tokens else bytes([number & 0xFF])
    elsewhere = noise.randrange(len(raw) + 1)
    middle = noise.choice(
        (
            b"",
            noise.randbytes(stop - start),
            raw[start:stop] * noise.choice((2, 3, 300)),
            raw[elsewhere : elsewhere + stop - start],
            other,
            other + raw[start:stop],
            struct.pack("<I", number)[: noise.choice((1, 2, 4))],
            bytes([raw[start] ^ (1 << noise.randrange(8))]) if start < len(raw) else b"",
        )
    )
    return raw[:start] + middle + raw[stop:]


def container(raw: bytes, noise: random.Random) -> bytes:
    """Another archive, of a few files with a field or two that lie."""
    del raw
    mimetype = Part(name="mimetype", content=b"application/vnd.etsi.asic-e+zip", stored=True)
    parts = [mimetype, *(_part(noise, number) for number in range(noise.randrange(4)))]
    noise.shuffle(parts)
    for _ in range(noise.randrange(3)):
        place = noise.randrange(len(parts))
        parts[place] = _lying(parts[place], noise)
    ends = {name: noise.choice(_NUMBERS) for name in ("here", "entries", "size", "offset")}
    few = {name: ends[name] for name in ends if noise.random() < 0.05}
    narrow = {name: few[name] & (0xFFFF if name in {"here", "entries"} else -1) for name in few}
    return zip_bytes(
        parts,
        wide_end=few if noise.random() < 0.2 else None,
        end=narrow if noise.random() < 0.5 else {},
        comment=noise.choice((b"", b"", b"", b"mimetype=application/vnd.etsi.asic-e+zip", b"a")),
    )


def _part(noise: random.Random, number: int) -> Part:
    part = Part(
        name=f"{number}.txt",
        content=noise.randbytes(noise.randrange(40)) * noise.choice((1, 1, 100)),
        stored=noise.random() < 0.3,
    )
    if part.stored or noise.random() < 0.5:
        return part
    part = replace(part, flags=0x808)
    after = descriptor(part, wide=noise.random() < 0.5)
    zeros = {name: 0 for name in ("crc", "packed", "size") if noise.random() < 0.9}
    return replace(part, after=after, local=zeros)


def _lying(part: Part, noise: random.Random) -> Part:
    field, number = noise.choice(_FIELDS), noise.choice(_NUMBERS)
    told = min(number, 0xFFFF) if field in {"version", "flags", "method"} else number
    lie = {field: told}
    wide = struct.pack("<HHQQ", 1, 16, len(part.content), len(part.body))
    return noise.choice(
        (
            replace(part, central={**part.central, **lie}),
            replace(part, local={**part.local, **lie}, central={**part.central, **lie}),
            replace(part, local={**part.local, **{k: v for k, v in lie.items() if k != "offset"}}),
            replace(part, raw_name=noise.choice(_NAMES)),
            replace(part, local_name=noise.choice(_NAMES)),
            replace(part, local_extra=wide, central_extra=wide),
            replace(part, local_extra=wide, local={"packed": 0xFFFFFFFF, "size": 0xFFFFFFFF}),
            replace(part, central_extra=noise.randbytes(noise.randrange(12))),
            replace(part, after=noise.randbytes(noise.choice((1, 12, 16, 20, 24)))),
            replace(part, packed=part.body[:-1] or b"\x00"),
            replace(part, packed=b"\x00" * 3 + part.body),
        )
    )


def xml(raw: bytes, noise: random.Random) -> bytes:
    """An element's tag, or the text between two, goes, comes again, or changes places."""
    pieces = re.split(rb"(<[^>]*>)", raw)
    one, other = noise.randrange(len(pieces)), noise.randrange(len(pieces))
    low, high = sorted((one, other))
    match noise.randrange(6):
        case 0:
            del pieces[one]
        case 1:
            pieces[one], pieces[other] = pieces[other], pieces[one]
        case 2:
            pieces[one] = pieces[other]
        case 3:
            pieces[low:high] *= noise.choice((2, 2, 40))
        case 4:
            del pieces[low : low + noise.randrange(6)]
        case _:
            depth = noise.choice((3, 100, 300))
            pieces[one] = b"<a>" * depth + pieces[one] + b"</a>" * depth
    return b"".join(pieces)


def members(raw: bytes, noise: random.Random) -> bytes:
    """A member of a JSON document gets another value, another name, or goes."""
    try:
        root = json.loads(raw)
    except (ValueError, RecursionError):
        return raw
    places = list(_places(root)) if isinstance(root, dict | list) else []
    if not places:
        return raw
    holder, key = noise.choice(places)
    match noise.randrange(4):
        case 0:
            holder[key] = noise.choice(_VALUES)
        case 1:
            held, at = noise.choice(places)
            holder[key] = json.loads(json.dumps(held[at]))
        case 2:
            del holder[key]
        case _:
            holder[key] = [holder[key]] * noise.choice((1, 2))
    try:
        return json.dumps(root).encode()
    except (ValueError, RecursionError):
        return raw


def _places(value: Any) -> Any:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, held in list(inner):
        yield value, key
        if isinstance(held, dict | list):
            yield from _places(held)


def nodes(raw: bytes, noise: random.Random) -> bytes:
    """A node of a DER tree goes, comes again, is put in another's place; lengths stay right."""
    tree = _nodes(raw)
    if not tree:
        return raw
    flat = list(_flat(tree))
    siblings, place = noise.choice(flat)
    others, at = noise.choice(flat)
    tag, value = siblings[place]
    match noise.randrange(6):
        case 0:
            del siblings[place]
        case 1:
            siblings.insert(place, siblings[place])
        case 2:
            siblings[place] = others[at]
        case 3:
            siblings[place] = (
                noise.choice((2, 3, 4, 5, 6, 12, 19, 22, 23, 24, 48, 49, 0xA0)),
                value,
            )
        case 4:
            siblings[place] = (tag ^ (1 << noise.randrange(8)), value)
        case _ if isinstance(value, bytes):
            siblings[place] = (tag, any_bytes(value, (), noise))
    try:
        return _encoded(tree)
    except RecursionError:  # a node was put into itself
        return raw


_Node = tuple[int, Any]


def _nodes(raw: bytes, depth: int = 0) -> list[_Node] | None:
    """The nodes that these bytes are, all the way down; None if they are none."""
    found: list[_Node] = []
    position = 0
    while position < len(raw):
        if len(raw) - position < 2:
            return None
        tag, size = raw[position], raw[position + 1]
        position += 2
        if size >= 0x80:
            wide = size & 0x7F
            size = int.from_bytes(raw[position : position + wide], "big")
            position += wide
        value = raw[position : position + size]
        if len(value) != size:
            return None
        position += size
        inner = _nodes(value, depth + 1) if (tag & 0x20 or tag == 4) and depth < 30 else None
        found.append((tag, value if inner is None else inner))
    return found


def _flat(tree: list[_Node]) -> Any:
    for place, (_, value) in enumerate(tree):
        yield tree, place
        if isinstance(value, list):
            yield from _flat(value)


def _encoded(tree: list[_Node]) -> bytes:
    out = b""
    for tag, value in tree:
        content = _encoded(value) if isinstance(value, list) else value
        size = len(content)
        wide = size.to_bytes((size.bit_length() + 7) // 8, "big")
        out += bytes([tag]) + (bytes([size]) if size < 0x80 else bytes([0x80 | len(wide)]) + wide)
        out += content
    return out


CHANGES: dict[str, Change] = {
    "container": container,
    "manifest": xml,
    "cms": nodes,
    "envelope": members,
    "arkivmelding": xml,
}
"""How each door's bytes are changed by their format."""
