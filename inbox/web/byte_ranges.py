"""Ranges of a document (RFC 9110, 14): what a browser asks for to go on with a download."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from inbox.errors import InboxError

_ONE_RANGE: Final = re.compile(r"bytes=(\d{1,15})?-(\d{1,15})?")


class RangeNotThere(InboxError):
    """The range begins behind the end of the document (416)."""

    def __init__(self, size: int) -> None:
        super().__init__("range.not_there")
        self.size = size


@dataclass(frozen=True, kw_only=True)
class ByteRange:
    """A part of a document: from the first byte up to the last one, which belongs to it."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """In bytes."""
        return self.last - self.first + 1

    def content_range(self, size: int) -> str:
        """The header Content-Range."""
        return f"bytes {self.first}-{self.last}/{size}"

    def of_chunks(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """These bytes of a stream, which is read to the end so that its checks are made."""
        at = 0
        for chunk in chunks:
            begin, end = max(self.first - at, 0), self.last + 1 - at
            if wanted := chunk[begin : max(end, 0)]:
                yield wanted
            at += len(chunk)


@dataclass(frozen=True, kw_only=True)
class RangeAsked:
    """What a request asks for of a document; the whole where it names no single range of it."""

    header: str = ""
    only_if: str = ""
    """The `If-Range` of the request: a range of other bytes than these is no use."""

    @property
    def goes_on(self) -> bool:
        """Whether it goes on behind the beginning of the document."""
        found = _ONE_RANGE.fullmatch(self.header)
        return found is not None and found[1] is not None and int(found[1]) > 0

    def of(self, size: int, sha256: str) -> ByteRange | None:
        """The range of a document; None for the whole. Raises `RangeNotThere`."""
        found = _ONE_RANGE.fullmatch(self.header)
        if found is None or not any(found.groups()) or self.only_if not in {"", f'"{sha256}"'}:
            return None
        first, last = (None if each is None else int(each) for each in found.groups())
        if first is None:
            first, last = max(size - (last or 0), 0), size - 1
        last = size - 1 if last is None else min(last, size - 1)
        if first > last:
            raise RangeNotThere(size)
        return ByteRange(first=first, last=last)


def range_asked(request: Request) -> RangeAsked:
    """The range that a request asks for."""
    return RangeAsked(
        header=request.headers.get("range", "").strip().lower(),
        only_if=request.headers.get("if-range", "").strip(),
    )
