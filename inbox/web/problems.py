"""Error responses to the outside: the only module that knows HTTP status codes.

Every error is `application/problem+json` (RFC 9457): a stable code, what it means and what to do in
words of ours. Never a reason from inside, never a word of what was sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException

from inbox import log
from inbox.errors import (
    ConcurrentWrite,
    Conflict,
    InboxError,
    Invalid,
    NotFound,
    NotPermitted,
    Unavailable,
)
from inbox.line.moves.case_system import Said

MEDIA_TYPE: Final = "application/problem+json"
SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""The headers of every response that says nothing else."""
STATUS_OF_RESULT: Final[Mapping[Said, int]] = {Said.DONE: 200, Said.REPEATED: 200, Said.KEPT: 202}
"""The status of what became of a word; `Said.CONFLICT` is a problem."""
READY: Final = 200
UNREADY: Final = 503
"""The status of a process that should get no requests now."""
_INTERNAL: Final = 500


class Wrong(BaseModel):
    """One thing that is wrong with a request, without the value."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    where: str
    """`body` or `query`."""
    field: str | None = None
    """The field that it is about; absent for the whole, and for fields that we do not know."""
    rule: str
    """What does not hold, e.g. `missing`, `string_too_long`, `extra_forbidden`."""


class Problem(BaseModel):
    """What went wrong, after RFC 9457. Act on `code`; the texts may change."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str = "about:blank"
    title: str
    """What it means."""
    status: int
    detail: str
    """What to do."""
    code: str
    """Stable, for machines."""
    errors: list[Wrong] | None = None


@dataclass(frozen=True, kw_only=True)
class _ProblemText:
    status: int
    title: str
    detail: str
    code: str | None = None
    """In place of the error's own code, where that would say too much."""
    headers: Mapping[str, str] | None = None


_NOT_FOUND = _ProblemText(
    status=404,
    title="There is nothing here that is yours",
    detail="Check the address. What is not yours and what does not exist are the same answer.",
    code="not_found",
)
_PROBLEM_OF_ERROR: Final[Mapping[type[InboxError], _ProblemText]] = {
    NotFound: _NOT_FOUND,
    NotPermitted: _ProblemText(
        status=403,
        title="You may not do this",
        detail="Ask the archive of the organisation who may.",
        code="not_permitted",
    ),
    ConcurrentWrite: _ProblemText(
        status=UNREADY,
        title="Another wrote the same at this moment",
        detail="Nothing was changed. Repeat the same request.",
        headers={"retry-after": "1"},
    ),
    Conflict: _ProblemText(
        status=409,
        title="Something else stands in the way",
        detail="Nothing was changed. Look at it again before you repeat the request.",
    ),
    Invalid: _ProblemText(
        status=422,
        title="The request cannot be understood",
        detail="Correct it as the API description says; repeating it unchanged will not help.",
    ),
    Unavailable: _ProblemText(
        status=UNREADY,
        title="Something that is needed is away for the moment",
        detail="Repeat the same request later. Nothing is lost.",
        headers={"retry-after": "30"},
    ),
}
_INTERNAL_PROBLEM = _ProblemText(
    status=_INTERNAL,
    title="It failed on our side",
    detail="Repeat the request later; if it fails again, tell the operator the time of it.",
    code="internal",
)
_UNAUTHENTICATED = _ProblemText(
    status=401,
    title="No valid key was given",
    detail="Send the case system's key as `Authorization: Bearer <key>`.",
    code="not_signed_in",
    headers={"www-authenticate": "Bearer"},
)
_TOO_LARGE = _ProblemText(
    status=413,
    title="The body is too large",
    detail="A body is at most 65536 bytes here.",
    code="request.too_large",
)
_NOT_JSON = _ProblemText(
    status=400,
    title="The body is not JSON",
    detail="Send one JSON object, in UTF-8, as application/json.",
    code="request.not_json",
)
_NOT_NAMED_JSON = _ProblemText(
    status=415,
    title="The body is not said to be JSON",
    detail=(
        "Send the header `Content-Type: application/json`. `curl -d` says that it sends a form:"
        " add `-H 'Content-Type: application/json'`."
    ),
    code="request.content_type",
    headers={"accept-post": "application/json"},
)
_PROBLEM_OF_STATUS: Final[Mapping[int, _ProblemText]] = {
    400: _NOT_JSON,
    404: _NOT_FOUND,
    405: _ProblemText(
        status=405,
        title="This cannot be done here",
        detail="The header Allow says what can.",
        code="method_not_allowed",
    ),
}
_DETAIL_OF_CODE: Final[Mapping[str, str]] = {
    "word.conflict": (
        "Another final word stands for this delivery. Nothing was changed, and a person in the"
        " archive has been informed."
    )
}
"""What to do, for codes that can say it better than their kind of error."""
_STATUS_DESCRIPTIONS: Final[Mapping[int, str]] = {
    400: "The body is not JSON",
    401: "No valid key",
    404: "Not there, or not yours: the same answer",
    409: "Something else stands in the way; nothing was changed",
    413: "The body is too large",
    415: "The body is not said to be JSON: its Content-Type is missing or another",
    422: "The request cannot be understood",
    503: "Something is away for the moment: repeat it later",
}


def problem_response(error: InboxError) -> JSONResponse:
    """The error response for an error of ours; errors on our side are logged."""
    kinds = (kind for kind in type(error).__mro__ if issubclass(kind, InboxError))
    told = next(
        (_PROBLEM_OF_ERROR[kind] for kind in kinds if kind in _PROBLEM_OF_ERROR), _INTERNAL_PROBLEM
    )
    if told.status >= _INTERNAL:
        _log(error, error.code)
    told = replace(told, detail=_DETAIL_OF_CODE.get(error.code, told.detail))
    return _response(told, code=told.code or error.code)


def unauthenticated() -> JSONResponse:
    """The one response to a missing, wrong or expired key."""
    return _response(_UNAUTHENTICATED)


def too_large() -> JSONResponse:
    """The response to a body above the limit."""
    return _response(_TOO_LARGE)


def not_named_json() -> JSONResponse:
    """The response to a body whose content type is missing or is not JSON's."""
    return _response(_NOT_NAMED_JSON)


def check_no_conflict(said: Said) -> None:
    """Raise `Conflict` if another final acknowledgement exists already.

    A person has a task to decide.
    """
    if said is Said.CONFLICT:
        raise Conflict("word.conflict")


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of an endpoint, for the API description."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": _STATUS_DESCRIPTIONS[status], "content": {MEDIA_TYPE: schema}}
        for status in statuses
    }


def install_error_handlers(app: FastAPI) -> None:
    """Turn every error of the app into a problem response, including unknown paths and methods."""

    @app.exception_handler(InboxError)
    def ours(request: Request, error: InboxError) -> JSONResponse:
        del request
        return problem_response(error)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        del request
        return _invalid(error)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> JSONResponse:
        del request
        told = _PROBLEM_OF_STATUS.get(error.status_code, _INTERNAL_PROBLEM)
        return _response(replace(told, headers=error.headers))

    # The texts of these hold what they could not validate: they must not get to the server's log.
    @app.exception_handler(ValidationError)
    @app.exception_handler(ResponseValidationError)
    @app.exception_handler(Exception)
    def internal(request: Request, error: Exception) -> JSONResponse:
        del request
        _log(error, "internal")
        return _response(_INTERNAL_PROBLEM)


def _invalid(error: RequestValidationError) -> JSONResponse:
    found: Sequence[Mapping[str, Any]] = error.errors()
    if any(wrong["loc"][0] == "path" for wrong in found):
        return _response(_NOT_FOUND)
    if any(wrong["type"] == "json_invalid" for wrong in found):
        return _response(_NOT_JSON)
    return _response(
        _PROBLEM_OF_ERROR[Invalid],
        code="request.invalid",
        errors=[_field_error(one) for one in found],
    )


def _field_error(found: Mapping[str, Any]) -> Wrong:
    """Where and which rule. The name of a field that is not ours is the sender's word: left out."""
    where, *inner = found["loc"]
    ours = found["type"] != "extra_forbidden"
    names = [part for part in inner if ours and isinstance(part, str)]
    return Wrong(where=where, field=".".join(names) or None, rule=found["type"])


def _response(
    told: _ProblemText, *, code: str | None = None, errors: list[Wrong] | None = None
) -> JSONResponse:
    problem = Problem(
        title=told.title,
        status=told.status,
        detail=told.detail,
        code=code or told.code or "internal",
        errors=errors,
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        told.status,
        {**SECURITY_HEADERS, **(told.headers or {})},
        media_type=MEDIA_TYPE,
    )


def _log(error: Exception, code: str) -> None:
    """Its code and its type, never its text."""
    log.emit(
        log.LogEvent.FAILED, {log.LogField.CODE: code, log.LogField.ERROR: type(error).__name__}
    )
