"""Which file names a package may have: odd ones are noted, what cannot be held apart is refused.

Documents are fetched by number and saved under safe, distinct names, so a name need only differ
from the others. Refused are NUL, an empty level, an absolute path, `..`, what some reader takes
for META-INF, and exactly the same name twice.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from inbox.errors import PackageRejected

METADATA_FOLDER = "META-INF/"
_METADATA_FILE = "META-INF"
_LONG_LEVEL = 255
"""Characters in one level that most file systems take."""
_MAX_BYTES = 1024
ODD_NAME: Final = "odd_name"
ALIKE_NAMES: Final = "alike_names"
_CONTROL = (
    "\\x00-\\x1f\\x7f-\\x9f"  # C0, DEL, C1
    "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069"  # turns the direction of text
    "\\u2028\\u2029\\ufffe\\uffff"
)
CONTROL = re.compile(f"[{_CONTROL}]")
_DOTS = re.compile(r"[\s.]")
_DRIVE = re.compile(r"[A-Za-z]:")
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:[/\\]")
_SEPARATORS = re.compile(r"[/\\]")


def read_name(raw: bytes, *, utf8: bool) -> str:
    """Decode the name: UTF-8 where the entry says so, else ASCII.

    Unicode normalisation is left as it is.

    A folder's name ends with a slash.
    """
    try:
        name = raw.decode("utf-8" if utf8 else "ascii")
    except UnicodeDecodeError as error:
        raise PackageRejected("container.name", "encoding") from error
    _check_name(name, len(raw))
    return name


def _check_name(name: str, size: int) -> None:
    levels = name.removesuffix("/").split("/")
    places = _SEPARATORS.split(name)
    in_metadata = name.startswith(METADATA_FOLDER)
    faults = {
        "length": size > _MAX_BYTES,
        "path": not all(_DOTS.sub("", _folded(each)) for each in levels),
        "upwards": any(_leads_upwards(each) for each in places),
        "absolute": _ABSOLUTE.match(name) is not None,
        "characters": "\0" in name,
        "metadata": _folded(places[0]) == _folded(_METADATA_FILE) and not in_metadata,
    }
    for fault, found in faults.items():
        if found:
            raise PackageRejected("container.name", fault)


def _leads_upwards(place: str) -> bool:
    """Two dots or more and nothing else that a careless file system sees."""
    seen = "".join(each for each in place if unicodedata.category(each) != "Cf")
    return ".." in seen and not _DOTS.sub("", seen)


def check_distinct(names: Iterable[str]) -> None:
    """Refuse exactly the same name twice."""
    listed = list(names)
    if len(set(listed)) != len(listed):
        raise PackageRejected("container.name_collision", "same name")


def name_notes(names: Iterable[str]) -> tuple[str, ...]:
    """What is odd about the names, without any of them."""
    listed = tuple(names)
    notes = {ODD_NAME: any(map(_is_odd, listed)), ALIKE_NAMES: _are_alike(listed)}
    return tuple(note for note, is_so in notes.items() if is_so)


def shown_name(name: str) -> str:
    """The name with what no screen shows, or what turns text around, as an escape."""
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", name)


def _is_odd(name: str) -> bool:
    levels = name.removesuffix("/").split("/")
    return (
        CONTROL.search(name) is not None
        or "\\" in name
        or any(_DRIVE.match(level) or len(_nfc(level)) > _LONG_LEVEL for level in levels)
    )


def _are_alike(names: Iterable[str]) -> bool:
    """Whether some reader treats two as equal: case, normalisation, a file used as a folder.

    A folder may be there on its own account and for the files in it.
    """
    seen: set[str] = set()
    folders: set[str] = set()
    files: set[str] = set()
    for name in names:
        folded = "/".join(_folded(level) for level in name.removesuffix("/").split("/"))
        if folded in seen:
            return True
        seen.add(folded)
        parts = folded.split("/")
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
        (folders if name.endswith("/") else files).add(folded)
    return bool(files & folders)


def _folded(level: str) -> str:
    """One level as the most careless of file systems compares it."""
    seen = _nfc(_nfc(level).casefold())
    return "".join(each for each in seen if unicodedata.category(each) != "Cf").rstrip(" .")


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
