"""Acts on a message: the forms that they have, and what is said where it has changed meanwhile."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Request

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity
from inbox.domain import MessageState
from inbox.errors import Conflict, NotPermitted
from inbox.line import Line
from inbox.web.people import shapes
from inbox.web.people.forms import ChangedByAnother, Form
from inbox.web.people.pages.done import Deed
from inbox.web.people.pages.message import SeenMessage, seen_message
from inbox.web.people.pages.message_parts import last_change
from inbox.web.people.pages.place_in_queue import page_within, place_of_form
from inbox.web.people.rendering import page_texts
from inbox.web.people.texts import PageTexts
from inbox.web.people.visitor import Visitor

Wrong = shapes.FormProblems
Sent = tuple[Line, Capacity, str, Form]
Asked = tuple[Line, Capacity, str]
"""Who asks for a form, about which message."""


def _nothing_more(texts: PageTexts, found: SeenMessage, asked: Asked) -> Mapping[str, Any]:
    del texts, found, asked
    return {}


@dataclass(frozen=True, kw_only=True)
class MessageForm:
    """One form about a message."""

    action: Action
    """Without a yes to it the page is not here."""
    title: str
    template: str
    reasons: str = ""
    """The deed whose reasons can be chosen; empty where the form has none."""
    values: Callable[[PageTexts, SeenMessage, Asked], Mapping[str, Any]] = _nothing_more
    """What its template shows beside the message."""
    do: Callable[[PageTexts, SeenMessage, Sent], Deed | Wrong]
    """What was done, or what is wrong with what was typed."""


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
        raise ChangedByAnother(now, last_change(page_texts(request), found.history)) from None
