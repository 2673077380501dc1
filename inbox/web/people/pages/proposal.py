"""A proposal: what one person proposes, why, and what follows if another approves it."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from inbox.errors import NotFound
from inbox.line.desk.approval_queue import ApprovalRole, ApprovalRow, approval_row
from inbox.line.desk.queue_filters import Queue
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import MessageProposal, ProposalKind
from inbox.receipt_document import REFUSALS
from inbox.web.people import formats, shapes, words
from inbox.web.people.forms import Form, read_form
from inbox.web.people.pages.context import capacity_of, line_of
from inbox.web.people.pages.decision_forms import (
    GivenReason,
    read_reason,
    reason_choices,
    reason_in_words,
)
from inbox.web.people.pages.desk_forms import waiver_in_words
from inbox.web.people.pages.done import Deed, done_query
from inbox.web.people.pages.place_in_queue import PlaceInQueue, address
from inbox.web.people.pages.shown_rows import sender_of
from inbox.web.people.rendering import page_texts, render_form
from inbox.web.people.sign_in.visitors import Acting, asking_for_strength
from inbox.web.people.texts import PageTexts
from inbox.web.people.visitor import Visitor

router = APIRouter()


@router.get("/forslag/{proposal_id}")
def proposal(request: Request, visitor: Acting, proposal_id: str) -> Response:
    """One open proposal; that it was looked at is in the audit."""
    return _show(request, visitor, proposal_id)


@router.post("/forslag/{proposal_id}/godkjenn")
def approve(request: Request, visitor: Acting, proposal_id: str) -> Response:
    """Approve it, as another person and signed in strongly; it is carried out at once."""
    form = read_form(request, visitor, at_speed=True)
    subject = form.one("gjelder")
    with asking_for_strength(visitor, form):
        message_proposals.approve(line_of(request), capacity_of(visitor), proposal_id)
    return _back_to_queue(visitor, Deed.APPROVED, subject)


@router.post("/forslag/{proposal_id}/avsla")
def decline(request: Request, visitor: Acting, proposal_id: str) -> Response:
    """Decline it, with a reason."""
    form = read_form(request, visitor, at_speed=True)
    reason = read_reason(page_texts(request), form, "decline")
    if not isinstance(reason, GivenReason):
        return _again(request, visitor, proposal_id, form, reason)
    with asking_for_strength(visitor, form):
        message_proposals.decline(
            line_of(request), capacity_of(visitor), proposal_id, reason=reason.as_text()
        )
    return _back_to_queue(visitor, Deed.DECLINED, form.one("gjelder"))


@router.post("/forslag/{proposal_id}/ta-tilbake")
def take_back(request: Request, visitor: Acting, proposal_id: str) -> Response:
    """Take one's own proposal back."""
    form = read_form(request, visitor)
    message_proposals.take_back(line_of(request), capacity_of(visitor), proposal_id)
    return _back_to_queue(visitor, Deed.TAKEN_BACK, form.one("gjelder"))


def _back_to_queue(visitor: Visitor, deed: Deed, subject_id: str) -> RedirectResponse:
    """To what else waits for approval."""
    queue = PlaceInQueue(queue=Queue.APPROVE)
    said = done_query(visitor, deed, subject_id) if subject_id else {}
    return RedirectResponse(address(queue.address, said), status_code=303)


def _again(
    request: Request, visitor: Visitor, proposal_id: str, form: Form, wrong: shapes.FormProblems
) -> Response:
    request.state.sent_again = form
    return _show(request, visitor, proposal_id, wrong)


def _show(
    request: Request, visitor: Visitor, proposal_id: str, wrong: shapes.FormProblems | None = None
) -> Response:
    line, capacity, texts = line_of(request), capacity_of(visitor), page_texts(request)
    row = approval_row(line, capacity, proposal_id)
    if row is None:
        raise NotFound
    found = message_proposals.show_proposal(line, capacity, proposal_id)
    return render_form(
        request,
        "proposal.html",
        wrong,
        **_in_words(texts, found, row),
        is_own=found.proposer == visitor.person,
        can_decide=row.viewer is ApprovalRole.APPROVER,
        decline_reasons=reason_choices(texts, "decline"),
    )


def _in_words(texts: PageTexts, found: MessageProposal, row: ApprovalRow) -> dict[str, Any]:
    _ = texts.gettext
    sentence, note = reason_in_words(texts, found.reason)
    sender = sender_of(texts, row.sender_name, row.sender)
    facts = [
        shapes.ShownFact(label=_("Foreslått av"), value=row.proposer_name),
        shapes.ShownFact(
            label=_("Foreslått"), value=formats.moment(found.created_at, texts.language)
        ),
        shapes.ShownFact(
            label=_("Gjelder til"), value=formats.moment(found.expires_at, texts.language)
        ),
        shapes.ShownFact(label=_("Avsender"), value=sender),
        shapes.ShownFact(label=_("Vår referanse"), value=row.reference),
    ]
    return {
        "proposal": found,
        "heading": f"{_(words.PROPOSALS[found.kind])}: {row.reference}",
        "facts": facts,
        "sentence": sentence,
        "note": note,
        "sender_reads": REFUSALS.get(found.code, "") if found.kind is ProposalKind.REFUSE else "",
        "waivers": [waiver_in_words(texts, each) for each in found.code.split()]
        if found.kind is ProposalKind.QUARANTINE_RELEASE
        else [],
        "consequences": [_(each) for each in words.PROPOSAL_CONSEQUENCES[found.kind]],
        "subject_address": f"/forsendelse/{found.subject_id}"
        if row.is_arrival
        else f"/melding/{found.subject_id}",
    }
