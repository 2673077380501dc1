"""What else may be done with a message: hold, note, duplicate, proposals, check again, receipt.

Every one is a page with a form of its own; after it the next message of the queue opens.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from typing import Final

from fastapi import APIRouter, Request, Response

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity
from inbox.days import day_of
from inbox.domain import DeliveryState, HoldCause, MessageState
from inbox.errors import Invalid, NotFound
from inbox.line import Line
from inbox.line.desk.message_view import MessageView
from inbox.line.moves import archive_staff, holds, unit
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.package.codes.registry import CODES
from inbox.receipt_document import REFUSALS
from inbox.web.people import shapes, words
from inbox.web.people.forms import Form, read_form
from inbox.web.people.pages.change_notice import telling_what_changed
from inbox.web.people.pages.context import capacity_of, line_of, side_for
from inbox.web.people.pages.decision_forms import (
    GivenReason,
    form_problems,
    read_reason,
    reason_choices,
)
from inbox.web.people.pages.distribute import to_message, to_next, version_of
from inbox.web.people.pages.done import Deed
from inbox.web.people.pages.message import message_values, seen_message
from inbox.web.people.pages.place_in_queue import place_of, place_of_form
from inbox.web.people.rendering import page_texts, render_form
from inbox.web.people.sign_in.visitors import Acting
from inbox.web.people.texts import PageTexts, to_translate
from inbox.web.people.visitor import Visitor

router = APIRouter()
_WRITTEN_DAY: Final = re.compile(r"(\d{1,2})[./](\d{1,2})(?:[./](\d{4}))?")
Wrong = shapes.FormProblems
Sent = tuple[Line, Capacity, str, Form]


@dataclass(frozen=True, kw_only=True)
class _MessageForm:
    """One form about a message."""

    action: Action
    """Without a yes to it the page is not here."""
    title: str
    template: str
    reasons: str = ""
    """The deed whose reasons can be chosen; empty where the form has none."""
    do: Callable[[PageTexts, MessageView, Sent], Deed | Wrong]
    """What was done, or what is wrong with what was typed."""


def _hold(texts: PageTexts, found: MessageView, sent: Sent) -> Deed | Wrong:
    line, capacity, message_id, form = sent
    today = day_of(found.made_at)
    wrong, day = {}, read_day(form.one("dato"), today)
    if form.one("arsak") not in set(HoldCause):
        wrong["arsak"] = texts.gettext("Velg hva den venter på")
    if day is None:
        wrong["dato"] = texts.gettext("Skriv en dag, som 7.12.2026")
    if wrong or day is None:
        return form_problems(texts, wrong)
    try:
        holds.hold(line, capacity, message_id, cause=HoldCause(form.one("arsak")), last_day=day)
    except Invalid:
        return form_problems(
            texts, {"dato": texts.gettext("Velg en dag fram i tid, høyst 90 dager")}
        )
    return Deed.HELD


def _end_hold(texts: PageTexts, found: MessageView, sent: Sent) -> Deed:
    line, capacity, message_id, _form = sent
    del texts, found
    holds.end_hold(line, capacity, message_id)
    return Deed.HOLD_ENDED


def _duplicate(texts: PageTexts, found: MessageView, sent: Sent) -> Deed | Wrong:
    line, capacity, message_id, form = sent
    original = form.one("original")
    if original not in found.same_as:
        return form_problems(texts, {"original": texts.gettext("Velg hvilken den er lik")})
    version = version_of(form.one("versjon"))
    archive_staff.mark_duplicate(
        line, capacity, message_id, original_id=original, expected_version=version
    )
    return Deed.DUPLICATE


def _recheck(texts: PageTexts, found: MessageView, sent: Sent) -> Deed:
    line, capacity, message_id, form = sent
    del texts, found
    version = version_of(form.one("versjon"))
    archive_staff.recheck(line, capacity, message_id, expected_version=version)
    return Deed.RECHECKED


def _propose_refusal(texts: PageTexts, found: MessageView, sent: Sent) -> Deed | Wrong:
    del found
    code = sent[3].one("kode")
    others = {} if code in REFUSALS else {"kode": texts.gettext("Velg hva avsenderen skal få vite")}
    return _propose(texts, ProposalKind.REFUSE, sent, code, others)


def _propose_release(texts: PageTexts, found: MessageView, sent: Sent) -> Deed | Wrong:
    return _propose(texts, ProposalKind.QUARANTINE_RELEASE, sent, found.row.code or "", {})


def _propose(
    texts: PageTexts, kind: ProposalKind, sent: Sent, code: str, others: Mapping[str, str]
) -> Deed | Wrong:
    line, capacity, message_id, form = sent
    reason = read_reason(texts, form, kind.value, others=others)
    if not isinstance(reason, GivenReason):
        return reason
    message_proposals.propose(line, capacity, kind, message_id, code=code, reason=reason.as_text())
    return Deed.PROPOSED


def _withdraw(texts: PageTexts, found: MessageView, sent: Sent) -> Deed | Wrong:
    """One person until the case system has collected it; a proposal after that."""
    line, capacity, message_id, form = sent
    reason = read_reason(texts, form, "withdraw")
    if not isinstance(reason, GivenReason):
        return reason
    if is_collected(found):
        kind = ProposalKind.WITHDRAW
        message_proposals.propose(line, capacity, kind, message_id, reason=reason.as_text())
        return Deed.PROPOSED
    version = version_of(form.one("versjon"))
    unit.withdraw(line, capacity, message_id, expected_version=version, reason=reason.as_text())
    return Deed.UNDONE


def _receipt(texts: PageTexts, found: MessageView, sent: Sent) -> Deed | Wrong:
    line, capacity, message_id, form = sent
    del found
    accept = form.one("gjor") == "godta"
    reason = read_reason(texts, form, "accept" if accept else "resend")
    if not isinstance(reason, GivenReason):
        return reason
    move = archive_staff.accept_failure if accept else archive_staff.resend
    move(line, capacity, message_id, reason=reason.as_text())
    return Deed.ACCEPTED if accept else Deed.RESENT


_FORMS: Final[Mapping[str, _MessageForm]] = {
    "vent": _MessageForm(
        action=Action.HOLD,
        title=to_translate("Sett på vent"),
        template="hold_form.html",
        do=_hold,
    ),
    "av-vent": _MessageForm(
        action=Action.HOLD,
        title=to_translate("Ta av vent"),
        template="plain_form.html",
        do=_end_hold,
    ),
    "duplikat": _MessageForm(
        action=Action.DUPLICATE,
        title=to_translate("Duplikat av"),
        template="duplicate_form.html",
        do=_duplicate,
    ),
    "kontroll": _MessageForm(
        action=Action.RECHECK,
        title=to_translate("Kontroller på nytt"),
        template="plain_form.html",
        do=_recheck,
    ),
    "avvisning": _MessageForm(
        action=Action.PROPOSE,
        title=to_translate("Foreslå avvisning"),
        template="refusal_form.html",
        reasons="refuse",
        do=_propose_refusal,
    ),
    "frigivelse": _MessageForm(
        action=Action.PROPOSE,
        title=to_translate("Foreslå frigivelse fra karantene"),
        template="release_form.html",
        reasons="quarantine_release",
        do=_propose_release,
    ),
    "tilbake": _MessageForm(
        action=Action.WITHDRAW,
        title=to_translate("Trekk tilbake fra fagsystemet"),
        template="reason_form.html",
        reasons="withdraw",
        do=_withdraw,
    ),
    "kvittering": _MessageForm(
        action=Action.RESEND,
        title=to_translate("Kvitteringen kom ikke fram"),
        template="receipt_form.html",
        reasons="resend",
        do=_receipt,
    ),
}
"""Every form about a message, by the last part of its address."""


@router.get("/melding/{message_id}/{form_name}")
def message_form(request: Request, visitor: Acting, message_id: str, form_name: str) -> Response:
    """One of the forms, if this person may do it now."""
    chosen = _FORMS.get(form_name)
    if chosen is None:
        raise NotFound
    found = seen_message(request, visitor, message_id, place_of(request.query_params))
    return _show(request, visitor, chosen, found, None)


@router.post("/melding/{message_id}/{form_name}")
def do_message_form(request: Request, visitor: Acting, message_id: str, form_name: str) -> Response:
    """Do it; or the form again, with what is wrong."""
    chosen = _FORMS.get(form_name)
    if chosen is None:
        raise NotFound
    form = read_form(request, visitor)
    found = seen_message(request, visitor, message_id, place_of_form(form))
    sent = (line_of(request), capacity_of(visitor), message_id, form)
    with telling_what_changed(request, visitor, message_id, form):
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
    chosen: _MessageForm,
    found: MessageView,
    wrong: Wrong | None,
) -> Response:
    """The form's page. Raises `NotFound` for somebody who may not do it."""
    if chosen.action not in found.decisions or not found.decisions[chosen.action].allowed:
        raise NotFound
    texts, place = page_texts(request), place_of(request.query_params)
    return render_form(
        request,
        chosen.template,
        wrong,
        **message_values(request, visitor, found, place),
        title=texts.gettext(chosen.title),
        form_address=request.url.path,
        reasons_to_choose=reason_choices(texts, chosen.reasons) if chosen.reasons else (),
        accept_reasons=reason_choices(texts, "accept"),
        causes=[
            shapes.Choice(value=each, name=_as_a_line(texts.gettext(said)))
            for each, said in words.HOLD_CAUSES.items()
        ],
        refusals=refusal_choices(texts),
        waiver=waiver_in_words(texts, found.row.code),
        is_collected=is_collected(found),
        side=side_for(request, visitor, found),
    )


def _as_a_line(said: str) -> str:
    """Words that stand in a sentence elsewhere, on a line of their own."""
    return said[:1].upper() + said[1:]


def refusal_choices(texts: PageTexts) -> list[shapes.Choice]:
    """Why a message is refused, each with what the sender will read, word for word."""
    return [
        shapes.Choice(
            value=code,
            name=texts.gettext(words.REFUSAL_CODES[code]),
            more=texts.gettext("Avsenderen får: «%(text)s»") % {"text": said},
        )
        for code, said in REFUSALS.items()
    ]


def waiver_in_words(texts: PageTexts, code: str | None) -> str:
    """What the check found, as a sentence; the code where it has none."""
    return CODES[code].text.in_(texts.language) if code and code in CODES else (code or "")


def is_collected(found: MessageView) -> bool:
    """Whether the case system has the message already."""
    since_offered = takewhile(
        lambda line: line.became != MessageState.OFFERED, reversed(found.history)
    )
    return any(line.became == DeliveryState.COLLECTED for line in since_offered)


def read_day(text: str, today: date) -> date | None:
    """A day as people write it: 7.12.2026, 07.12.2026, 7.12 or 7/12; None for anything else.

    Without a year it is the next such day.
    """
    found = _WRITTEN_DAY.fullmatch(text.strip().rstrip("."))
    if found is None:
        return None
    day, month, year = (int(part) if part else None for part in found.groups())
    try:
        written = date(year or today.year, month or 0, day or 0)
        return written if year or written >= today else written.replace(year=today.year + 1)
    except ValueError:
        return None
