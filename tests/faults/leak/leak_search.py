"""Look for a word in bytes and files, in whatever it may be wrapped: encodings and deflate."""

import base64
import html
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

_AROUND: Final = 48
_MOST_INFLATED: Final = 1 << 23
_DEEPEST: Final = 3
_PACKED: Final = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08|PK\x03\x04", re.DOTALL)
_RAW, _GZIP, _ZLIB = -15, 31, 15


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A word that was found: where, how it was written, and what stands around it."""

    where: str
    how: str
    around: bytes


@cache
def encodings(word: str) -> Mapping[str, bytes]:
    """Every way to write the word that is searched for, by name."""
    octets = word.encode()
    ways = {
        "utf-8": octets,
        "latin-1": word.encode("latin-1", errors="ignore"),
        "utf-16-le": word.encode("utf-16-le"),
        "utf-16-be": word.encode("utf-16-be"),
        "utf-32-le": word.encode("utf-32-le"),
        "hex": octets.hex().encode(),
        "HEX": octets.hex().upper().encode(),
        "percent": quote(word, safe="").encode(),
        "percent, small": quote(word, safe="").lower().encode(),
        "percent, all of it": "".join(f"%{octet:02X}" for octet in octets).encode(),
        "json": json.dumps(word)[1:-1].encode(),
        "JSON": _upper_escapes(word).encode(),
        "json, all of it": "".join(f"\\u{ord(letter):04x}" for letter in word).encode(),
        "repr": repr(octets)[2:-1].encode(),
        "octal": _octal(octets).encode(),
        "html": html.escape(word).encode("ascii", errors="xmlcharrefreplace"),
        "quoted-printable": _escaped(octets, "={:02X}").encode(),
    }
    for offset in range(3):
        ways[f"base64+{offset}"] = _base64(octets, offset)
        ways[f"base64url+{offset}"] = _base64(octets, offset).translate(
            bytes.maketrans(b"+/", b"-_")
        )
    return ways


def _base64(octets: bytes, offset: int) -> bytes:
    """What of the base64 is the same whatever stands before and after the word."""
    encoded = base64.b64encode(bytes(offset) + octets)
    whole = (offset + len(octets)) // 3 * 4
    return encoded[-(-offset * 8 // 6) : whole]


def _upper_escapes(word: str) -> str:
    return "".join(letter if letter.isascii() else f"\\u{ord(letter):04X}" for letter in word)


def _octal(octets: bytes) -> str:
    return _escaped(octets, "\\{:03o}")


def _escaped(octets: bytes, escape: str) -> str:
    return "".join(chr(o) if o < 128 else escape.format(o) for o in octets)


def search(content: bytes, words: Iterable[str], where: str, *, depth: int = 0) -> list[Hit]:
    """Every hit in the bytes, and in every deflate, zlib or gzip stream that begins in them."""
    hits = []
    for word in words:
        for how, needle in encodings(word).items():
            at = content.find(needle)
            while at >= 0:
                around = content[max(0, at - _AROUND) : at + len(needle) + _AROUND]
                hits.append(Hit(where=where, how=how, around=around))
                at = content.find(needle, at + len(needle))
    if depth < _DEEPEST:
        for at, inflated in _inflated(content):
            hits += search(inflated, words, f"{where}, inflated at {at}", depth=depth + 1)
    return hits


def _inflated(content: bytes) -> Iterator[tuple[int, bytes]]:
    """What can be inflated, if only its beginning: a stream may be cut."""
    view = memoryview(content)
    for found in _PACKED.finditer(content):
        at, bits = found.start(), _ZLIB
        if content[at] == ord("P"):
            if content[at + 8 : at + 10] != b"\x08\x00":
                continue
            name, extra = content[at + 26 : at + 28], content[at + 28 : at + 30]
            at += 30 + int.from_bytes(name, "little") + int.from_bytes(extra, "little")
            bits = _RAW
        elif content[at] == 0x1F:
            bits = _GZIP
        plain = _inflate(view[at:], bits)
        if plain:
            yield at, plain


def _inflate(packed: memoryview, bits: int) -> bytes:
    """As much as comes out before the end, the limit or damage."""
    inflater, plain, fed = zlib.decompressobj(bits), bytearray(), 0
    try:
        while fed < len(packed) and not inflater.eof and len(plain) < _MOST_INFLATED:
            plain += inflater.decompress(packed[fed : fed + 4096])
            fed += 4096
    except zlib.error:
        pass
    return bytes(plain)


def search_folder(folder: Path, words: Iterable[str]) -> list[Hit]:
    """Every hit in the files below the folder, and in their names; a server may remove some."""
    known = tuple(words)
    hits = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        hits += search(name.encode(), known, f"the name {name}")
        with suppress(FileNotFoundError):
            hits += search(path.read_bytes(), known, name)
    return hits
