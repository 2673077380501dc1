"""An arrival that was missed: what the gateway says of it, and the two things that can be done."""

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from inbox.access.policy.vocabulary import Action
from inbox.line.desk.arrival_queue import ArrivalView, arrival_view
from inbox.line.desk.queue_filters import Queue
from inbox.line.moves import archive_staff
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.web.people import formats, shapes, words
from inbox.web.people.forms import read_form
from inbox.web.people.pages.context import capacity_of, line_of, side_for
from inbox.web.people.pages.decision_forms import (
    GivenReason,
    read_reason,
    reason_choices,
)
from inbox.web.people.pages.distribute import version_of
from inbox.web.people.pages.done import Deed, done_query
from inbox.web.people.pages.place_in_queue import PlaceInQueue, address
from inbox.web.people.pages.queue import missed_cause
from inbox.web.people.pages.shown_rows import sender_of
from inbox.web.people.rendering import page_texts, render_form
from inbox.web.people.sign_in.visitors import Acting
from inbox.web.people.texts import PageTexts
from inbox.web.people.visitor import Visitor

router = APIRouter()


@router.get("/forsendelse/{arrival_id}")
def arrival(request: Request, visitor: Acting, arrival_id: str) -> Response:
    """One arrival."""
    return _show(request, visitor, arrival_id)


@router.post("/forsendelse/{arrival_id}/hent")
def fetch_again(request: Request, visitor: Acting, arrival_id: str) -> Response:
    """Fetch it again now."""
    form = read_form(request, visitor)
    version = version_of(form.one("versjon"))
    archive_staff.refetch(
        line_of(request), capacity_of(visitor), arrival_id, expected_version=version
    )
    return _to_queue(visitor, Deed.REFETCHED, arrival_id)


@router.post("/forsendelse/{arrival_id}/oppgi")
def propose_to_give_up(request: Request, visitor: Acting, arrival_id: str) -> Response:
    """Propose to give it up; another person must approve."""
    form, texts = read_form(request, visitor), page_texts(request)
    reason = read_reason(texts, form, ProposalKind.ABANDON.value)
    if not isinstance(reason, GivenReason):
        request.state.sent_again = form
        return _show(request, visitor, arrival_id, reason)
    line, capacity = line_of(request), capacity_of(visitor)
    message_proposals.propose(
        line, capacity, ProposalKind.ABANDON, arrival_id, reason=reason.as_text()
    )
    return _to_queue(visitor, Deed.PROPOSED, arrival_id)


def _to_queue(visitor: Visitor, deed: Deed, arrival_id: str) -> RedirectResponse:
    there = PlaceInQueue(queue=Queue.MISSED).address
    said = done_query(visitor, deed, arrival_id)
    return RedirectResponse(address(there, said), status_code=303)


def _show(
    request: Request, visitor: Visitor, arrival_id: str, wrong: shapes.FormProblems | None = None
) -> Response:
    texts = page_texts(request)
    found = arrival_view(line_of(request), capacity_of(visitor), arrival_id)
    may = {action.value: decision.allowed for action, decision in found.decisions.items()}
    return render_form(
        request,
        "arrival.html",
        wrong,
        found=found,
        heading=_sender(texts, found),
        facts=_facts(texts, found),
        cause=missed_cause(texts, found.row.code),
        may_fetch=may.get(Action.REFETCH.value, False),
        may_propose=may.get(Action.PROPOSE.value, False) and found.open_proposal is None,
        reasons=reason_choices(texts, ProposalKind.ABANDON.value),
        side=side_for(request, visitor),
    )


def _sender(texts: PageTexts, found: ArrivalView) -> str:
    said = sender_of(texts, found.row.sender_name, found.row.sender)
    return said[:1].upper() + said[1:]


def _facts(texts: PageTexts, found: ArrivalView) -> list[shapes.ShownFact]:
    _, row = texts.gettext, found.row
    number = formats.orgnr(row.sender) if row.sender else _("ukjent")
    until = formats.moment(row.expires_at, texts.language) if row.expires_at else _("ikke kjent")
    return [
        shapes.ShownFact(label=_("Org.nr."), value=number),
        shapes.ShownFact(
            label=_("Varslet"), value=formats.moment(row.announced_at, texts.language)
        ),
        shapes.ShownFact(label=_("Kan hentes til"), value=until),
        shapes.ShownFact(label=_("Forsøkt"), value=str(row.misses)),
        shapes.ShownFact(label=_("Kanal"), value=words.channel_name(row.channel)),
        shapes.ShownFact(label=_("Kode"), value=row.code or "", is_code=True),
        shapes.ShownFact(label=_("Avsenderens id"), value=row.wire_id, is_code=True),
    ]
