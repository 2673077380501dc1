"""Which names a file in a package may have; we never store under them, but others might."""

import re
import unicodedata
from collections.abc import Iterable

from inbox.errors import PackageRejected

METADATA_FOLDER = "META-INF/"
_UTF8_FLAG = 0x800
_MAX_CHARACTERS = 255
_MAX_BYTES = 1024
_MAX_LEVELS = 3
_CONTROL = (
    "\\x00-\\x1f\\x7f-\\x9f"  # C0, DEL, C1
    "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069"  # turns the direction of text
    "\\u2028\\u2029\\ufffe\\uffff"
)
CONTROL = re.compile(f"[{_CONTROL}]")
_DRIVE = re.compile(r"[A-Za-z]:")


def read_name(raw: bytes, flags: int) -> str:
    """The name as it is meant: UTF-8 where the entry says so, else ASCII; NFC or NFD as it came."""
    try:
        name = raw.decode("utf-8" if flags & _UTF8_FLAG else "ascii")
    except UnicodeDecodeError as error:
        raise PackageRejected("container.name", "encoding") from error
    if name.endswith("/"):
        raise PackageRejected("container.special_file", "folder")
    _check(name, len(raw))
    return name


def _check(name: str, size: int) -> None:
    levels = name.split("/")
    faults = {
        "length": size > _MAX_BYTES or len(unicodedata.normalize("NFC", name)) > _MAX_CHARACTERS,
        "levels": len(levels) > _MAX_LEVELS,
        "path": any(level.strip() in {"", ".", ".."} for level in levels) or "\\" in name,
        "drive": _DRIVE.match(name) is not None,
        "characters": CONTROL.search(name) is not None,
        "metadata": _folded(name).startswith("meta-inf") and not name.startswith(METADATA_FOLDER),
    }
    for fault, found in faults.items():
        if found:
            raise PackageRejected("container.name", fault)


def check_distinct(names: Iterable[str]) -> None:
    """Refuse names that some reader would take for one: case, composition, a file as a folder."""
    seen: set[str] = set()
    folders: set[str] = set()
    for name in names:
        folded = _folded(name)
        if folded in seen:
            raise PackageRejected("container.name_collision", "same name")
        seen.add(folded)
        parts = folded.split("/")
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    if seen & folders:
        raise PackageRejected("container.name_collision", "file and folder")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
