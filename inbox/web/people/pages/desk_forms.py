"""What else may be done with a message: hold, duplicate, proposals, check again, receipt."""

import re
from collections.abc import Mapping
from datetime import date
from itertools import takewhile
from typing import Any, Final

from inbox.access.policy.vocabulary import Action
from inbox.days import day_of
from inbox.domain import DeliveryState, HoldCause, MessageState
from inbox.errors import Invalid
from inbox.line.moves import archive_staff, holds, unit
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.package.codes.registry import CODES
from inbox.receipt_document import REFUSALS
from inbox.web.people import shapes, words
from inbox.web.people.pages.decision_forms import (
    GivenReason,
    form_problems,
    read_reason,
    reason_choices,
)
from inbox.web.people.pages.distribute import version_of
from inbox.web.people.pages.done import Deed
from inbox.web.people.pages.message import SeenMessage
from inbox.web.people.pages.message_acts import Asked, MessageForm, Sent, Wrong
from inbox.web.people.texts import PageTexts, to_translate

_WRITTEN_DAY: Final = re.compile(r"(\d{1,2})[./](\d{1,2})(?:[./](\d{4}))?")


def _hold(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed | Wrong:
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


def _end_hold(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed:
    line, capacity, message_id, _form = sent
    del texts, found
    holds.end_hold(line, capacity, message_id)
    return Deed.HOLD_ENDED


def _duplicate(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed | Wrong:
    line, capacity, message_id, form = sent
    original = form.one("original")
    if original not in found.same_as:
        return form_problems(texts, {"original": texts.gettext("Velg hvilken den er lik")})
    version = version_of(form.one("versjon"))
    archive_staff.mark_duplicate(
        line, capacity, message_id, original_id=original, expected_version=version
    )
    return Deed.DUPLICATE


def _recheck(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed:
    line, capacity, message_id, form = sent
    del texts, found
    version = version_of(form.one("versjon"))
    archive_staff.recheck(line, capacity, message_id, expected_version=version)
    return Deed.RECHECKED


def _propose_refusal(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed | Wrong:
    del found
    code = sent[3].one("kode")
    others = {} if code in REFUSALS else {"kode": texts.gettext("Velg hva avsenderen skal få vite")}
    return _propose(texts, ProposalKind.REFUSE, sent, code, others)


def _propose_release(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed | Wrong:
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


def _withdraw(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed | Wrong:
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


def _receipt(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed | Wrong:
    line, capacity, message_id, form = sent
    del found
    accept = form.one("gjor") == "godta"
    reason = read_reason(texts, form, "accept" if accept else "resend")
    if not isinstance(reason, GivenReason):
        return reason
    move = archive_staff.accept_failure if accept else archive_staff.resend
    move(line, capacity, message_id, reason=reason.as_text())
    return Deed.ACCEPTED if accept else Deed.RESENT


def _hold_values(texts: PageTexts, found: SeenMessage, asked: Asked) -> Mapping[str, Any]:
    del found, asked
    return {
        "causes": [
            shapes.Choice(value=each, name=_as_a_line(texts.gettext(said)))
            for each, said in words.HOLD_CAUSES.items()
        ]
    }


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


def is_collected(found: SeenMessage) -> bool:
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


DESK_FORMS: Final[Mapping[str, MessageForm]] = {
    "vent": MessageForm(
        action=Action.HOLD,
        title=to_translate("Sett på vent"),
        template="hold_form.html",
        values=_hold_values,
        do=_hold,
    ),
    "av-vent": MessageForm(
        action=Action.HOLD,
        title=to_translate("Ta av vent"),
        template="plain_form.html",
        do=_end_hold,
    ),
    "duplikat": MessageForm(
        action=Action.DUPLICATE,
        title=to_translate("Duplikat av"),
        template="duplicate_form.html",
        do=_duplicate,
    ),
    "kontroll": MessageForm(
        action=Action.RECHECK,
        title=to_translate("Kontroller på nytt"),
        template="plain_form.html",
        do=_recheck,
    ),
    "avvisning": MessageForm(
        action=Action.PROPOSE,
        title=to_translate("Foreslå avvisning"),
        template="refusal_form.html",
        reasons="refuse",
        values=lambda texts, found, asked: {"refusals": refusal_choices(texts)},  # noqa: ARG005 - one shape
        do=_propose_refusal,
    ),
    "frigivelse": MessageForm(
        action=Action.PROPOSE,
        title=to_translate("Foreslå frigivelse fra karantene"),
        template="release_form.html",
        reasons="quarantine_release",
        values=lambda texts, found, asked: {"waiver": waiver_in_words(texts, found.row.code)},  # noqa: ARG005 - one shape
        do=_propose_release,
    ),
    "tilbake": MessageForm(
        action=Action.WITHDRAW,
        title=to_translate("Trekk tilbake fra fagsystemet"),
        template="reason_form.html",
        reasons="withdraw",
        values=lambda texts, found, asked: {"is_collected": is_collected(found)},  # noqa: ARG005 - one shape
        do=_withdraw,
    ),
    "kvittering": MessageForm(
        action=Action.RESEND,
        title=to_translate("Kvitteringen kom ikke fram"),
        template="receipt_form.html",
        reasons="resend",
        values=lambda texts, found, asked: {"accept_reasons": reason_choices(texts, "accept")},  # noqa: ARG005 - one shape
        do=_receipt,
    ),
}
"""The forms of those who distribute, by the last part of their address; some are others', too."""
