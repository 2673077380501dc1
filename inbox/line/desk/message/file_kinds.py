"""The kinds of files in a package, by their media types alone: a name is never read for it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_KINDS: Final = {
    "application/pdf": "PDF",
    "application/msword": "Word",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
    "application/vnd.oasis.opendocument.text": "ODT",
    "application/vnd.ms-excel": "Excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel",
    "application/vnd.oasis.opendocument.spreadsheet": "ODS",
    "application/vnd.ms-powerpoint": "PowerPoint",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint",
    "application/rtf": "RTF",
    "application/xml": "XML",
    "text/xml": "XML",
    "application/json": "JSON",
    "application/zip": "ZIP",
    "text/plain": "TXT",
    "text/html": "HTML",
    "text/csv": "CSV",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/tiff": "TIFF",
    "image/gif": "GIF",
    "message/rfc822": "EML",
    "video/mp4": "MP4",
    "audio/mpeg": "MP3",
}
"""By media type; any other file has no kind, however its name ends."""
OTHER_KIND: Final = "?"


@dataclass(frozen=True, kw_only=True)
class FileKind:
    """How many files of a kind, by extension or media type alone."""

    kind: str
    """`PDF`, `Word`, `XML`, …; `?` for what has no known kind."""
    count: int


def kind_of(media_type: str) -> str:
    """The kind of one file: see `FileKind`."""
    return _KINDS.get(media_type, OTHER_KIND)


def file_kinds(media_types: Iterable[str]) -> tuple[FileKind, ...]:
    """How many there are of each kind, the most first."""
    counted = Counter(map(kind_of, media_types))
    return tuple(
        FileKind(kind=kind, count=count)
        for kind, count in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    )
