"""The operators' endpoints: liveness, readiness, metrics and the status page.

No message and no metadata.
"""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response

from inbox.audit.standstill import WAY_OUT
from inbox.health.condition import Level
from inbox.health.current import OK, conditions_of, needs_of, unready_conditions
from inbox.health.report import json_of
from inbox.health.summary import without_names
from inbox.web import metrics, problems
from inbox.web.api import LineDependency
from inbox.web.operator_totals import totals_of
from inbox.web.status import render_status_page

router = APIRouter()


@router.get("/health/live")
def live() -> JSONResponse:
    """The process answers; nothing else is asked."""
    return JSONResponse({"live": True})


@router.get("/health/ready")
def ready(line: LineDependency) -> JSONResponse:
    """Whether it can do its work, need by need, and what is wrong with what it needs."""
    conditions = unready_conditions(line)
    needs = needs_of(line, conditions)
    is_ready = all(code == OK for code in needs.values())
    status = problems.READY if is_ready else problems.UNREADY
    shown = without_names(each for each in conditions if each.level is Level.UNREADY)
    answer: dict[str, object] = {
        "ready": is_ready,
        "needs": dict(needs),
        "conditions": [json_of(each) for each in shown],
    }
    if (gap := line.standstill.gap) is not None:
        answer["standstill"] = {**gap.as_json(), "do": WAY_OUT}
    return JSONResponse(answer, status)


@router.get("/metrics")
def scrape(line: LineDependency) -> Response:
    """For Prometheus."""
    exposition = metrics.exposition_of(totals_of(line), without_names(conditions_of(line)))
    return Response(exposition, media_type=metrics.MEDIA_TYPE)


@router.get("/")
def status(line: LineDependency) -> HTMLResponse:
    """For people."""
    conditions = conditions_of(line)
    page, headers = render_status_page(
        totals_of(line), needs_of(line, conditions), without_names(conditions), line.standstill.gap
    )
    return HTMLResponse(page, headers=headers)
