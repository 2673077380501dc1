"""Builds the HTTP apps on top of a line: for case systems, for operators, and for people."""

from fastapi import FastAPI

from inbox.line import Line
from inbox.web import api, operator, problems
from inbox.web.auth import RequireKey
from inbox.web.middleware import AccessLog, BodyLimit, SecurityHeaders
from inbox.web.people.app import create_people_app

__all__ = ["create_app", "create_operator_app", "create_people_app"]


def create_app(line: Line) -> FastAPI:
    """The case systems' API. Every request needs a valid key."""
    app = _app_without_docs(line)
    app.include_router(api.router)
    # The last one added is the first one asked.
    app.add_middleware(BodyLimit)
    app.add_middleware(RequireKey, line=line)
    app.add_middleware(AccessLog)
    app.add_middleware(SecurityHeaders)
    return app


def create_operator_app(line: Line) -> FastAPI:
    """Health, metrics and the status page: totals only, on a listener of its own.

    There is no sign-in here yet: everybody who reaches it sees it, so it must be bound to loopback
    or to a network of operators only.
    """
    app = _app_without_docs(line)
    app.include_router(operator.router)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    return app


def _app_without_docs(line: Line) -> FastAPI:
    """An app without pages of its own, without traces, whose errors are problems."""
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Its spans would hold paths and queries, its logs the texts of exceptions.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    app.state.line = line
    problems.install_error_handlers(app)
    return app
