"""Which file names a package may have; we never store files under them, but others may."""

import re
import unicodedata
from collections.abc import Iterable

from inbox.errors import PackageRejected

METADATA_FOLDER = "META-INF/"
_METADATA_FILE = "META-INF"
_MAX_CHARACTERS = 255
"""In one level, as in most file systems."""
_MAX_BYTES = 1024
_CONTROL = (
    "\\x00-\\x1f\\x7f-\\x9f"  # C0, DEL, C1
    "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069"  # turns the direction of text
    "\\u2028\\u2029\\ufffe\\uffff"
)
CONTROL = re.compile(f"[{_CONTROL}]")
_DOTS = re.compile(r"[\s.]")
_DRIVE = re.compile(r"[A-Za-z]:")


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
    in_metadata = name.startswith(METADATA_FOLDER)
    faults = {
        "length": size > _MAX_BYTES or max(len(_nfc(level)) for level in levels) > _MAX_CHARACTERS,
        "path": not all(_DOTS.sub("", _folded(each)) for each in levels) or "\\" in name,
        "drive": any(_DRIVE.match(level) for level in levels),
        "characters": CONTROL.search(name) is not None,
        "metadata": _folded(levels[0]) == _folded(_METADATA_FILE) and not in_metadata,
    }
    for fault, found in faults.items():
        if found:
            raise PackageRejected("container.name", fault)


def check_distinct(names: Iterable[str]) -> None:
    """Refuse names that some reader treats as equal: case, normalisation, a file used as a folder.

    A folder may be there on its own account and for the files in it.
    """
    seen: set[str] = set()
    folders: set[str] = set()
    files: set[str] = set()
    for name in names:
        folded = "/".join(_folded(level) for level in name.removesuffix("/").split("/"))
        if folded in seen:
            raise PackageRejected("container.name_collision", "same name")
        seen.add(folded)
        parts = folded.split("/")
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
        (folders if name.endswith("/") else files).add(folded)
    if files & folders:
        raise PackageRejected("container.name_collision", "file and folder")


def _folded(level: str) -> str:
    """One level as the most careless of file systems compares it."""
    seen = _nfc(_nfc(level).casefold())
    return "".join(each for each in seen if unicodedata.category(each) != "Cf").rstrip(" .")


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
