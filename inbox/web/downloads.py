"""Streams packages and documents to case systems and people, a chunk at a time, as downloads.

What is damaged is found while it is sent: then the connection is cut, and the receiver sees fewer
bytes than Content-Length said.
"""

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO, Final, Protocol

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from inbox.errors import IntegrityError, NotFound
from inbox.keys import DataKey
from inbox.line import Line
from inbox.line.damage import watch_damage
from inbox.line.sealed_content import unseal_json
from inbox.package.zip.reader import ZipReader
from inbox.tables import Message
from inbox.web.byte_ranges import RangeAsked
from inbox.web.content_disposition import content_disposition, distinct_safe_names
from inbox.web.delivery_view import PACKAGE_TYPE

_CHUNK: Final = 256 * 1024


class DownloadResponse(StreamingResponse):
    """A response that owns the open vault object it reads, and closes it in any case."""

    def __init__(
        self,
        source: BinaryIO,
        chunks: Iterator[bytes],
        headers: dict[str, str],
        media_type: str,
        status: int = 200,
    ) -> None:
        super().__init__(chunks, status, headers=headers, media_type=media_type)
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; what goes wrong after the first byte cuts the connection."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._source.close()


class ReadableMessage(Protocol):
    """A message that the caller may read now, and its data key."""

    @property
    def message(self) -> Message:
        """The row."""

    @property
    def key(self) -> DataKey:
        """The message's."""


def package_download(line: Line, found: ReadableMessage, *, name: str) -> DownloadResponse:
    """The container byte for byte as it was received, under a name without an ending."""
    row = found.message
    with watch_damage(line, row.id):
        source = _open_object(line, found)
    headers = _headers(row.size, row.digest, f'attachment; filename="{name}.asice"')
    chunks = _watched(line, row.id, iter(lambda: source.read(_CHUNK), b""))
    return DownloadResponse(source, chunks, headers, PACKAGE_TYPE)


def document_download(
    line: Line, found: ReadableMessage, number: int, *, asked: RangeAsked | None = None
) -> DownloadResponse:
    """One document, unpacked while it is sent; from the range that was asked for, if it was.

    Raises `NotFound` if there is no document with this number.
    """
    message_id = found.message.id
    with watch_damage(line, message_id):
        listed = unseal_json(found.message, found.key, "sealed_documents") or []
    if not 1 <= number <= len(listed):
        raise NotFound
    document = listed[number - 1]
    names = distinct_safe_names([each["name"] for each in listed])
    disposition = content_disposition(names[number - 1], number)
    size, sha256 = document["size"], document["sha256"]
    headers = _headers(size, sha256, disposition)
    status, part = 200, None
    if asked is not None:
        headers |= {"accept-ranges": "bytes", "etag": f'"{sha256}"'}
        part = asked.of(size, sha256)
    if part is not None:
        status = 206
        headers |= {"content-length": str(part.length), "content-range": part.content_range(size)}
    with watch_damage(line, message_id), ExitStack() as stack:
        source = stack.enter_context(_open_object(line, found))
        # Checked whole when it was received, and authenticated by the vault since: the headers of
        # all others lie far apart in it, and reading them takes longer than everything else here.
        name = document["name"]
        chunks = ZipReader(source, line.terms.limits, only=name).stream(name)
        stack.pop_all()
    watched = _watched(line, message_id, chunks if part is None else part.of_chunks(chunks))
    return DownloadResponse(source, watched, headers, "application/octet-stream", status)


def _watched(line: Line, message_id: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks; damage that shows while they are sent is reported to an operator."""
    with watch_damage(line, message_id):
        yield from chunks


def _open_object(line: Line, found: ReadableMessage) -> BinaryIO:
    if found.message.object_name is None:
        raise IntegrityError("vault.missing", "a message without its object")
    return line.vault.open(found.message.object_name, found.key.object_key())


def _headers(size: int, sha256: str, disposition: str) -> dict[str, str]:
    """The digest is of the bytes as they are sent (RFC 9530)."""
    digest = base64.b64encode(bytes.fromhex(sha256)).decode()
    return {
        "content-length": str(size),
        "repr-digest": f"sha-256=:{digest}:",
        "content-disposition": disposition,
        "accept-ranges": "none",
    }
