"""Decides in which character set XML is written: by mark, by pattern, by declaration (XML 1.0 F).

A byte order mark, or the pattern of the first bytes, says how wide the letters are; the
declaration says which set it is. Both must agree, as every parser of the field demands. Which
other readings a parser could choose matters once no single one is right: then a grade is looked
for in all of them.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_DECLARED: Final = re.compile(r"""\s*<\?xml\b[^>]*?\bencoding\s*=\s*(?:"([^">]*)"|'([^'>]*)')""")
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""The longest first: the mark of UTF-16 is the beginning of that of UTF-32."""
_PATTERNS: Final = (
    (re.compile(rb"<\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0<"), "utf-32-be"),
    (re.compile(rb"<\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0<\0[^\0]"), "utf-16-be"),
)
"""XML without a mark begins with `<`, which shows the width of its letters."""
_WIDE: Final = {
    "utf-16-le": frozenset({"utf-16", "utf-16-le"}),
    "utf-16-be": frozenset({"utf-16", "utf-16-be"}),
    "utf-32-le": frozenset({"utf-32", "utf-32-le"}),
    "utf-32-be": frozenset({"utf-32", "utf-32-be"}),
}
_OTHER_NAMES: Final = {
    "iso-10646-ucs-2": "utf-16",
    "ucs-2": "utf-16",
    "iso-10646-ucs-4": "utf-32",
    "ucs-4": "utf-32",
}
"""Names of XML 1.0 and of the field that Python does not know."""
_NARROW: Final = frozenset(
    {
        "utf-8",
        "ascii",
        *(f"iso8859-{number}" for number in (*range(1, 12), *range(13, 17))),
        *(f"cp{number}" for number in range(1250, 1259)),
    }
)
"""By Python's names. ISO-8859-12 was never published."""
_NO_CHARACTER_SETS: Final = frozenset(
    {"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
_ASSUMED: Final = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-7", "cp037")
_MAX_DECLARATION_BYTES: Final = 4096
UNUSUAL_ENCODING: Final = "unusual_encoding"
"""The note on XML that is read in another character set than UTF-8."""


@dataclass(frozen=True, kw_only=True)
class DecodedXml:
    """The text, and whether it came in another character set than UTF-8."""

    text: str
    is_unusual: bool


def decode_xml(raw: bytes) -> DecodedXml | None:
    """The text without byte order mark; None if the bytes contradict themselves.

    Read are UTF-8, UTF-16 and UTF-32 with or without mark, US-ASCII, ISO-8859-1 to -16 and
    windows-1250 to -1258, each as it is declared; without a declaration UTF-8.
    """
    mark, width = _width(raw)
    declared = declared_encoding(raw)
    name = _name_of((width or "utf-8") if declared is None else declared)
    if width in _WIDE:
        fits, encoding = name in _WIDE[width], width
    else:
        fits, encoding = name == "utf-8" or (name in _NARROW and not mark), name
    if not fits:
        return None
    try:
        text = raw[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        return None
    if "\x00" in text:
        return None
    return DecodedXml(text=text, is_unusual=encoding not in {"utf-8", "ascii"})


def has_unusual_encoding(raw: bytes) -> bool:
    """Whether XML that can be read came in another character set than UTF-8."""
    decoded = decode_xml(raw)
    return decoded is not None and decoded.is_unusual


def declared_encoding(raw: bytes) -> str | None:
    """What the XML declaration says, read in the width that the first bytes show."""
    mark, width = _width(raw)
    head = raw[len(mark) : _MAX_DECLARATION_BYTES]
    text = head.decode(width if width in _WIDE else "latin-1", errors="replace")
    found = _DECLARED.match(text)
    return None if found is None else found[1] or found[2] or ""


def possible_texts(raw: bytes) -> Iterator[str]:
    """The text in every character set that some parser could choose, wrong bytes replaced."""
    declared = _name_of(declared_encoding(raw) or "")
    encodings = dict.fromkeys((*_ASSUMED, declared) if _is_character_set(declared) else _ASSUMED)
    for encoding in encodings:
        yield raw.decode(encoding, errors="replace")


def _width(raw: bytes) -> tuple[bytes, str | None]:
    """The mark, and the encoding that it or the first letters show."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return mark, encoding
    shown = (encoding for pattern, encoding in _PATTERNS if pattern.match(raw))
    return b"", next(shown, None)


def _name_of(declared: str) -> str:
    """Python's name of the character set; empty if it knows none of that name."""
    name = _OTHER_NAMES.get(declared.strip().lower(), declared.strip())
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""


def _is_character_set(name: str) -> bool:
    if not name or name in _NO_CHARACTER_SETS:
        return False
    try:
        b"<".decode(name, errors="replace")
    except (LookupError, UnicodeError):
        return False  # A codec of bytes, such as zip, or one that must see more.
    return True
