"""What the people of a unit do with a message: hand back, register, assign, give access, emergency.

Whom something can be given to is decided for each colleague; one in conflict is not among them.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from inbox.access.lists.queue_search import Whose
from inbox.access.policy.vocabulary import Action
from inbox.days import day_of, end_of_day
from inbox.domain import PersonId
from inbox.errors import Conflict, Invalid
from inbox.line.access import grants
from inbox.line.access.open_access import emergency_access
from inbox.line.moves import unit
from inbox.line.moves.conflicts import ConflictAbout, declare_conflict
from inbox.line.unit_inbox.colleagues import colleagues
from inbox.line.unit_inbox.message_view import UnitMessageView
from inbox.web.people import shapes
from inbox.web.people.pages.decision_forms import (
    NOTE_FIELD,
    GivenReason,
    form_problems,
    read_reason,
    reason_in_words,
)
from inbox.web.people.pages.desk_forms import read_day
from inbox.web.people.pages.distribute import version_of
from inbox.web.people.pages.done import Deed
from inbox.web.people.pages.message import SeenMessage
from inbox.web.people.pages.message_acts import Asked, MessageForm, Sent, Wrong
from inbox.web.people.texts import PageTexts, to_translate

_TO: Final = "til"
_UNTIL: Final = "slutt"
_REFERENCE: Final = "referanse"
_SHORTEST_EMERGENCY_REASON: Final = 20
_ABOUT: Final[Mapping[ConflictAbout, str]] = {
    ConflictAbout.MESSAGE: to_translate("Denne meldingen"),
    ConflictAbout.CASE: to_translate("Saken: alt som nevner den"),
    ConflictAbout.SENDER: to_translate("Avsenderen: alt som kommer derfra"),
}
_NOTHING_TO_DECLARE: Final[Mapping[str, str]] = {
    "conflict.no_sender": to_translate("Meldingen har ingen kjent avsender"),
    "conflict.no_case": to_translate("Meldingen nevner ingen sak som vi kjenner"),
}


def _hand_back(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed | Wrong:
    line, capacity, message_id, form = sent
    del found
    reason = read_reason(texts, form, "hand_back")
    if not isinstance(reason, GivenReason):
        return reason
    version = version_of(form.one("versjon"))
    unit.hand_back(line, capacity, message_id, expected_version=version, reason=reason.as_text())
    return Deed.HANDED_BACK


def _register(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed | Wrong:
    line, capacity, message_id, form = sent
    del found
    version = version_of(form.one("versjon"))
    try:
        unit.register(
            line,
            capacity,
            message_id,
            reference=form.one(_REFERENCE),
            expected_version=version,
        )
    except Invalid:
        said = texts.gettext("Skriv referansen fra arkivet, som 2026/1234-5")
        return form_problems(texts, {_REFERENCE: said})
    return Deed.REGISTERED


def _assign(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed | Wrong:
    line, capacity, message_id, form = sent
    del found
    chosen = form.one(_TO)
    if not chosen:
        return form_problems(texts, {_TO: texts.gettext("Velg hvem som skal ha den")})
    unit.assign(line, capacity, message_id, to=PersonId(chosen))
    return Deed.ASSIGNED


def _grant(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed | Wrong:
    line, capacity, message_id, form = sent
    others, day = {}, read_day(form.one(_UNTIL), day_of(found.made_at))
    chosen = form.one(_TO)
    if not chosen:
        others[_TO] = texts.gettext("Velg hvem som skal ha innsyn")
    if day is None:
        others[_UNTIL] = texts.gettext("Skriv en dag, som 7.12.2026")
    reason = read_reason(texts, form, "grant", others=others)
    if not isinstance(reason, GivenReason) or day is None:
        assert not isinstance(reason, GivenReason)
        return reason
    lasts = end_of_day(day) - found.made_at
    try:
        grants.grant(
            line,
            capacity,
            message_id,
            to=PersonId(chosen),
            duration=lasts,
            reason=reason.as_text(),
        )
    except Invalid:
        days = line.terms.grant_longest.days
        said = texts.gettext("Velg en dag fram i tid, høyst %(days)s dager") % {"days": days}
        return form_problems(texts, {_UNTIL: said})
    except Conflict as error:
        if error.code != "access.stands":
            raise
        return form_problems(texts, {_TO: texts.gettext("Den personen har innsyn alt")})
    return Deed.GRANTED


def _breakglass(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed | Wrong:
    line, capacity, message_id, form = sent
    del found
    others = {}
    if len(form.one(NOTE_FIELD)) < _SHORTEST_EMERGENCY_REASON:
        others[NOTE_FIELD] = texts.gettext("Skriv hvorfor det ikke kan vente, med minst 20 tegn")
    reason = read_reason(texts, form, "breakglass", others=others)
    if not isinstance(reason, GivenReason):
        return reason
    grants.breakglass(line, capacity, message_id, reason=reason.as_text())
    return Deed.EMERGENCY


def _declare_conflict(texts: PageTexts, found: SeenMessage, sent: Sent) -> Deed | Wrong:
    line, capacity, message_id, form = sent
    del found
    about = form.one("gjelder")
    if about not in set(ConflictAbout):
        return form_problems(texts, {"gjelder": texts.gettext("Velg hva du er inhabil i")})
    try:
        declare_conflict(line, capacity, message_id, about=ConflictAbout(about))
    except Conflict as error:
        if error.code not in _NOTHING_TO_DECLARE:
            raise
        said = texts.gettext(_NOTHING_TO_DECLARE[error.code])
        return form_problems(texts, {"gjelder": said})
    return Deed.CONFLICT_DECLARED


def _conflict_values(texts: PageTexts, found: SeenMessage, asked: Asked) -> Mapping[str, Any]:
    del found, asked
    return {
        "abouts": [
            shapes.Choice(value=each.value, name=texts.gettext(said))
            for each, said in _ABOUT.items()
        ]
    }


def _people(action: Action, question: str) -> Any:
    """The colleagues to choose from in a form."""

    def values(texts: PageTexts, found: SeenMessage, asked: Asked) -> Mapping[str, Any]:
        line, capacity, message_id = asked
        del found
        there = colleagues(line, capacity, message_id, action)
        return {
            "question": texts.gettext(question),
            "people": [shapes.Choice(value=each.person, name=each.name) for each in there],
        }

    return values


def _emergency_values(texts: PageTexts, found: SeenMessage, asked: Asked) -> Mapping[str, Any]:
    """How long it lasts; while it does, how long yet, and the reason that was given."""
    line, capacity, _message_id = asked
    values: dict[str, Any] = {
        "minutes": line.terms.breakglass_duration // timedelta(minutes=1),
        "taken": None,
    }
    held = found.holdings.own if isinstance(found, UnitMessageView) else ()
    taken = next((each for each in held if each.whose is Whose.EMERGENCY), None)
    if taken is None or taken.until is None:
        return values
    left = -((found.made_at - taken.until) // timedelta(minutes=1))
    access = emergency_access(line, capacity, taken.access_id)
    sentence, note = reason_in_words(texts, access.reason if access else "")
    return values | {
        "taken": taken,
        "left": texts.ngettext("%(count)s minutt igjen", "%(count)s minutter igjen", left)
        % {"count": left},
        "sentence": sentence,
        "note": note,
    }


UNIT_FORMS: Final[Mapping[str, MessageForm]] = {
    "ikke-var": MessageForm(
        action=Action.HAND_BACK,
        title=to_translate("Ikke vår"),
        template="hand_back_form.html",
        reasons="hand_back",
        do=_hand_back,
    ),
    "registrer": MessageForm(
        action=Action.REGISTER,
        title=to_translate("Registrer for hånd"),
        template="register_form.html",
        do=_register,
    ),
    "tildel": MessageForm(
        action=Action.ASSIGN,
        title=to_translate("Tildel"),
        template="assign_form.html",
        values=_people(Action.ASSIGN, to_translate("Hvem skal ha den?")),
        do=_assign,
    ),
    "innsyn": MessageForm(
        action=Action.GRANT,
        title=to_translate("Gi innsyn"),
        template="grant_form.html",
        reasons="grant",
        values=_people(Action.GRANT, to_translate("Hvem skal ha innsyn?")),
        do=_grant,
    ),
    "inhabil": MessageForm(
        action=Action.DECLARE_CONFLICT,
        title=to_translate("Meld inhabilitet"),
        template="conflict_form.html",
        values=_conflict_values,
        do=_declare_conflict,
    ),
    "nodtilgang": MessageForm(
        action=Action.BREAKGLASS,
        title=to_translate("Nødtilgang"),
        template="emergency_form.html",
        reasons="breakglass",
        values=_emergency_values,
        do=_breakglass,
    ),
}
"""The forms of a unit, by the last part of their address."""
