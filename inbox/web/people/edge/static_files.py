"""The style sheets: compressed once, named by their digest, kept by browsers for a year.

Pages are never compressed, because the length of a compressed page tells what stands in it. These
files are the same for everybody.
"""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from inbox.errors import ConfigurationError, NotFound

FOLDER: Final = Path(__file__).parent.parent / "static"
VENDOR: Final = FOLDER / "vendor"
STYLE_SHEETS: Final = ("inbox.css", "vendor/designsystemet.css")
"""In the order in which pages name them: the first one sets the order of the layers."""
_DIGEST_LENGTH: Final = 16
_TYPES: Final = {".css": "text/css; charset=utf-8", ".woff2": "font/woff2"}


@dataclass(frozen=True, kw_only=True)
class StaticFile:
    """One file, as it is sent."""

    address: str
    media_type: str
    plain: bytes
    compressed: bytes


def read_static_files() -> dict[str, StaticFile]:
    """The files by the last part of their address. Raises `ConfigurationError`."""
    files = [read_static_file(FOLDER / name) for name in STYLE_SHEETS]
    return {file.address.rpartition("/")[2]: file for file in files}


def static_answer(request: Request, files: dict[str, StaticFile], name: str) -> Response:
    """The file, compressed for browsers that say that they read that."""
    file = files.get(name)
    if file is None:
        raise NotFound
    headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
    accepted = [each.partition(";")[0].strip() for each in _accepted(request)]
    if "gzip" in accepted:
        headers["content-encoding"] = "gzip"
    content = file.compressed if "gzip" in accepted else file.plain
    return Response(content, headers=headers, media_type=file.media_type)


def _accepted(request: Request) -> list[str]:
    return request.headers.get("accept-encoding", "").lower().split(",")


def read_static_file(path: Path) -> StaticFile:
    """One file, with its compressed copy. Raises `ConfigurationError` where it is missing."""
    try:
        plain = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(
            "pages.style_sheets",
            f"{path.name} is missing from the program's folder: run `make setup`, or install the"
            " wheel again",
        ) from None
    digest = hashlib.sha256(plain).hexdigest()[:_DIGEST_LENGTH]
    return StaticFile(
        address=f"/static/{path.stem}-{digest}{path.suffix}",
        media_type=_TYPES[path.suffix],
        plain=plain,
        compressed=compressed(path, plain),
    )


def compressed(path: Path, plain: bytes) -> bytes:
    """What the build compressed; compressed here where somebody has edited the sheet since."""
    built = VENDOR / f"{path.name}.gz"
    if built.is_file():
        compressed = built.read_bytes()
        if gzip.decompress(compressed) == plain:
            return compressed
    return gzip.compress(plain, mtime=0)
