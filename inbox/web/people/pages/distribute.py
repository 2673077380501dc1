"""*Fordel, Fordel og frigi, Angre, Frigi, Ta selv*: the acts of a morning, and where they lead.

After each the next message of the queue opens, so that the hands stay where they are.
"""

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity
from inbox.domain import MessageId
from inbox.errors import Conflict, InboxError, Invalid, NotFound, NotPermitted
from inbox.line import Line
from inbox.line.desk.in_hand import let_go
from inbox.line.desk.queue_filters import Queue
from inbox.line.desk.queue_steps import next_in_queue
from inbox.line.desk.short_reference import short_reference_of
from inbox.line.moves import archive_staff, unit
from inbox.line.unit_inbox.lists import UnitList
from inbox.web.people import shapes
from inbox.web.people.forms import Form, read_form
from inbox.web.people.pages.context import capacity_of, is_in_unit, line_of, side_for
from inbox.web.people.pages.done import Deed, done_query
from inbox.web.people.pages.message import message_side, message_values, seen_message
from inbox.web.people.pages.message_acts import telling_what_changed
from inbox.web.people.pages.place_in_queue import (
    PlaceInList,
    PlaceInQueue,
    address,
    page_within,
    place_of_form,
)
from inbox.web.people.rendering import page_texts, render
from inbox.web.people.sign_in.visitors import Acting
from inbox.web.people.visitor import Visitor

router = APIRouter()
_RELEASE_TOO = "frigi"
_UNPROCESSABLE = 422
_LEAVING = frozenset({Deed.HANDED_BACK, Deed.CONFLICT_DECLARED})
"""After these the person does not see the message any more."""


@router.post("/melding/{message_id}/fordel")
def distribute(request: Request, visitor: Acting, message_id: str) -> Response:
    """Place the message with a unit, and release it too if that was chosen."""
    form = read_form(request, visitor, at_speed=True)
    chosen = form.one("enhet")
    if not chosen:
        return _without_unit(request, visitor, message_id, form)
    with telling_what_changed(request, visitor, message_id, form):
        place_one(
            line_of(request),
            capacity_of(visitor),
            message_id,
            unit_id=chosen,
            version=version_of(form.one("versjon")),
            release=form.one("gjor") == _RELEASE_TOO,
        )
    return to_next(request, visitor, form, message_id, Deed.PLACED)


@router.post("/melding/{message_id}/angre")
def undo(request: Request, visitor: Acting, message_id: str) -> Response:
    """Take back what this person placed or released, while that can be."""
    form = read_form(request, visitor)
    version = version_of(form.one("versjon"))
    with telling_what_changed(request, visitor, message_id, form):
        archive_staff.undo(
            line_of(request), capacity_of(visitor), message_id, expected_version=version
        )
    return to_message(visitor, form, message_id, Deed.UNDONE)


@router.post("/melding/{message_id}/ta")
def take(request: Request, visitor: Acting, message_id: str) -> Response:
    """Take an unassigned message of one's unit (*ta selv*)."""
    form = read_form(request, visitor)
    with telling_what_changed(request, visitor, message_id, form):
        unit.take(line_of(request), capacity_of(visitor), message_id)
    return to_message(visitor, form, message_id, Deed.TAKEN)


@router.post("/melding/{message_id}/frigi")
def release(request: Request, visitor: Acting, message_id: str) -> Response:
    """Release the message to its unit's case system."""
    form = read_form(request, visitor)
    version = version_of(form.one("versjon"))
    with telling_what_changed(request, visitor, message_id, form):
        unit.release(line_of(request), capacity_of(visitor), message_id, expected_version=version)
    return to_next(request, visitor, form, message_id, Deed.RELEASED)


@router.post("/ko/{queue}/fordel")
def distribute_several(request: Request, visitor: Acting, queue: str) -> Response:
    """Place all that were chosen with one unit; each is decided for itself, and listed."""
    form = read_form(request, visitor, at_speed=True)
    chosen, unit_id = form.several("melding"), form.one("enhet")
    if queue not in set(Queue):
        raise NotFound
    if not chosen or not unit_id:
        return RedirectResponse(form.return_address, status_code=303)
    outcomes = [_place_listed(request, visitor, each, unit_id) for each in chosen]
    return render(
        request,
        "several_done.html",
        heading=_several_heading(request, outcomes),
        outcomes=outcomes,
        place=PlaceInQueue(queue=Queue(queue)),
        side=side_for(request, visitor),
    )


def place_one(
    line: Line, capacity: Capacity, message_id: str, *, unit_id: str, version: int, release: bool
) -> None:
    """One placing, with the release that was asked for."""
    move = archive_staff.place_and_release if release else archive_staff.place
    move(line, capacity, message_id, unit=unit_id, expected_version=version)


def version_of(text: str) -> int:
    """The version that a form was made with. Raises `Invalid`."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004 - no version is that long
        raise Invalid("form.version")
    return int(text)


def to_next(
    request: Request, visitor: Visitor, form: Form, message_id: str, deed: Deed
) -> RedirectResponse:
    """The next message of the queue that the form was reached from; the queue if it is empty.

    The people of a unit stay with the message, or go back to their list where it has left them.
    """
    place, said = place_of_form(form), done_query(visitor, deed, message_id)
    if isinstance(place, PlaceInList) or is_in_unit(visitor):
        if deed is Deed.EMERGENCY:
            there = page_within(place, f"/melding/{message_id}/nodtilgang", **said)
            return RedirectResponse(there, status_code=303)
        if deed not in _LEAVING:
            return to_message(visitor, form, message_id, deed)
        home = place if isinstance(place, PlaceInList) else PlaceInList(list=UnitList.UNIT)
        where = address(f"/{home.list}", {**home.filters.as_query(), **said})
        return RedirectResponse(where, status_code=303)
    if place is None:
        return to_message(visitor, form, message_id, deed)
    line, capacity = line_of(request), capacity_of(visitor)
    let_go(line, capacity, message_id)
    found = next_in_queue(line, capacity, place.queue, place.filters, after=MessageId(message_id))
    where = (
        place.within(f"/melding/{found}", **said)
        if found
        else address(f"/ko/{place.queue}", {**place.filters.as_query(), **said})
    )
    return RedirectResponse(where, status_code=303)


def to_message(visitor: Visitor, form: Form, message_id: str, deed: Deed) -> RedirectResponse:
    """The same message again, in the queue that the form's page was reached from."""
    said = done_query(visitor, deed, message_id)
    there = page_within(place_of_form(form), f"/melding/{message_id}", **said)
    return RedirectResponse(there, status_code=303)


def _without_unit(request: Request, visitor: Visitor, message_id: str, form: Form) -> Response:
    """The page again, with what is missing said at the field."""
    place = place_of_form(form)
    found = seen_message(request, visitor, message_id, place)
    if not found.decisions[Action.PLACE].allowed:
        raise NotPermitted("not_permitted")
    values = message_values(request, visitor, found, place)
    said = page_texts(request).gettext("Velg en enhet")
    side = message_side(request, visitor, found)
    return render(
        request,
        values["message_template"],
        status=_UNPROCESSABLE,
        **values,
        unit_error=said,
        side=side,
    )


def _place_listed(
    request: Request, visitor: Visitor, chosen: str, unit_id: str
) -> shapes.ShownCheck:
    """Place one of several; says in a sentence what became of it."""
    _ = page_texts(request).gettext
    message_id, _dot, version = chosen.partition(".")
    try:
        named = {"ref": short_reference_of(message_id)}
        place_one(
            line_of(request),
            capacity_of(visitor),
            message_id,
            unit_id=unit_id,
            version=version_of(version),
            release=False,
        )
    except (NotFound, ValueError):
        return shapes.ShownCheck(holds=False, text=_("En av dem finnes ikke her."), stops=True)
    except NotPermitted:
        return shapes.ShownCheck(
            holds=False, text=_("%(ref)s kan du ikke fordele.") % named, stops=True
        )
    except Conflict:
        said = _("%(ref)s er endret av en annen.") % named
        return shapes.ShownCheck(holds=False, text=said, more=_("Den er ikke fordelt."), stops=True)
    except InboxError:
        return shapes.ShownCheck(
            holds=False, text=_("%(ref)s er ikke fordelt.") % named, stops=True
        )
    return shapes.ShownCheck(holds=True, text=_("%(ref)s er fordelt.") % named)


def _several_heading(request: Request, outcomes: list[shapes.ShownCheck]) -> str:
    done = sum(each.holds for each in outcomes)
    said = page_texts(request).gettext("%(done)s av %(all)s er fordelt")
    return said % {"done": done, "all": len(outcomes)}
