"""Two on one message: the second learns who did what when, on the message as it is now."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from fastapi import Request

from inbox.domain import MessageState
from inbox.errors import Conflict, NotPermitted
from inbox.web.people.forms import ChangedByAnother, Form
from inbox.web.people.pages.message import seen_message
from inbox.web.people.pages.message_parts import last_change
from inbox.web.people.pages.place_in_queue import page_within, place_of_form
from inbox.web.people.rendering import page_texts
from inbox.web.people.visitor import Visitor


@contextmanager
def telling_what_changed(
    request: Request, visitor: Visitor, message_id: str, form: Form
) -> Iterator[None]:
    """Within it, what fails since the message has changed raises `ChangedByAnother`.

    What fails for another reason is raised as it is; what was erased meanwhile says so.
    """
    try:
        yield
    except (Conflict, NotPermitted):
        place = place_of_form(form)
        found = seen_message(request, visitor, message_id, place)
        if found.row.state is MessageState.ERASED:
            raise Conflict("message.erased") from None
        if form.one("versjon") in {"", str(found.row.version)}:
            raise
        now = replace(form, return_address=page_within(place, f"/melding/{message_id}"))
        raise ChangedByAnother(now, last_change(page_texts(request), found)) from None
