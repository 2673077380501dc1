"""The notes on a message: read, and audited, on this page alone; and a new one."""

from fastapi import APIRouter, Request, Response

from inbox.errors import Invalid, NotFound
from inbox.line.desk.placings import placed_message
from inbox.line.moves import notes
from inbox.web.people import shapes
from inbox.web.people.forms import read_form
from inbox.web.people.pages.context import capacity_of, line_of
from inbox.web.people.pages.decision_forms import form_problems
from inbox.web.people.pages.distribute import to_message
from inbox.web.people.pages.done import Deed
from inbox.web.people.pages.place_in_queue import page_within, place_of
from inbox.web.people.pages.shown_rows import sender_of
from inbox.web.people.rendering import page_texts, render_form
from inbox.web.people.sign_in.visitors import Acting
from inbox.web.people.texts import PageTexts
from inbox.web.people.visitor import Visitor

router = APIRouter()


@router.get("/melding/{message_id}/notat")
def notes_page(request: Request, visitor: Acting, message_id: str) -> Response:
    """The notes on a message that this person may read, and the form for a new one."""
    return _show(request, visitor, message_id)


@router.post("/melding/{message_id}/notat")
def write(request: Request, visitor: Acting, message_id: str) -> Response:
    """Write a note."""
    form, line, capacity = read_form(request, visitor), line_of(request), capacity_of(visitor)
    try:
        notes.write_note(
            line,
            capacity,
            message_id,
            text=form.one("tekst"),
            shielding=form.one("skjerming") or None,
        )
    except Invalid as error:
        request.state.sent_again = form
        wrong = _what_is_wrong(page_texts(request), error)
        return _show(request, visitor, message_id, wrong)
    return to_message(visitor, form, message_id, Deed.NOTED)


def _what_is_wrong(texts: PageTexts, error: Invalid) -> shapes.FormProblems:
    if error.code == "note.shielding":
        said = texts.gettext("Skriv en skjerming som du er klarert for, eller ingenting")
        return form_problems(texts, {"skjerming": said})
    return form_problems(texts, {"tekst": texts.gettext("Skriv et notat på høyst 4000 tegn")})


def _show(
    request: Request, visitor: Visitor, message_id: str, wrong: shapes.FormProblems | None = None
) -> Response:
    """Without the numbers at the side: what is audited is read alone."""
    line, capacity, texts = line_of(request), capacity_of(visitor), page_texts(request)
    found = placed_message(line, capacity, message_id)
    if found is None:
        raise NotFound
    there = notes.read_notes(line, capacity, message_id)
    return render_form(
        request,
        "note_form.html",
        wrong,
        sender=sender_of(texts, found.sender_name, found.sender),
        reference=found.reference,
        notes=[shapes.Todo(what=each.text or texts.gettext("slettet")) for each in there],
        form_address=request.url.path,
        message_address=page_within(place_of(request.query_params), f"/melding/{message_id}"),
    )
