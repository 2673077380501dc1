"""The product's delivery API as a stranger sees it: events, downloads and answers."""

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile

import httpx

from inbox.simulator.packages.envelopes import look, text_at

IN_MEMORY = 1 << 20
"""Larger packages go to a temporary file; larger documents are not fetched one by one."""
_PATH = "/api/v1/deliveries"
_TIMES = httpx.Timeout(30, connect=5)


class Trouble(Exception):
    """It did not work; `again` says whether it may work later."""

    def __init__(self, code: str, *, again: bool) -> None:
        super().__init__(code)
        self.code = code
        self.again = again


@dataclass(frozen=True, kw_only=True)
class DescribedDocument:
    """One document as the delivery describes it."""

    number: int
    name: str = field(repr=False)
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class DeliveryDescription:
    """What the product says of a delivery."""

    delivery_id: str
    message_id: str
    """The sender's id of the message."""
    sha256: str
    """Of the package; empty if it was not given."""
    documents: tuple[DescribedDocument, ...]
    whole: Mapping[str, object] = field(repr=False)
    """Everything, as it came."""


def read_told(delivery_id: str, value: object) -> DeliveryDescription:
    """Read a delivery; raises `Trouble` if what a case system must have is not there."""
    message_id = text_at(value, "wire_id") or text_at(value, "message_id")
    listed = look(value, "documents")
    if not message_id or not isinstance(listed, list) or not isinstance(value, Mapping):
        raise Trouble("delivery.unreadable", again=False)
    return DeliveryDescription(
        delivery_id=delivery_id,
        message_id=message_id,
        sha256=text_at(value, "package", "sha256") or text_at(value, "sha256"),
        documents=tuple(_document(number, each) for number, each in enumerate(listed, start=1)),
        whole=value,
    )


def _document(place: int, value: object) -> DescribedDocument:
    number, size = look(value, "number"), look(value, "size")
    digest = text_at(value, "sha256")
    if re.fullmatch(r"[0-9a-f]{64}", digest) is None:
        raise Trouble("delivery.unreadable", again=False)
    return DescribedDocument(
        number=number if isinstance(number, int) else place,
        name=text_at(value, "name"),
        sha256=digest,
        size=size if isinstance(size, int) else 0,
    )


class ProductApi:
    """The product at a base URL, with a key of ours. Every method may raise `Trouble`."""

    def __init__(self, base_url: str, key: str) -> None:
        self._client = httpx.Client(
            base_url=base_url,
            headers={"authorization": f"Bearer {key}"},
            timeout=_TIMES,
            trust_env=False,
        )

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def waiting(self, at_most: int = 50) -> Iterator[str]:
        """The ids of all our standing deliveries, asked for page by page."""
        after: str | None = None
        while True:
            query = {"limit": str(at_most)} | ({} if after is None else {"after": after})
            listed = look(self._json("", query), "deliveries")
            ids = (
                [text_at(each, "delivery_id") for each in listed]
                if isinstance(listed, list)
                else []
            )
            yield from ids
            if len(ids) < at_most:
                return
            after = ids[-1]

    def told(self, delivery_id: str) -> DeliveryDescription:
        """What the product says of it."""
        return read_told(delivery_id, self._json(f"/{delivery_id}", {}))

    @contextmanager
    def package(self, delivery_id: str) -> Iterator[tuple[SpooledTemporaryFile[bytes], str]]:
        """The original bytes and their digest, until the `with` ends."""
        digest = hashlib.sha256()
        with SpooledTemporaryFile[bytes](max_size=IN_MEMORY) as kept:
            try:
                with self._client.stream("GET", f"{_PATH}/{delivery_id}/package") as answer:
                    _check(answer)
                    for chunk in answer.iter_bytes():
                        digest.update(chunk)
                        kept.write(chunk)
            except httpx.HTTPError as error:
                raise Trouble(f"network.{type(error).__name__}", again=True) from error
            kept.seek(0)
            yield kept, digest.hexdigest()

    def document(self, delivery_id: str, number: int) -> bytes:
        """One document by its number."""
        return self._ask("GET", f"/{delivery_id}/documents/{number}").content

    def say(self, delivery_id: str, word: str, body: Mapping[str, str]) -> tuple[int, str]:
        """Our word; gives the status, and what the product made of it or its problem's code."""
        answer = self._ask("POST", f"/{delivery_id}/{word}", content=body, accept=(409, 404, 422))
        said = _read_json(answer.content)
        return answer.status_code, text_at(said, "said") or text_at(said, "code")

    def _json(self, path: str, query: Mapping[str, str]) -> object:
        return _read_json(self._ask("GET", path, query=query).content)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (),
    ) -> httpx.Response:
        try:
            answer = self._client.request(method, _PATH + path, params=query, json=content)
        except httpx.HTTPError as error:
            raise Trouble(f"network.{type(error).__name__}", again=True) from error
        if answer.status_code not in accept:
            _check(answer)
        return answer


def _check(answer: httpx.Response) -> None:
    """A 2xx, or `Trouble`: only 429 and what goes wrong over there may work later."""
    if not answer.is_success:
        again = answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS
        raise Trouble(f"status.{answer.status_code}", again=again)


def _read_json(content: bytes) -> object:
    try:
        return json.loads(content or b"null")
    except ValueError as error:
        raise Trouble("answer.not_json", again=True) from error


def check_contents(kept: SpooledTemporaryFile[bytes], told: DeliveryDescription) -> None:
    """Unpack it, and compare every document with the digest that was given."""
    try:
        with zipfile.ZipFile(kept) as archive:
            found = {_digest(archive, name) for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        raise Trouble("package.unreadable", again=False) from error
    if any(document.sha256 not in found for document in told.documents):
        raise Trouble("package.other_documents", again=False)


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as entry:
        while chunk := entry.read(IN_MEMORY):
            digest.update(chunk)
    return digest.hexdigest()
