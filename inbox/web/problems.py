"""What the outside is told when something is wrong: the only place with HTTP status codes.

`application/problem+json` (RFC 9457) with a stable code and what to do; never a reason from inside,
never what was sent in.
"""

import json
from collections.abc import Mapping
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from inbox import errors, log

_STATUS: Final[tuple[tuple[type[errors.InboxError], int], ...]] = (
    (errors.NotFound, 404),
    (errors.NotPermitted, 403),
    (errors.Conflict, 409),
    (errors.Invalid, 422),
    (errors.Unavailable, 503),
)
_TEXTS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("malformed", "The request cannot be read: send JSON as the API describes it."),
    401: ("no_key", "Send the case system's own key as a bearer token."),
    403: ("not_permitted", "This is not allowed for this case system."),
    404: ("not_found", "There is no such thing, or it is not yours."),
    405: ("method", "This method is not allowed here."),
    409: ("conflict", "Something else stands already: look again before you repeat it."),
    413: ("too_large", "The request is larger than any word of a case system."),
    415: ("media_type", "Send application/json."),
    422: ("invalid", "A value is not as the API describes it."),
    500: ("internal", "Something is wrong on our side; it has been noted. Try again later."),
    503: ("unavailable", "Not possible just now: try again later."),
}
SECURITY: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""On every answer of the API."""


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """An answer of this face itself, by its status."""

    def __init__(self, status: int, code: str | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.code = code


def problem(status: int, code: str | None = None) -> Response:
    """The problem as it is sent."""
    known, text = _TEXTS.get(status, _TEXTS[500])
    body = {"type": "about:blank", "status": status, "code": code or known, "title": text}
    headers = dict(SECURITY)
    if status == 401:  # noqa: PLR2004 - the one status with this header
        headers["www-authenticate"] = "Bearer"
    if status == 503:  # noqa: PLR2004 - the one status with this header
        headers["retry-after"] = "30"
    return Response(
        json.dumps(body), status, headers=headers, media_type="application/problem+json"
    )


def answer(request: Request, error: Exception) -> Response:
    """The problem for whatever was raised; what is unknown is noted by its type and said nothing of."""
    del request
    if isinstance(error, Refused):
        return problem(error.status, error.code)
    if isinstance(error, HTTPException):
        return problem(error.status_code)
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return problem(status, error.code if status in (409, 422, 503) else None)
    log.say(log.Event.FAILED, {log.Field.ERROR: type(error).__name__})
    return problem(500)
