"""What goes over the wire: a call, its answer, pages, and errors in the shape of Spring's."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar

from inbox.simulator.packages.envelopes import OSLO_WINTER

T = TypeVar("T")

OWN = "no.difi.meldingsutveksling.exceptions."
JSON = {"content-type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, read to its end."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    argument: str = ""
    """The part of the path that names something, as a message id."""


@dataclass(frozen=True, kw_only=True)
class SimulatedResponse:
    """One answer; a body that is an iterator is sent chunk by chunk, without Content-Length."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterator[bytes] = b""
    message_id: str | None = None
    """The message this answer speaks of, where the path does not say."""


class Refusal(Exception):
    """The gateway answers with an error body; `exception` is the Java class that stands there."""

    def __init__(
        self,
        status: int,
        exception: str,
        message: str = "",
        *,
        description: str | None = None,
        errors: Sequence[Mapping[str, object]] = (),
    ) -> None:
        super().__init__(exception)
        self.status = status
        self.exception = exception if "." in exception else OWN + exception
        self.message = message
        self.description = description
        self.errors = errors


def json_bytes(value: object) -> bytes:
    """Pretty-printed as Jackson does, nulls left out."""
    text = json.dumps(without_nulls(value), ensure_ascii=False, indent=2, separators=(",", " : "))
    return text.encode()


def without_nulls(value: object) -> object:
    """The same value without members that are None, all the way down."""
    if isinstance(value, Mapping):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [without_nulls(each) for each in value]
    return value


def json_answer(value: object, *, message_id: str | None = None) -> SimulatedResponse:
    """200 with JSON."""
    return SimulatedResponse(headers=JSON, body=json_bytes(value), message_id=message_id)


def nano_time(at: datetime) -> str:
    """Nanoseconds with an offset, as the running gateway wrote them (§11.2)."""
    return re.sub(
        r"(\.\d{6})", r"\g<1>859", at.astimezone(OSLO_WINTER).isoformat(timespec="microseconds")
    )


def micro_time(at: datetime) -> str:
    """Microseconds with an offset, as in statuses."""
    return at.astimezone(OSLO_WINTER).isoformat(timespec="microseconds")


def refusal_answer(refusal: Refusal, path: str, at: datetime) -> SimulatedResponse:
    """The error body, in the key order seen on a running gateway (§11.2)."""
    return SimulatedResponse(
        status=refusal.status,
        headers=JSON,
        body=json_bytes(
            {
                "timestamp": nano_time(at),
                "exception": refusal.exception,
                "message": refusal.message,
                "status": refusal.status,
                "error": HTTPStatus(refusal.status).phrase,
                "path": path,
                "description": refusal.description,
                "errors": list(refusal.errors) or None,
            }
        ),
    )


def unauthorised_answer(path: str, at: datetime) -> SimulatedResponse:
    """401 as §11.6 saw it: without `exception`."""
    body = {
        "timestamp": nano_time(at),
        "message": "Unauthorized",
        "status": 401,
        "error": "Unauthorized",
        "path": path,
    }
    headers = {**JSON, "www-authenticate": 'Basic realm="Realm"'}
    return SimulatedResponse(status=401, headers=headers, body=json_bytes(body))


PAGE_LIMIT = 2000


def page_of(
    rows: Sequence[T],
    call: Call,
    *,
    show: Callable[[T], object],
    sortable: Mapping[str, Callable[[T], str]],
) -> dict[str, object]:
    """A Spring page of the rows; an unknown sort field is 500, as on the running gateway."""
    by, _, direction = call.query.get("sort", "").partition(",")
    if by:
        if by not in sortable:
            raise Refusal(
                500,
                "org.springframework.data.mapping.PropertyReferenceException",
                f"No property '{by}' found",
            )
        rows = sorted(rows, key=sortable[by], reverse=direction.lower() == "desc")
    number = _whole_number(call.query.get("page"), 0)
    size = min(_whole_number(call.query.get("size"), 10) or 10, PAGE_LIMIT)
    shown = [show(row) for row in rows[number * size : (number + 1) * size]]
    pages = -(-len(rows) // size)
    sort = {"empty": not by, "sorted": bool(by), "unsorted": not by}
    pageable = {
        "sort": sort,
        "offset": number * size,
        "pageNumber": number,
        "pageSize": size,
        "paged": True,
        "unpaged": False,
    }
    return {
        "content": shown,
        "pageable": pageable,
        "last": number + 1 >= pages,
        "totalPages": pages,
        "totalElements": len(rows),
        "size": size,
        "number": number,
        "sort": sort,
        "numberOfElements": len(shown),
        "first": number == 0,
        "empty": not shown,
    }


def _whole_number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and re.fullmatch(r"\d{1,9}", text) else otherwise
