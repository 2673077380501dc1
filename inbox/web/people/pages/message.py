"""A message for those who distribute: its envelope, why it is here, what may be done with it."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from inbox.access.policy.vocabulary import Action
from inbox.domain import MessageState
from inbox.errors import Invalid, NotFound
from inbox.line.desk.in_hand import note_in_hand
from inbox.line.desk.message_view import MessageView, message_view
from inbox.line.desk.queue_filters import NO_FILTERS
from inbox.line.desk.queue_steps import find_by_reference
from inbox.web.people import shapes, words
from inbox.web.people.forms import read_form
from inbox.web.people.pages import message_parts
from inbox.web.people.pages.context import capacity_of, line_of, side_for
from inbox.web.people.pages.done import done_with, told_row
from inbox.web.people.pages.place_in_queue import PlaceInQueue, page_within, place_of
from inbox.web.people.pages.shown_rows import marks_of, sender_of, state_of
from inbox.web.people.rendering import page_texts, render
from inbox.web.people.sign_in.visitors import Acting
from inbox.web.people.visitor import Visitor

router = APIRouter()


@router.get("/melding/{message_id}")
def message(request: Request, visitor: Acting, message_id: str) -> Response:
    """One message, with its neighbours in the queue that it was reached from."""
    place = place_of(request.query_params)
    found = seen_message(request, visitor, message_id, place)
    return render(
        request,
        "message.html",
        **message_values(request, visitor, found, place),
        done=done_with(request, visitor, found.told),
        side=side_for(request, visitor, found),
    )


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


def seen_message(
    request: Request, visitor: Visitor, message_id: str, place: PlaceInQueue | None
) -> MessageView:
    """The message as this person may see it, noted as in this person's hand. Raises `NotFound`."""
    line, capacity = line_of(request), capacity_of(visitor)
    found = message_view(
        line,
        capacity,
        message_id,
        language=page_texts(request).language,
        queue=place.queue if place else None,
        filters=place.filters if place else NO_FILTERS,
        tell_of=told_row(request, visitor),
    )
    if request.method == "GET":
        note_in_hand(line, capacity, message_id)
    return found


def message_values(
    request: Request, visitor: Visitor, found: MessageView, place: PlaceInQueue | None
) -> dict[str, Any]:
    """What the page of a message, and every form about it, shows."""
    texts = page_texts(request)
    row = found.row
    within = partial(page_within, place)
    return {
        "heading": sender_of(texts, row.sender_name, row.sender),
        "found": found,
        "row": row,
        "marks": marks_of(texts, row, visitor.person),
        "steps": message_parts.steps_of(texts, found, place),
        "lamps": message_parts.lamps_of(texts, found.lamps),
        "envelope": message_parts.envelope_facts(texts, found),
        "copies": message_parts.copies_of(found),
        "reasons": message_parts.reasons_of(texts, found),
        "locked": message_parts.locked_facts(texts, found),
        "history": message_parts.history_of(texts, found),
        "sender_sees": texts.gettext(words.SENDER_SEES[found.sender_sees]),
        "state": texts.gettext(words.STATES[row.state]),
        "cause": state_of(texts, row) if row.state is MessageState.QUARANTINED else "",
        "likely": message_parts.likely_units(found),
        "other_units": [shapes.Choice(value=each.id, name=each.name) for each in found.units],
        "may": {action.value: found.decisions[action].allowed for action in found.decisions},
        "links": message_parts.other_actions(texts, found, within),
        "proposals": message_parts.open_proposals(texts, found),
        "tasks": message_parts.open_tasks(texts, found),
        "can_release_at_once": _can_release(found),
        "message_address": within(f"/melding/{row.id}"),
    }


def _can_release(found: MessageView) -> bool:
    """Whether *fordel og frigi* can be done in one step: only from *til fordeling*."""
    decision = found.decisions.get(Action.RELEASE)
    return decision is not None and decision.allowed and found.row.unit is None
