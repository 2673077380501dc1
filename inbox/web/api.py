"""The case systems' API: list, collect and acknowledge (accepted, registered, refused) deliveries.

Every answer is about the asking case system's own deliveries. Neither HEAD nor ranges: a transfer
that was cut is begun again. Every request may be repeated.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from inbox.access.question import Capacity
from inbox.line import Line
from inbox.line.damage import watch_damage
from inbox.line.moves import case_system
from inbox.line.moves.case_system import Said
from inbox.web import api_models, problems
from inbox.web.auth import authenticated_capacity
from inbox.web.delivery_view import PACKAGE_TYPE, delivery_details, delivery_page
from inbox.web.downloads import document_download, package_download
from inbox.web.problems import problem_responses
from inbox.web.strict_body import StrictBodyRoute

router = APIRouter(
    prefix="/api/v1/deliveries",
    responses=problem_responses(401, 503),
    route_class=StrictBodyRoute,
)


def line_of(request: Request) -> Line:
    """The line that the app was created with."""
    line = request.app.state.line
    assert isinstance(line, Line)
    return line


LineDependency = Annotated[Line, Depends(line_of)]
CallingSystem = Annotated[Capacity, Depends(authenticated_capacity)]
DeliveryId = Annotated[str, Path(pattern=api_models.ID_PATTERN)]
Number = Annotated[int, Path(ge=1, le=100_000)]
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_KEPT_RESPONSE: dict[int | str, dict[str, Any]] = {
    202: {"model": api_models.Answer, "description": "Kept: a person in the archive decides"}
}


@router.get("", responses=problem_responses(422))
def list_deliveries(
    line: LineDependency, who: CallingSystem, paging: Annotated[api_models.Paging, Query()]
) -> api_models.Page:
    """The case system's own standing deliveries, oldest first: ids and times, nothing else."""
    found = case_system.deliveries(line, who, after=paging.after, at_most=paging.limit + 1)
    return delivery_page(found, paging.limit)


@router.get("/{delivery_id}", responses=problem_responses(404, 409))
def collect_delivery(
    line: LineDependency, who: CallingSystem, delivery_id: DeliveryId
) -> api_models.Delivery:
    """Collect: everything that is needed to register it. From now on it counts as collected."""
    found = case_system.collect(line, who, delivery_id)
    with watch_damage(line, found.message.id):
        return delivery_details(found)


@router.get(
    "/{delivery_id}/package",
    response_class=Response,
    responses={200: {"content": {PACKAGE_TYPE: _BYTES}}, **problem_responses(404, 409)},
)
def get_package(line: LineDependency, who: CallingSystem, delivery_id: DeliveryId) -> Response:
    """The container as it came, byte for byte. `Repr-Digest` has its SHA-256. Collects, too."""
    found = case_system.collect(line, who, delivery_id)
    return package_download(line, found, name=found.delivery.id)


@router.get(
    "/{delivery_id}/documents/{number}",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": _BYTES}},
        **problem_responses(404, 409),
    },
)
def get_document(
    line: LineDependency, who: CallingSystem, delivery_id: DeliveryId, number: Number
) -> Response:
    """One document of the container. `Repr-Digest` has its SHA-256. Collects, too."""
    return document_download(line, case_system.collect(line, who, delivery_id), number)


@router.post(
    "/{delivery_id}/accepted",
    responses={**_KEPT_RESPONSE, **problem_responses(400, 404, 409, 413, 415, 422)},
)
def say_accepted(
    line: LineDependency,
    who: CallingSystem,
    delivery_id: DeliveryId,
    response: Response,
    nothing: api_models.Nothing | None = None,
) -> api_models.Answer:
    """*Mottatt*: the case system has the bytes. No kvittering follows from this."""
    del nothing
    return _respond(case_system.acknowledge_accepted(line, who, delivery_id), response)


@router.post(
    "/{delivery_id}/registered",
    responses={**_KEPT_RESPONSE, **problem_responses(400, 404, 409, 413, 415, 422)},
)
def say_registered(
    line: LineDependency,
    who: CallingSystem,
    delivery_id: DeliveryId,
    word: api_models.Registered,
    response: Response,
) -> api_models.Answer:
    """*Journalført*: the only word that sends the sender a kvittering. Final."""
    said = case_system.acknowledge_registered(line, who, delivery_id, reference=word.reference)
    return _respond(said, response)


@router.post(
    "/{delivery_id}/refused",
    responses={**_KEPT_RESPONSE, **problem_responses(400, 404, 409, 413, 415, 422)},
)
def say_refused(
    line: LineDependency,
    who: CallingSystem,
    delivery_id: DeliveryId,
    word: api_models.Refused,
    response: Response,
) -> api_models.Answer:
    """The case system says no. The sender hears nothing of it: people decide. Final."""
    said = case_system.acknowledge_refused(line, who, delivery_id, code=word.code, text=word.text)
    return _respond(said, response)


def _respond(said: Said, response: Response) -> api_models.Answer:
    problems.check_no_conflict(said)
    response.status_code = problems.STATUS_OF_RESULT[said]
    return api_models.Answer(said=said)
