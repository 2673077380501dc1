"""The applications that are served: the case systems' API, and the operators' own listener."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inbox import errors
from inbox.line import Line
from inbox.web import api, operator
from inbox.web.problems import SECURITY, Refused, answer, problem


def create_app(line: Line) -> FastAPI:
    """The case systems' API. Closed: every path asks who it is, and unknown paths say nothing."""
    app = _application(line)
    app.include_router(api.router)
    return app


def create_operator_app(line: Line) -> FastAPI:
    """Health, metrics and a status page: totals only, no sign-in yet, so it binds loopback."""
    app = _application(line)
    app.include_router(operator.router)
    return app


def _application(line: Line) -> FastAPI:
    app = FastAPI(
        title="inbox", version="1", docs_url=None, redoc_url=None, openapi_url=None, telemetry=None
    )
    app.state.line = line
    for kind in (Refused, HTTPException, errors.InboxError, Exception):
        app.add_exception_handler(kind, answer)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_middleware(_Shielded)
    return app


def _invalid(request: Request, error: Exception) -> Response:
    """FastAPI's own answer would repeat what was sent in."""
    del request, error
    return problem(422)


class _Shielded:
    """Puts the security headers on every answer that has none of its own; streams pass through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def shielded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, shielded)
