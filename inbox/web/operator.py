"""The operators' endpoints: liveness, readiness, metrics and the status page.

No message and no metadata.
"""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from inbox.audit.standstill import WAY_OUT
from inbox.web import metrics, problems
from inbox.web.api import LineDependency
from inbox.web.operator_totals import totals_of
from inbox.web.readiness import OK, readiness_of
from inbox.web.status import render_status_page

router = APIRouter()


@router.get("/health/live")
def live() -> JSONResponse:
    """The process answers; nothing else is asked."""
    return JSONResponse({"live": True})


@router.get("/health/ready")
def ready(request: Request, line: LineDependency) -> JSONResponse:
    """Whether it can do its work, need by need."""
    needs = readiness_of(line, gateway_silence=request.app.state.gateway_silence)
    is_ready = all(code == OK for code in needs.values())
    status = problems.READY if is_ready else problems.UNREADY
    answer: dict[str, object] = {"ready": is_ready, "needs": dict(needs)}
    if (gap := line.standstill.gap) is not None:
        answer["standstill"] = {**gap.as_json(), "do": WAY_OUT}
    return JSONResponse(answer, status)


@router.get("/metrics")
def scrape(line: LineDependency) -> Response:
    """For Prometheus."""
    return Response(metrics.exposition_of(totals_of(line)), media_type=metrics.MEDIA_TYPE)


@router.get("/")
def status(request: Request, line: LineDependency) -> HTMLResponse:
    """For people."""
    needs = readiness_of(line, gateway_silence=request.app.state.gateway_silence)
    page, headers = render_status_page(totals_of(line), needs, line.standstill.gap)
    return HTMLResponse(page, headers=headers)
