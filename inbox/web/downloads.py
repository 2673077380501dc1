"""Streams packages and documents to case systems, a chunk at a time, always as a download.

What is damaged is found while it is sent: then the connection is cut, and the receiver sees fewer
bytes than Content-Length said.
"""

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO, Final

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from inbox.errors import IntegrityError, NotFound
from inbox.line import Line
from inbox.line.damage import watch_damage
from inbox.line.moves.registration import CollectedMessage
from inbox.package.zip.reader import Container
from inbox.web.content_disposition import content_disposition, distinct_safe_names
from inbox.web.delivery_view import PACKAGE_TYPE, document_parts

_CHUNK: Final = 256 * 1024


class DownloadResponse(StreamingResponse):
    """A response that owns the open vault object it reads, and closes it in any case."""

    def __init__(
        self, source: BinaryIO, chunks: Iterator[bytes], headers: dict[str, str], media_type: str
    ) -> None:
        super().__init__(chunks, headers=headers, media_type=media_type)
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; what goes wrong after the first byte cuts the connection."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._source.close()


def package_download(line: Line, found: CollectedMessage) -> DownloadResponse:
    """The container byte for byte as it was received."""
    row = found.message
    with watch_damage(line, row.id):
        source = _open_object(line, found)
    name = f"{found.delivery.id}.asice"
    headers = _headers(row.size, row.digest, f'attachment; filename="{name}"')
    chunks = _watched(line, row.id, iter(lambda: source.read(_CHUNK), b""))
    return DownloadResponse(source, chunks, headers, PACKAGE_TYPE)


def document_download(line: Line, found: CollectedMessage, number: int) -> DownloadResponse:
    """One document, unpacked while it is sent.

    Raises `NotFound` if there is no document with this number.
    """
    message_id = found.message.id
    with watch_damage(line, message_id):
        parts = document_parts(found)
    document = next((each for each in parts if each.number == number), None)
    if document is None:
        raise NotFound
    with watch_damage(line, message_id), ExitStack() as stack:
        source = stack.enter_context(_open_object(line, found))
        chunks = Container(source, line.terms.limits).stream(document.name)
        stack.pop_all()
    names = distinct_safe_names([each.name for each in parts])
    disposition = content_disposition(names[number - 1], number)
    headers = _headers(document.size, document.sha256, disposition)
    watched = _watched(line, message_id, chunks)
    return DownloadResponse(source, watched, headers, "application/octet-stream")


def _watched(line: Line, message_id: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks; damage that shows while they are sent is reported to an operator."""
    with watch_damage(line, message_id):
        yield from chunks


def _open_object(line: Line, found: CollectedMessage) -> BinaryIO:
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
