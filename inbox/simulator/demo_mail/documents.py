"""Small real documents for made-up letters, and a large one that is made while it is read."""

import random
import threading
import weakref
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import BinaryIO

from inbox.simulator.packages.builder import Parcel, ParcelDocument, write_package

_BLOCK = 1 << 20


def pdf(*lines: str) -> bytes:
    """A PDF of one page with these lines on it."""
    shown = "\n".join(f"({_escaped(line)}) Tj T*" for line in lines)
    page = f"BT /F1 11 Tf 15 TL 60 780 Td\n{shown}\nET".encode("cp1252", "replace")
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    resources = b"/Resources << /Font << /F1 5 0 R >> >>"
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R %s >>" % resources,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
        font,
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, part in enumerate(parts, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(parts) + 1)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


_MEDIA_TYPES = {"pdf": "application/pdf", "txt": "text/plain", "csv": "text/csv"}


def document(name: str, *lines: str) -> ParcelDocument:
    """A document by the ending of its name: pdf, or plain text with these lines."""
    ending = name.rpartition(".")[2]
    content = pdf(*lines) if ending == "pdf" else ("\n".join(lines) + "\n").encode()
    return ParcelDocument(name, _MEDIA_TYPES[ending], content)


def recording(name: str, size: int, seed: str) -> ParcelDocument:
    """A film of so many bytes that nothing can play and nothing can compress."""

    def chunks() -> Iterator[bytes]:
        head = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
        yield head
        source, left = random.Random(seed), size - len(head)
        while left > 0:
            yield source.randbytes(min(_BLOCK, left))
            left -= _BLOCK

    return ParcelDocument(name, "video/mp4", chunks)


class Wrapped:
    """A package as a source for the gateway: made once, when first asked for, the same ever after.

    Making it anew would give other bytes, as names in it are random.
    """

    def __init__(self, parcel: Parcel) -> None:
        self._parcel = parcel
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None

    def __call__(self) -> Iterator[bytes]:
        """The bytes, in pieces; several may read at a time."""
        file, position = self._made(), 0
        while True:
            with self._lock:
                file.seek(position)
                chunk = file.read(_BLOCK)
            if not chunk:
                return
            position += len(chunk)
            yield chunk

    def _made(self) -> BinaryIO:
        with self._lock:
            if self._file is None:
                self._file = TemporaryFile()  # noqa: SIM115 - closed when nobody can ask any more
                weakref.finalize(self, self._file.close)
                write_package(self._file, self._parcel)
            return self._file
