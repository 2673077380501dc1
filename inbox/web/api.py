"""The case systems' API: list, collect, and the words accepted, registered, refused.

Words are idempotent by their content, so no key or ETag is needed to repeat one. HEAD and Range
are not offered.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Final, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from inbox.errors import NotFound
from inbox.line import Line
from inbox.line.contents import unsealed
from inbox.line.moves import system
from inbox.line.moves.system import Said
from inbox.line.moves.unit import Content
from inbox.package.container import Container
from inbox.tables import Delivery
from inbox.web.auth import Asking, TheLine
from inbox.web.problems import SECURITY, Refused

LONGEST_BODY: Final = 64 * 1024
_CHUNK: Final = 256 * 1024

W = TypeVar("W", bound=BaseModel)

router = APIRouter(prefix="/api/v1/deliveries", tags=["deliveries"])


class DeliveryEntry(BaseModel):
    """A standing delivery, as the list shows it: nothing about its message."""

    id: str
    number: int
    state: str
    offered_at: str
    collected_at: str | None


class Deliveries(BaseModel):
    """One page of standing deliveries, oldest first; `next` is what to give as `after`."""

    deliveries: list[DeliveryEntry]
    next: str | None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Registered(_Strict):
    """*Journalført*: the archive's reference, which the sender will be told."""

    reference: str = Field(min_length=1, max_length=200)


class Refusal(_Strict):
    """The case system says no. The code is its own; the text stays here, sealed."""

    code: str = Field(min_length=1, max_length=60)
    text: str = Field(default="", max_length=2000)


class SaidAnswer(BaseModel):
    """What became of a word."""

    said: Said


@router.get("")
def deliveries(
    asks: Asking,
    line: TheLine,
    after: Annotated[str | None, Query(max_length=32)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Deliveries:
    """The case system's own standing deliveries, oldest first."""
    found = system.deliveries(line, asks, after=after, at_most=limit)
    return Deliveries(
        deliveries=[_entry(delivery) for delivery in found],
        next=found[-1].id if len(found) == limit else None,
    )


def _entry(delivery: Delivery) -> DeliveryEntry:
    collected = delivery.collected_at
    return DeliveryEntry(
        id=delivery.id,
        number=delivery.number,
        state=delivery.state.value,
        offered_at=delivery.offered_at.isoformat(),
        collected_at=None if collected is None else collected.isoformat(),
    )


@router.get("/{delivery_id}")
def delivery(delivery_id: str, asks: Asking, line: TheLine) -> JSONResponse:
    """Collect: what the case system needs to register the message. Repeatable."""
    content = system.collect(line, asks, delivery_id)
    message = content.message
    part = unsealed(message, content.key, "sealed_metadata") or {}
    documents = unsealed(message, content.key, "sealed_documents") or []
    return JSONResponse(
        {
            **_entry(content.delivery).model_dump(),
            "message_id": message.id,
            "wire_id": message.wire_id,
            "conversation_id": part.get("conversation_id"),
            "organisation": message.organisation,
            "sender": message.sender,
            "service": message.service.value,
            "process": part.get("process"),
            "sent_at": None if message.sent_at is None else message.sent_at.isoformat(),
            "received_at": message.received_at.isoformat(),
            "unit": message.unit,
            "urgent": message.urgent,
            "screening": {
                "shielding": message.shielding,
                "access_restriction": part.get("access_restriction"),
                "authority": part.get("screening_authority"),
            },
            "archive": unsealed(message, content.key, "sealed_archive"),
            "missing": json.loads(message.missing or "[]"),
            "verdict": json.loads(message.verdict or "null"),
            "package": {"sha256": message.digest, "size": message.size},
            "documents": [
                {"number": number, **document} for number, document in enumerate(documents, 1)
            ],
        }
    )


@router.get("/{delivery_id}/package")
def package(delivery_id: str, asks: Asking, line: TheLine) -> StreamingResponse:
    """The container as the sender made it, byte for byte."""
    content = system.collect(line, asks, delivery_id)
    return _stream(
        _package_bytes(line, content),
        name=f"{content.message.id}.asice",
        size=content.message.size,
        digest=content.message.digest,
    )


@router.get("/{delivery_id}/documents/{number}")
def document(delivery_id: str, number: int, asks: Asking, line: TheLine) -> StreamingResponse:
    """One document, by its number in the delivery."""
    content = system.collect(line, asks, delivery_id)
    documents = unsealed(content.message, content.key, "sealed_documents") or []
    if not 1 <= number <= len(documents):
        raise NotFound
    wanted = documents[number - 1]
    return _stream(
        _document_bytes(line, content, wanted["name"]),
        name=wanted["name"],
        size=wanted["size"],
        digest=wanted["sha256"],
    )


def _package_bytes(line: Line, content: Content) -> Iterator[bytes]:
    assert content.message.object_name is not None
    with line.vault.open(content.message.object_name, content.key.object_key()) as source:
        while chunk := source.read(_CHUNK):
            yield chunk


def _document_bytes(line: Line, content: Content, name: str) -> Iterator[bytes]:
    assert content.message.object_name is not None
    with line.vault.open(content.message.object_name, content.key.object_key()) as source:
        yield from Container(source, line.terms.limits).stream(name)


def _stream(chunks: Iterator[bytes], *, name: str, size: int, digest: str) -> StreamingResponse:
    """An attachment that no browser opens; an error on the way cuts the connection."""
    return StreamingResponse(
        chunks,
        media_type="application/octet-stream",
        headers={
            **SECURITY,
            "content-length": str(size),
            "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "x-sha256": digest,
        },
    )


async def _body(request: Request) -> bytes:
    """The whole body, if it is as small as a word."""
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LONGEST_BODY:
            raise Refused(413)
    return raw


Body = Annotated[bytes, Depends(_body)]


@router.post("/{delivery_id}/accepted")
def accepted(delivery_id: str, asks: Asking, line: TheLine, body: Body) -> Response:
    """The case system has the bytes. No receipt follows from this."""
    if body.strip() not in (b"", b"{}"):
        raise Refused(422)
    return _said(system.accepted(line, asks, delivery_id))


@router.post("/{delivery_id}/registered")
def registered(delivery_id: str, asks: Asking, line: TheLine, body: Body) -> Response:
    """*Journalført*: the only word that makes a kvittering."""
    word = _read(Registered, body)
    return _said(system.registered(line, asks, delivery_id, reference=word.reference))


@router.post("/{delivery_id}/refused")
def refused(delivery_id: str, asks: Asking, line: TheLine, body: Body) -> Response:
    """The case system says no: people decide what happens next."""
    word = _read(Refusal, body)
    return _said(system.refused(line, asks, delivery_id, code=word.code, text=word.text))


def _read(kind: type[W], body: bytes) -> W:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        malformed = any(each["type"] == "json_invalid" for each in error.errors())
        raise Refused(400 if malformed else 422) from error


def _said(said: Said) -> Response:
    if said is Said.CONFLICT:
        raise Refused(409, "word.conflict")
    status = 202 if said is Said.KEPT else 200
    return JSONResponse(SaidAnswer(said=said).model_dump(mode="json"), status)
