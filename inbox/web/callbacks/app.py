"""Builds the callbacks' app: a provider says that somebody has signed out (back-channel logout)."""

from typing import Final
from urllib.parse import parse_qs

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from inbox.line import Line
from inbox.sign_in.desk import SignInDesk
from inbox.sign_in.provider_sign_out import end_by_token
from inbox.sign_in.refusal import SignInRefused
from inbox.web import problems
from inbox.web.middleware import AccessLog, BodyLimit, SecurityHeaders

_FORM: Final = "application/x-www-form-urlencoded"
_REFUSED: Final = 400


def create_callbacks_app(line: Line, desk: SignInDesk) -> FastAPI:
    """One path. The caller is known by the signature of what is sent, and by nothing else."""
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Its spans would hold paths and queries, its logs the texts of exceptions.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
        dependencies=[Depends(_keep_body)],
    )
    app.state.line = line
    app.state.desk = desk
    problems.install_error_handlers(app)
    app.add_api_route("/oidc/back-logout", _back_logout, methods=["POST"])
    # The last one added is the first one asked.
    app.add_middleware(BodyLimit)
    app.add_middleware(AccessLog)
    app.add_middleware(SecurityHeaders)
    return app


async def _keep_body(request: Request) -> None:
    request.state.body = await request.body()


def _back_logout(request: Request) -> Response:
    """End what the logout token names; a token that cannot be believed ends nothing."""
    desk: SignInDesk = request.app.state.desk
    desk.line.standstill.check()
    try:
        end_by_token(desk, _token_in(request))
    except SignInRefused:
        return JSONResponse({"error": "invalid_request"}, _REFUSED)
    return Response()


def _token_in(request: Request) -> str:
    """The one `logout_token` of the form. Raises `SignInRefused`."""
    named = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body: bytes = request.state.body
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=10)
    except ValueError:
        fields = {}
    found = fields.get("logout_token", [])
    if named != _FORM or len(found) != 1:
        raise SignInRefused("sign_in.logout_shape")
    return found[0]
