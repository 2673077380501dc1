"""What else may be done with a message, each a page with a form of its own.

After it the next message of the queue opens.
"""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request, Response

from inbox.errors import NotFound
from inbox.web.people.forms import read_form
from inbox.web.people.pages.context import capacity_of, line_of
from inbox.web.people.pages.decision_forms import reason_choices
from inbox.web.people.pages.desk_forms import DESK_FORMS
from inbox.web.people.pages.distribute import to_message, to_next
from inbox.web.people.pages.done import Deed, done_with
from inbox.web.people.pages.message import (
    SeenMessage,
    message_side,
    message_values,
    seen_message,
)
from inbox.web.people.pages.message_acts import MessageForm, Wrong, telling_what_changed
from inbox.web.people.pages.place_in_queue import place_of, place_of_form
from inbox.web.people.pages.unit.forms import UNIT_FORMS
from inbox.web.people.pages.unit.request_forms import REQUEST_FORMS
from inbox.web.people.rendering import page_texts, render_form
from inbox.web.people.sign_in.visitors import Acting, asking_for_strength
from inbox.web.people.visitor import Visitor

router = APIRouter()
FORMS: Final[Mapping[str, MessageForm]] = {**DESK_FORMS, **UNIT_FORMS, **REQUEST_FORMS}
"""Every form about a message, by the last part of its address."""


@router.get("/melding/{message_id}/{form_name}")
def message_form(request: Request, visitor: Acting, message_id: str, form_name: str) -> Response:
    """One of the forms, if this person may do it now."""
    chosen = FORMS.get(form_name)
    if chosen is None:
        raise NotFound
    found = seen_message(request, visitor, message_id, place_of(request.query_params))
    return _show(request, visitor, chosen, found, None)


@router.post("/melding/{message_id}/{form_name}")
def do_message_form(request: Request, visitor: Acting, message_id: str, form_name: str) -> Response:
    """Do it; or the form again, with what is wrong."""
    chosen = FORMS.get(form_name)
    if chosen is None:
        raise NotFound
    form = read_form(request, visitor)
    found = seen_message(request, visitor, message_id, place_of_form(form))
    sent = (line_of(request), capacity_of(visitor), message_id, form)
    with (
        asking_for_strength(visitor, form),
        telling_what_changed(request, visitor, message_id, form),
    ):
        done = chosen.do(page_texts(request), found, sent)
    if not isinstance(done, Deed):
        request.state.sent_again = form
        return _show(request, visitor, chosen, found, done)
    if done is Deed.HOLD_ENDED:
        return to_message(visitor, form, message_id, done)
    return to_next(request, visitor, form, message_id, done)


def _show(
    request: Request,
    visitor: Visitor,
    chosen: MessageForm,
    found: SeenMessage,
    wrong: Wrong | None,
) -> Response:
    """The form's page. Raises `NotFound` for somebody who may not do it."""
    if chosen.action not in found.decisions or not found.decisions[chosen.action].allowed:
        raise NotFound
    texts, place = page_texts(request), place_of(request.query_params)
    asked = (line_of(request), capacity_of(visitor), found.row.id)
    return render_form(
        request,
        chosen.template,
        wrong,
        **message_values(request, visitor, found, place),
        title=texts.gettext(chosen.title),
        form_address=request.url.path,
        reasons_to_choose=reason_choices(texts, chosen.reasons) if chosen.reasons else (),
        **chosen.values(texts, found, asked),
        done=done_with(request, visitor, found.told),
        side=message_side(request, visitor, found),
    )
