"""A message: for those who distribute its envelope, for the people of its unit what is in it."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from inbox.access.policy.vocabulary import Action
from inbox.domain import MessageState
from inbox.errors import Conflict, IntegrityError, Invalid, NotFound, NotPermitted
from inbox.line.damage import watch_damage
from inbox.line.desk.in_hand import note_in_hand
from inbox.line.desk.message_view import MessageView, message_view
from inbox.line.desk.queue_filters import NO_FILTERS
from inbox.line.desk.queue_steps import find_by_reference
from inbox.line.moves import content
from inbox.line.unit_inbox.contents import contents_of
from inbox.line.unit_inbox.lists import NOT_NARROWED
from inbox.line.unit_inbox.message_view import UnitMessageView, unit_message_view
from inbox.web.people import shapes, words
from inbox.web.people.forms import read_form
from inbox.web.people.frame import Side
from inbox.web.people.pages import message_parts
from inbox.web.people.pages.context import capacity_of, is_in_unit, line_of, side_for
from inbox.web.people.pages.decision_forms import reason_choices
from inbox.web.people.pages.done import done_with, told_row
from inbox.web.people.pages.place_in_queue import (
    Place,
    PlaceInList,
    PlaceInQueue,
    page_within,
    place_of,
)
from inbox.web.people.pages.shown_rows import marks_of, sender_of, state_of
from inbox.web.people.pages.unit_message_parts import content_values, unit_message_values
from inbox.web.people.rendering import page_texts, render_form
from inbox.web.people.sign_in.visitors import Acting
from inbox.web.people.visitor import Visitor

router = APIRouter()
SeenMessage = MessageView | UnitMessageView


@router.get("/melding/{message_id}")
def message(request: Request, visitor: Acting, message_id: str) -> Response:
    """One message, with its neighbours in the queue that it was reached from."""
    return show_message(request, visitor, message_id, place_of(request.query_params))


@router.post("/finn")
def find(request: Request, visitor: Acting) -> Response:
    """The message with the reference that was typed; for other text, the page *På telefonen*."""
    form = read_form(request, visitor)
    typed = form.one("q")
    try:
        found = find_by_reference(line_of(request), capacity_of(visitor), typed)
    except Invalid:
        return RedirectResponse("/telefon", status_code=303)
    if not found:
        raise NotFound
    return RedirectResponse(f"/melding/{found[0]}", status_code=303)


def show_message(
    request: Request,
    visitor: Visitor,
    message_id: str,
    place: Place | None,
    *,
    problems: shapes.FormProblems | None = None,
) -> Response:
    """The page of a message; what is in it, too, if this person may read it for no reason more.

    Such a reading is in the audit before the page leaves.
    """
    found = seen_message(request, visitor, message_id, place)
    values = message_values(request, visitor, found, place)
    if isinstance(found, UnitMessageView) and found.opens_by is not None:
        values |= _read(request, visitor, message_id)
    return render_form(
        request,
        values["message_template"],
        problems,
        **values,
        done=done_with(request, visitor, found.told),
        side=message_side(request, visitor, found),
    )


def _read(request: Request, visitor: Visitor, message_id: str) -> dict[str, Any]:
    """What is in it; or that a reason, or a strong sign-in, is needed first."""
    line, texts = line_of(request), page_texts(request)
    try:
        read = content.read(line, capacity_of(visitor), message_id, goes_on=True)
    except (NotPermitted, Conflict):
        return {
            "read_reason_needed": True,
            "read_reasons": reason_choices(texts, "read"),
        }
    try:
        with watch_damage(line, message_id):
            return content_values(texts, contents_of(read))
    except IntegrityError:
        return {"is_damaged": True}


def seen_message(
    request: Request, visitor: Visitor, message_id: str, place: Place | None
) -> SeenMessage:
    """The message as this person may see it. Raises `NotFound`.

    It is noted as in the hand of somebody who distributes, so that two do not do it at once.
    """
    line, capacity = line_of(request), capacity_of(visitor)
    language, told = page_texts(request).language, told_row(request, visitor)
    if is_in_unit(visitor):
        here = place if isinstance(place, PlaceInList) else None
        return unit_message_view(
            line,
            capacity,
            message_id,
            language=language,
            which=here.list if here else None,
            filters=here.filters if here else NOT_NARROWED,
            tell_of=told,
        )
    there = place if isinstance(place, PlaceInQueue) else None
    found = message_view(
        line,
        capacity,
        message_id,
        language=language,
        queue=there.queue if there else None,
        filters=there.filters if there else NO_FILTERS,
        tell_of=told,
    )
    if request.method == "GET":
        note_in_hand(line, capacity, message_id)
    return found


def message_side(request: Request, visitor: Visitor, found: SeenMessage) -> Side:
    """The side of the page of a message, with the numbers that were read with it."""
    if isinstance(found, UnitMessageView):
        return side_for(request, visitor, found.side)
    return side_for(request, visitor, found)


def message_values(
    request: Request, visitor: Visitor, found: SeenMessage, place: Place | None
) -> dict[str, Any]:
    """What the page of a message, and every form about it, shows."""
    if isinstance(found, UnitMessageView):
        return unit_message_values(request, visitor, found, place)
    texts = page_texts(request)
    row = found.row
    within = partial(page_within, place)
    return {
        "message_template": "message.html",
        "heading": sender_of(texts, row.sender_name, row.sender),
        "found": found,
        "row": row,
        "marks": marks_of(texts, row, visitor.person),
        "steps": message_parts.steps_of(texts, found.neighbours, place),
        "lamps": message_parts.lamps_of(texts, found.lamps),
        "envelope": message_parts.envelope_facts(texts, found.row, found.envelope),
        "copies": message_parts.copies_of(found.same_as),
        "reasons": message_parts.reasons_of(texts, found),
        "locked": message_parts.locked_facts(texts, found),
        "history": message_parts.history_of(texts, found.history),
        "sender_sees": texts.gettext(words.SENDER_SEES[found.sender_sees]),
        "state": texts.gettext(words.STATES[row.state]),
        "cause": state_of(texts, row) if row.state is MessageState.QUARANTINED else "",
        "likely": message_parts.likely_units(found),
        "other_units": [shapes.Choice(value=each.id, name=each.name) for each in found.units],
        "may": {action.value: found.decisions[action].allowed for action in found.decisions},
        "links": message_parts.other_actions(texts, found, within),
        "proposals": message_parts.open_proposals(texts, found.proposals),
        "tasks": message_parts.open_tasks(texts, found.row, found.tasks),
        "can_release_at_once": _can_release(found),
        "message_address": within(f"/melding/{row.id}"),
    }


def _can_release(found: MessageView) -> bool:
    """Whether *fordel og frigi* can be done in one step: only from *til fordeling*."""
    decision = found.decisions.get(Action.RELEASE)
    return decision is not None and decision.allowed and found.row.unit is None
