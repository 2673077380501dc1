"""The file name of a downloaded document: the sender's name, made safe."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

_ENDING: Final = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")
_FORBIDDEN: Final = frozenset('/\\:*?"<>|')
"""What separates folders, streams and drives, or is no part of a name on some system."""
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Controls, what turns the direction of writing, joiners, and what no font shows."""
_DEVICE_NAMES: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\Z", re.IGNORECASE
)
_AT_THE_EDGE: Final = ". "
_MAX_NAME_BYTES: Final = 200
"""Of a name in UTF-8: file systems allow 255, and a program that saves it may add to it."""


def content_disposition(name: str, number: int) -> str:
    """The Content-Disposition header: always a download, with a plain name and the sender's own.

    The sender's name is made safe and encoded by RFC 8187.
    """
    safe = safe_name(name, number)
    ending = _ENDING.search(safe)
    plain = _numbered_name(number, ending.group() if ending else "")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


def distinct_safe_names(names: Sequence[str]) -> tuple[str, ...]:
    """The safe name of each document, numbered from 1, so that none overwrites another.

    File systems that ignore case or composition hold them apart, too.
    """
    taken: set[str] = set()
    found = []
    for number, name in enumerate(names, start=1):
        safe = safe_name(name, number)
        turn = number
        while _compared(safe) in taken:
            safe = _with_number(safe_name(name, number), turn)
            turn += len(names)
        taken.add(_compared(safe))
        found.append(safe)
    return tuple(found)


def _compared(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _with_number(name: str, number: int) -> str:
    ending = _ENDING.search(name)
    kept = f" ({number}){ending.group() if ending else ''}"
    stem = name.removesuffix(ending.group()) if ending else name
    short = stem.encode()[: _MAX_NAME_BYTES - len(kept)].decode(errors="ignore")
    return f"{short.rstrip(_AT_THE_EDGE)}{kept}"


def safe_name(name: str, number: int) -> str:
    """The sender's name, changed so that every system can save it and shows it is.

    Letters of all languages stay. What could be a path, hide, turn the text around or mean a
    device becomes `_`; of a long one the middle goes, and the ending stays.
    """
    shown = "".join(map(_safe_character, unicodedata.normalize("NFC", name)))
    bare = shown.rstrip(_AT_THE_EDGE).lstrip(" ")
    bare = re.sub(r"\A\.+", lambda dots: "_" * len(dots.group()), bare)
    if not bare.strip("_ ."):
        return _numbered_name(number, "")
    stem, dot, rest = bare.partition(".")
    if _DEVICE_NAMES.match(stem.rstrip()):
        bare = f"{stem.rstrip()}_{dot}{rest}"
    return _shortened(bare)


def _numbered_name(number: int, ending: str) -> str:
    return f"document-{number}{ending}"


def _safe_character(letter: str) -> str:
    category = unicodedata.category(letter)
    if category == "Zs":
        return " "
    return "_" if letter in _FORBIDDEN or category in _INVISIBLE else letter


def _shortened(name: str) -> str:
    ending = _ENDING.search(name)
    kept = ending.group() if ending else ""
    stem = name.removesuffix(kept).encode()[: _MAX_NAME_BYTES - len(kept)].decode(errors="ignore")
    return f"{stem.rstrip(_AT_THE_EDGE)}{kept}"
