"""A handler asks for access (*be om innsyn*), and a leader gives it or declines.

A declined request is seen by these two, and by nobody else.
"""

from collections.abc import Mapping
from typing import Any, Final

from inbox.access.policy.vocabulary import Action
from inbox.days import day_of, end_of_day
from inbox.errors import Conflict, Invalid
from inbox.line.access.requests import (
    MOST_OPEN,
    RequestState,
    accept_request,
    ask_access,
    decline_request,
)
from inbox.line.unit_inbox.colleagues import NamedRequest, named_requests
from inbox.web.people import formats, shapes
from inbox.web.people.pages.decision_forms import (
    NOTE_FIELD,
    GivenReason,
    form_problems,
    read_reason,
    reason_in_words,
)
from inbox.web.people.pages.desk_forms import read_day
from inbox.web.people.pages.done import Deed
from inbox.web.people.pages.message import SeenMessage
from inbox.web.people.pages.message_acts import Asked, MessageForm, Sent, Wrong
from inbox.web.people.texts import PageTexts, to_translate

_UNTIL: Final = "slutt"
_STATES: Final[Mapping[RequestState, str]] = {
    RequestState.OPEN: to_translate("venter på svar"),
    RequestState.ACCEPTED: to_translate("gitt"),
    RequestState.DECLINED: to_translate("avslått"),
    RequestState.EXPIRED: to_translate("gjelder ikke lenger"),
}
_CANNOT_ASK: Final[Mapping[str, str]] = {
    "access_request.not_needed": to_translate("Du kan lese den alt"),
    "access_request.open": to_translate("Du har bedt om innsyn i den, og den venter på svar"),
    "access_request.many": to_translate("Du har %(count)s forespørsler som venter på svar"),
    "access_request.nobody": to_translate("Ingen i enheten kan gi deg innsyn i den"),
}


def _ask(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed | Wrong:
    line, capacity, message_id, form = sent
    del found
    reason = read_reason(texts, form, "ask_access")
    if not isinstance(reason, GivenReason):
        return reason
    try:
        ask_access(line, capacity, message_id, reason=reason.as_text())
    except Conflict as error:
        if error.code not in _CANNOT_ASK:
            raise
        said = texts.gettext(_CANNOT_ASK[error.code]) % {"count": MOST_OPEN}
        return form_problems(texts, {NOTE_FIELD: said})
    return Deed.ASKED


def _answer(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed | Wrong:
    line, capacity, _message_id, form = sent
    request_id = form.one("foresporsel")
    if form.one("gjor") != "gi":
        decline_request(line, capacity, request_id)
        return Deed.ANSWERED
    day = read_day(form.one(_UNTIL), day_of(found.made_at))
    if day is None:
        return form_problems(texts, {_UNTIL: texts.gettext("Skriv en dag, som 7.12.2026")})
    try:
        accept_request(line, capacity, request_id, until=end_of_day(day))
    except Invalid:
        days = line.terms.grant_longest.days
        said = texts.gettext("Velg en dag fram i tid, høyst %(days)s dager") % {"days": days}
        return form_problems(texts, {_UNTIL: said})
    return Deed.ANSWERED


def _values(texts: PageTexts, found: SeenMessage, asked: Asked) -> Mapping[str, Any]:
    del found
    return {"requests": [_shown(texts, each) for each in named_requests(*asked)]}


def _shown(texts: PageTexts, each: NamedRequest) -> shapes.ShownRequest:
    request = each.request
    sentence, note = reason_in_words(texts, request.reason)
    return shapes.ShownRequest(
        id=request.id,
        name=each.name,
        asked=formats.short_moment(request.asked_at, texts.language),
        reason=" ".join(part for part in (sentence, note) if part),
        state=texts.gettext(_STATES[request.state]),
        is_open=request.state is RequestState.OPEN,
    )


REQUEST_FORMS: Final[Mapping[str, MessageForm]] = {
    "be-om-innsyn": MessageForm(
        action=Action.ASK_ACCESS,
        title=to_translate("Be om innsyn"),
        template="ask_access_form.html",
        reasons="ask_access",
        values=_values,
        do=_ask,
    ),
    "foresporsler": MessageForm(
        action=Action.GRANT,
        title=to_translate("Forespørsler om innsyn"),
        template="access_requests_form.html",
        values=_values,
        do=_answer,
    ),
}
"""The forms of requests for access, by the last part of their address."""
