"""The cookies of signing in. Neither holds anything: both are random values that rows know of.

`__Host-`: only over TLS, only for this host and the whole of it, so that no neighbour can set one.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from inbox.sign_in.tokens import is_token, new_token
from inbox.sign_in.under_way import LIFE
from inbox.web.people.request_rate import SESSION_COOKIE

BROWSER_COOKIE: Final = "__Host-innlogging"
"""Binds a sign-in that is under way to the browser that began it."""


def session_cookie(request: Request) -> str:
    """The value that the browser sent; empty if none."""
    return request.cookies.get(SESSION_COOKIE, "")


def set_session_cookie(response: Response, token: str) -> None:
    """Until the browser is closed; the row says for how long it is worth something."""
    response.set_cookie(SESSION_COOKIE, token, secure=True, httponly=True, samesite="lax", path="/")


def drop_session_cookie(response: Response) -> None:
    """The session has ended."""
    response.delete_cookie(SESSION_COOKIE, secure=True, httponly=True, samesite="lax", path="/")


def browser_cookie(request: Request) -> str:
    """The value that this browser has already, so that two tabs can sign in; else a new one."""
    found = request.cookies.get(BROWSER_COOKIE, "")
    return found if is_token(found) else new_token()


def set_browser_cookie(response: Response, value: str) -> None:
    """For as long as a sign-in may take."""
    response.set_cookie(
        BROWSER_COOKIE,
        value,
        max_age=int(LIFE.total_seconds()),
        secure=True,
        httponly=True,
        samesite="lax",
        path="/",
    )
