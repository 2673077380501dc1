"""The parts of a message's page for the people of its unit, as the components show them."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from fastapi import Request

from inbox.access.policy.vocabulary import Action
from inbox.domain import DeliveryState, MessageState
from inbox.line.unit_inbox.contents import Contents
from inbox.line.unit_inbox.message_view import UnitMessageView
from inbox.line.unit_inbox.reasons import RowOfPolicy
from inbox.package.arkivmelding.model import Screening
from inbox.web.people import formats, shapes, words
from inbox.web.people.pages import message_parts
from inbox.web.people.pages.place_in_queue import Place, page_within
from inbox.web.people.pages.shown_rows import marks_of, sender_of
from inbox.web.people.rendering import page_texts
from inbox.web.people.texts import PageTexts, to_translate
from inbox.web.people.visitor import Visitor

_M = MessageState
_AT_UNIT: Final = (_M.ROUTED, _M.RETURNED)
_EMERGENCY_FACT: Final = "has_breakglass"
_MOST_WAYS: Final = 3


def unit_message_values(
    request: Request, visitor: Visitor, found: UnitMessageView, place: Place | None
) -> dict[str, Any]:
    """What the page of a message, and every form about it, shows; nothing of what is in it."""
    texts, row = page_texts(request), found.row
    within = partial(page_within, place)
    may = {action.value: decision.allowed for action, decision in found.decisions.items()}
    return {
        "message_template": "unit_message.html",
        "heading": found.title or sender_of(texts, row.sender_name, row.sender),
        "sender": sender_of(texts, row.sender_name, row.sender),
        "found": found,
        "row": row,
        "marks": marks_of(texts, row, visitor.person),
        "steps": message_parts.steps_of(texts, found.neighbours, place),
        "lamps": message_parts.lamps_of(texts, found.lamps),
        "envelope": message_parts.envelope_facts(texts, row, found.envelope),
        "copies": message_parts.copies_of(found.same_as),
        "history": message_parts.history_of(texts, found.history),
        "sender_sees": texts.gettext(words.SENDER_SEES[found.sender_sees]),
        "state": texts.gettext(words.STATES[row.state]),
        "holder": _holder(texts, found, visitor),
        "case_system": _case_system(texts, found),
        "next_step": next_step(texts, found),
        "may": may,
        "links": _other_actions(texts, found, within),
        "proposals": message_parts.open_proposals(texts, found.proposals),
        "tasks": message_parts.open_tasks(texts, row, found.tasks),
        "message_address": within(f"/melding/{row.id}"),
        "read_reason_needed": False,
        "is_damaged": False,
        "contents": None,
        "because": _held(found.opens_by),
        "because_basis": _basis([found.opens_by] if found.opens_by else []),
        "needs": _needs(texts, found),
        "needs_basis": _basis(_ways(found)),
        "assigns_first": within(f"/melding/{row.id}/tildel")
        if may["assign"] and found.holdings.assigned_to is None
        else "",
        "collects_by_hand": collects_by_hand(found),
        "until": _readable_until(texts, found),
        "can_grant_by": ", ".join(found.leaders),
    }


def content_values(texts: PageTexts, contents: Contents) -> dict[str, Any]:
    """What is in it, for somebody who has been permitted to read it now."""
    _ = texts.gettext
    return {
        "contents": contents,
        "document_count": _("%(count)s, til sammen %(size)s")
        % {
            "count": len(contents.documents),
            "size": formats.size(sum(each.size for each in contents.documents), texts.language),
        },
        "archive_facts": _archive_facts(texts, contents),
        "missing": [
            shapes.ShownFact(
                label=each.element,
                value=_("vi foreslår %(value)s") % {"value": each.suggested}
                if each.suggested
                else _("mangler"),
            )
            for each in contents.missing
        ],
    }


def next_step(texts: PageTexts, found: UnitMessageView) -> str:
    """What is to be done with it, in one sentence."""
    state, held = found.row.state, found.holdings.assigned_to
    may = {action for action, decision in found.decisions.items() if decision.allowed}
    releases = state in _AT_UNIT and Action.RELEASE in may
    registers = _is_collected_by_hand(found) and Action.REGISTER in may
    steps = (
        (state in {_M.REGISTERED, _M.ANSWERED}, to_translate("Den er journalført")),
        (state is _M.ERASED, to_translate("Innholdet er slettet")),
        (
            Action.TAKE in may,
            to_translate("Den er ikke tildelt noen: ta den hvis den er din å gjøre"),
        ),
        (
            collects_by_hand(found),
            to_translate("Hent den for journalføring, og registrer den i arkivet"),
        ),
        (registers, to_translate("Registrer den med referansen fra arkivet")),
        (
            releases and Action.OPEN in may,
            to_translate("Les den, og frigi den når den er deres"),
        ),
        (held is None and Action.ASSIGN in may, to_translate("Tildel den til en saksbehandler")),
        (releases, to_translate("Frigi den når den er deres")),
        (
            state is _M.RELEASED,
            to_translate("Den er frigitt, og tilbys om et øyeblikk"),
        ),
        (
            state is _M.OFFERED,
            to_translate("Den er tilbudt, og venter på å bli hentet"),
        ),
    )
    said = next((said for holds, said in steps if holds), words.STATES[state])
    return _capitalized(texts.gettext(said))


def _capitalized(said: str) -> str:
    return said[:1].upper() + said[1:]


def collects_by_hand(found: UnitMessageView) -> bool:
    """Whether this person can collect it for registering now."""
    delivery = found.holdings.delivery
    return (
        delivery is not None
        and delivery.by_hand
        and delivery.state is DeliveryState.OPEN
        and found.decisions[Action.OPEN].allowed
        and not {"assigned", "covers"}.isdisjoint(found.decisions[Action.OPEN].facts)
    )


def _is_collected_by_hand(found: UnitMessageView) -> bool:
    delivery = found.holdings.delivery
    return delivery is not None and delivery.by_hand and delivery.state is DeliveryState.COLLECTED


def _holder(texts: PageTexts, found: UnitMessageView, visitor: Visitor) -> str:
    held = found.holdings.assigned_to
    if held is None:
        return texts.gettext("ingen ennå")
    return texts.gettext("deg") if held.person == visitor.person else held.name


def _case_system(texts: PageTexts, found: UnitMessageView) -> str:
    """What its case system knows of it, in a sentence."""
    _, delivery, state = texts.gettext, found.holdings.delivery, found.row.state
    if delivery is None:
        if state in {_M.REGISTERED, _M.ANSWERED}:
            return ""
        return _("Fagsystemet har ikke fått den.")
    named = {
        "system": delivery.case_system,
        "at": formats.short_moment(delivery.offered_at, texts.language),
    }
    if delivery.by_hand:
        if delivery.state is DeliveryState.COLLECTED:
            return _("Hentet for journalføring. Den er ikke journalført ennå.")
        return _("Enheten journalfører selv. Den ble tilbudt %(at)s, og ingen har hentet den.") % (
            named
        )
    if delivery.state is DeliveryState.COLLECTED:
        return _("%(system)s har hentet den, og har ikke journalført den ennå.") % named
    return _("Tilbudt %(system)s %(at)s, og ikke hentet ennå.") % named


def _held(row: RowOfPolicy | None) -> list[shapes.ShownCheck]:
    """What the row asks for by which it may be read."""
    parts = () if row is None else row.parts
    return [shapes.ShownCheck(holds=True, text=part.text) for part in parts]


def _basis(rows: Sequence[RowOfPolicy]) -> shapes.RuleBasis:
    bases = dict.fromkeys(each for row in rows for each in row.bases)
    return shapes.RuleBasis(rules=", ".join(row.rule for row in rows), bases="; ".join(bases))


def _ways(found: UnitMessageView) -> list[RowOfPolicy]:
    """The ways to read it that come nearest; emergency access has a page of its own."""
    return [
        row for row in found.missing if _EMERGENCY_FACT not in {part.fact for part in row.parts}
    ][:_MOST_WAYS]


def _needs(texts: PageTexts, found: UnitMessageView) -> list[shapes.ShownCheck]:
    """What these ways ask for, each thing once: first what holds, then what is missing."""
    parts = {part.fact: part for row in _ways(found) for part in row.parts}
    return [
        shapes.ShownCheck(
            holds=part.holds,
            text=part.text,
            more="" if part.holds else _remedy(texts, found, part.fact),
            stops=not part.holds,
        )
        for part in sorted(parts.values(), key=lambda part: not part.holds)
    ]


def _remedy(texts: PageTexts, found: UnitMessageView, fact: str) -> str:
    """Who can give what is missing."""
    _ = texts.gettext
    leaders = ", ".join(found.leaders) or _("lederen")
    said = {
        "assigned": _("%(leaders)s kan tildele deg den."),
        "has_grant": _("%(leaders)s kan gi deg innsyn, med sluttdato."),
        "covers": _("%(leaders)s kan la deg vikariere."),
        "cleared": _("De som fører folk og enheter, kan gi klareringen. Det krever to."),
    }.get(fact, "")
    if fact == "assigned" and found.decisions[Action.TAKE].allowed:
        said = f"{_('Du kan ta den selv.')} {said}"
    return said % {"leaders": leaders}


def _readable_until(texts: PageTexts, found: UnitMessageView) -> str:
    """Until when it can be read, for what has been registered."""
    _ = texts.gettext
    if found.erased_at is not None:
        said = _("Den kan leses til %(day)s. Da slettes innholdet her.")
        return said % {"day": formats.full_day_with_year(found.erased_at, texts.language)}
    if found.row.state is _M.REGISTERED:
        said = _("Den kan leses i %(days)s dager etter at kvitteringen er kommet fram.")
        return said % {"days": found.kept_for.days}
    return ""


def _archive_facts(texts: PageTexts, contents: Contents) -> list[shapes.ShownFact]:
    """The arkivmelding as labels and values; what is not there is left out."""
    _, entry, case = texts.gettext, contents.entry, contents.case_file
    facts = (
        (_("Sak"), (case and case.title) or ""),
        (_("Avsenders saksnr."), (case and case.case_id) or ""),
        (_("Offentlig tittel"), (entry and entry.public_title) or ""),
        (_("Journalposttype"), (entry and entry.type) or ""),
        (
            _("Dokumentdato"),
            formats.full_day_with_year(contents.written_on, texts.language)
            if contents.written_on
            else "",
        ),
        (_("Skjerming"), screening_text(contents.screening)),
        (_("Vår skjermingskode"), contents.shielding or ""),
        (
            _("Flere journalposter"),
            str(contents.more_entries) if contents.more_entries else "",
        ),
    )
    return [shapes.ShownFact(label=label, value=value) for label, value in facts if value]


def screening_text(screening: Screening | None) -> str:
    """What the sender says of the screening: the code and its legal authority."""
    if screening is None:
        return ""
    return ", ".join(each for each in (screening.authority, screening.access_restriction) if each)


def _other_actions(
    texts: PageTexts, found: UnitMessageView, within: message_parts.Within
) -> list[dict[str, str]]:
    """Links to the forms of what may be done with it, in a fixed order."""
    _, here, row = texts.gettext, f"/melding/{found.row.id}", found.row
    at_unit = row.state in {*_AT_UNIT, _M.RELEASED, _M.OFFERED}
    offers = (
        (Action.REGISTER, "registrer", _("Registrer for hånd"), "", True),
        (Action.HAND_BACK, "ikke-var", _("Ikke vår"), "", True),
        (Action.ASSIGN, "tildel", _("Tildel"), "", at_unit and found.holdings.assigned_to),
        (Action.GRANT, "innsyn", _("Gi innsyn"), "", True),
        (Action.HOLD, "vent", _("Sett på vent"), "p", row.held_until is None),
        (Action.HOLD, "av-vent", _("Ta av vent"), "p", row.held_until is not None),
        (Action.NOTE, "notat", _("Skriv notat"), "t", True),
        (Action.WITHDRAW, "tilbake", _("Trekk tilbake fra fagsystemet"), "", True),
        (Action.PROPOSE, "avvisning", _("Foreslå avvisning"), "", True),
        (Action.ASK_ACCESS, "be-om-innsyn", _("Be om innsyn"), "", found.opens_by is None),
        (Action.DECLARE_CONFLICT, "inhabil", _("Meld inhabilitet"), "", True),
        (Action.BREAKGLASS, "nodtilgang", _("Nødtilgang"), "", found.opens_by is None),
    )
    return [
        {"address": within(f"{here}/{path}"), "name": name, "key": key}
        for action, path, name, key, is_offered in offers
        if is_offered and found.decisions[action].allowed
    ]
