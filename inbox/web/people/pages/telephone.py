"""On the telephone: a sender asks for a message by its own id, and hears no more than it may."""

from fastapi import APIRouter, Request, Response

from inbox.domain import parse_org_number
from inbox.errors import Invalid
from inbox.line.desk.telephone import CallerAnswer, answer_caller
from inbox.web.people import words
from inbox.web.people.forms import read_form
from inbox.web.people.pages.context import capacity_of, line_of, side_for
from inbox.web.people.pages.decision_forms import form_problems
from inbox.web.people.pages.message_parts import lamps_of
from inbox.web.people.rendering import page_texts, render_form
from inbox.web.people.shapes import FormProblems
from inbox.web.people.sign_in.visitors import Acting
from inbox.web.people.visitor import Visitor

router = APIRouter()


@router.get("/telefon")
def ask(request: Request, visitor: Acting) -> Response:
    """Who calls, and about which of their messages."""
    return _show(request, visitor)


@router.post("/telefon")
def answer(request: Request, visitor: Acting) -> Response:
    """What the caller may hear. The ids are posted, so that they stand in no address."""
    form, texts = read_form(request, visitor), page_texts(request)
    request.state.sent_again = form
    sender_id, caller = form.one("id"), "".join(form.one("orgnr").split())
    wrong = {} if sender_id else {"id": texts.gettext("Skriv id-en som avsenderen oppgir")}
    try:
        parse_org_number(caller)
    except Invalid:
        wrong["orgnr"] = texts.gettext("Skriv organisasjonsnummeret til dem som ringer: ni siffer")
    if wrong:
        return _show(request, visitor, wrong=form_problems(texts, wrong))
    line, capacity = line_of(request), capacity_of(visitor)
    found = answer_caller(
        line, capacity, sender_id=sender_id, caller=caller, language=texts.language
    )
    return _show(request, visitor, found)


def _show(
    request: Request,
    visitor: Visitor,
    found: CallerAnswer | None = None,
    *,
    wrong: FormProblems | None = None,
) -> Response:
    texts = page_texts(request)
    lamps = lamps_of(texts, found.lamps) if found and found.lamps else []
    sees = (
        texts.gettext(words.SENDER_SEES[found.sender_sees]) if found and found.sender_sees else ""
    )
    return render_form(
        request,
        "telephone.html",
        wrong,
        found=found,
        lamps=lamps,
        sender_sees=sees,
        side=side_for(request, visitor),
    )
