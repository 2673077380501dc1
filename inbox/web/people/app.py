"""Builds the people's app: pages on a listener of their own, behind the organisation's proxy."""

from typing import Final

from fastapi import Depends, FastAPI, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from inbox.line import Line
from inbox.sign_in.desk import SignInDesk
from inbox.web.middleware import AccessLog, BodyLimit
from inbox.web.people import frame_pages, showcase
from inbox.web.people.edge.headers import PageHeaders
from inbox.web.people.edge.static_files import read_static_files, static_answer
from inbox.web.people.forms import check_same_origin
from inbox.web.people.pages import router as archive_staff_pages
from inbox.web.people.rendering import PageTemplates
from inbox.web.people.request_rate import RequestRate
from inbox.web.people.sign_in.pages import open_router
from inbox.web.people.sign_in.pages import router as sign_in_router
from inbox.web.people.sign_in.states import install_sign_in_states
from inbox.web.people.sign_in.visitors import known
from inbox.web.people.site import PeopleSite
from inbox.web.people.state_pages import (
    TOO_LARGE,
    TOO_MANY,
    StateAnswer,
    install_state_pages,
    new_request_id,
)

_READING: Final = frozenset({"GET", "HEAD"})


async def _keep_body(request: Request) -> None:
    """Let synchronous page functions read the form; anything but reading must come from us."""
    if request.method not in _READING:
        check_same_origin(request, request.app.state.site)
        request.state.body = await request.body()


def create_people_app(line: Line, site: PeopleSite, desk: SignInDesk | None = None) -> FastAPI:
    """The pages. Each says itself who may ask for it; what nobody answers is not here.

    Without a desk there are only the pages that anybody may read.
    """
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Its spans would hold paths and queries, its logs the texts of exceptions.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
        dependencies=[Depends(_keep_body)],
    )
    files = read_static_files()
    app.state.line = line
    app.state.site = site
    app.state.templates = PageTemplates(site, tuple(file.address for file in files.values()))
    install_state_pages(app)

    @app.get("/static/{name}")
    def static(request: Request, name: str) -> Response:
        return static_answer(request, files, name)

    if desk is None:
        app.include_router(frame_pages.router)
    else:
        app.state.desk = desk
        install_sign_in_states(app)
        app.include_router(frame_pages.router, dependencies=[Depends(known)])
        app.include_router(open_router, dependencies=[Depends(known)])
        app.include_router(sign_in_router)
        app.include_router(archive_staff_pages)
    if site.is_demo:
        app.include_router(showcase.router)
    # The last one added is the first one asked.
    app.add_middleware(BodyLimit, refusal=StateAnswer(app, TOO_LARGE))
    app.add_middleware(RequestRate, site=site, refusal=StateAnswer(app, TOO_MANY))
    app.add_middleware(AccessLog)
    app.add_middleware(PageHeaders, site=site)
    app.add_middleware(_RequestId)
    return app


class _RequestId:
    """Gives each request an id of its own, which an error's page and the log say."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        scope.setdefault("state", {})["request_id"] = new_request_id()
        await self._app(scope, receive, send)
