"""What is in a message: read by a person who may open it, and downloaded a document at a time.

Each reading is decided by `line.moves.content`, and is in the audit before its first byte leaves.
"""

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from inbox.errors import NotFound
from inbox.line.damage import watch_damage
from inbox.line.moves import content
from inbox.web.byte_ranges import RangeNotThere, range_asked
from inbox.web.downloads import document_download, package_download
from inbox.web.people.forms import read_form
from inbox.web.people.pages.context import capacity_of, line_of
from inbox.web.people.pages.decision_forms import GivenReason, read_reason
from inbox.web.people.pages.distribute import to_message
from inbox.web.people.pages.done import Deed
from inbox.web.people.pages.message import show_message
from inbox.web.people.pages.message_acts import telling_what_changed
from inbox.web.people.pages.place_in_queue import page_within, place_of_form
from inbox.web.people.rendering import page_texts
from inbox.web.people.sign_in.visitors import Acting, asking_for_strength

router = APIRouter()
_LONGEST_NUMBER = 4


@router.post("/melding/{message_id}/les")
def read(request: Request, visitor: Acting, message_id: str) -> Response:
    """Read it for a reason that its rule asks for: once in a quarter of an hour."""
    form = read_form(request, visitor)
    reason = read_reason(page_texts(request), form, "read")
    if not isinstance(reason, GivenReason):
        request.state.sent_again = form
        return show_message(request, visitor, message_id, place_of_form(form), problems=reason)
    with (
        asking_for_strength(visitor, form),
        telling_what_changed(request, visitor, message_id, form),
    ):
        content.read(line_of(request), capacity_of(visitor), message_id, reason=reason.as_text())
    there = page_within(place_of_form(form), f"/melding/{message_id}")
    return RedirectResponse(there, status_code=303)


@router.post("/melding/{message_id}/hent")
def collect(request: Request, visitor: Acting, message_id: str) -> Response:
    """Collect it for registering (*hent for journalføring*)."""
    form = read_form(request, visitor)
    with telling_what_changed(request, visitor, message_id, form):
        content.collect_by_hand(line_of(request), capacity_of(visitor), message_id)
    return to_message(visitor, form, message_id, Deed.COLLECTED)


@router.get("/melding/{message_id}/dokument/{number}")
def document(request: Request, visitor: Acting, message_id: str, number: str) -> Response:
    """One document, as a download; further ranges of it go on with the same reading."""
    if not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER):
        raise NotFound
    asked = range_asked(request)
    line = line_of(request)
    found = content.read(
        line, capacity_of(visitor), message_id, part=str(int(number)), goes_on=asked.goes_on
    )
    try:
        with watch_damage(line, message_id):
            return document_download(line, found, int(number), asked=asked)
    except RangeNotThere as error:
        return Response(status_code=416, headers={"content-range": f"bytes */{error.size}"})


@router.get("/melding/{message_id}/pakke")
def package(request: Request, visitor: Acting, message_id: str) -> Response:
    """The whole container as it came, arkivmelding.xml in it."""
    line = line_of(request)
    found = content.read(line, capacity_of(visitor), message_id, part=content.WHOLE_PACKAGE)
    with watch_damage(line, message_id):
        return package_download(line, found, name=message_id)
