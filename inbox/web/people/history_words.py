"""What the history of a message calls each event: in bokmål here, translated where it is shown."""

from collections.abc import Mapping
from typing import Final

from inbox.line.desk.message.history import HistoryLine
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.line.task_kinds import PLACING_DENIED, PLACING_UNIT_PASSIVE
from inbox.web.people import words
from inbox.web.people.texts import PageTexts, to_translate

_NOT_PLACED: Final = to_translate("Ikke fordelt likevel: den er der den var")
_EVENTS: Final[Mapping[str, str]] = {
    "message:received recheck": to_translate("Sendt til ny kontroll"),
    "message:received quarantine_release": to_translate("Sluppet ut av karantene, til ny kontroll"),
    "message:opened": to_translate("Pakken besto kontrollen"),
    "message:quarantined": to_translate("Kontrollen fant noe: satt i karantene"),
    "message:unrouted route": to_translate("Ingen regel passet: lagt til fordeling"),
    "message:unrouted route route.no_book": to_translate(
        "Ingen regler å gå etter: lagt til fordeling"
    ),
    "message:unrouted route route.book_unread": to_translate(
        "Reglene kunne ikke leses: lagt til fordeling"
    ),
    "message:unrouted route route.rule_off": to_translate(
        "Regelen som passet, er slått av: lagt til fordeling"
    ),
    "message:unrouted route unit.passive": to_translate(
        "Enheten i regelen er lagt ned: lagt til fordeling"
    ),
    "message:routed route": to_translate("En regel fordelte den til enheten"),
    "message:released route": to_translate(
        "En regel fordelte den til enheten og frigav den til fagsystemet"
    ),
    "message:placing place": to_translate("Fordelt"),
    "message:routed place": to_translate("Fordelt"),
    "message:routed place PLACING": to_translate("Kommet fram til enheten"),
    "message:released place": to_translate("Fordelt, og frigitt til fagsystemet"),
    "message:released place PLACING": to_translate(
        "Kommet fram til enheten, og frigitt til fagsystemet"
    ),
    "message:unrouted place": _NOT_PLACED,
    "message:returned place": _NOT_PLACED,
    f"message:routed place {PLACING_DENIED}": _NOT_PLACED,
    f"message:routed place {PLACING_UNIT_PASSIVE}": _NOT_PLACED,
    "message:unrouted undo": to_translate("Fordelingen er angret"),
    "message:routed undo": to_translate("Fordelingen er angret"),
    "message:routed undo RELEASED": to_translate("Frigivelsen er angret"),
    "message:returned undo": to_translate("Fordelingen er angret"),
    "message:returned undo RELEASED": to_translate("Frigivelsen er angret"),
    "message:unrouted hand_back": to_translate("Gitt tilbake: den hører ikke til hos enheten"),
    "message:released release": to_translate("Frigitt til fagsystemet"),
    "message:offered offer": to_translate("Tilbudt fagsystemet"),
    "message:unrouted offer": to_translate("Kunne ikke tilbys fagsystemet: lagt til fordeling"),
    "message:routed withdraw": to_translate("Trukket tilbake fra fagsystemet"),
    "message:registered word": to_translate("Journalført av fagsystemet"),
    "message:returned word": to_translate("Avvist av fagsystemet"),
    "message:registered register": to_translate("Journalført for hånd"),
    "message:registered duplicate": to_translate("Merket som mottatt før"),
    "message:refused refuse": to_translate("Avvisningen er godkjent"),
    "message:erased erase": to_translate("Innholdet er slettet"),
    "message:held": to_translate("Satt på vent"),
    "message:hold_ended": to_translate("Tatt av vent"),
    "delivery:collected": to_translate("Hentet av fagsystemet"),
    "message:taken": to_translate("Tatt"),
    "message:assigned": to_translate("Tildelt"),
    "message:read": to_translate("Lest"),
    "receipt:chosen": to_translate("Kvitteringen skal sendes på nytt"),
    "receipt:sent": to_translate("Kvittering er sendt til avsenderen"),
    "receipt:confirmed": to_translate("Avsenderen har fått kvitteringen"),
    "receipt:failed": to_translate("Kvitteringen kom ikke fram"),
    "receipt:impossible": to_translate("Kvitteringen kan ikke sendes"),
    "receipt:failure_accepted": to_translate("Godtatt at kvitteringen ikke kommer fram"),
    "proposal:opened": to_translate("Foreslått: %(what)s"),
    "proposal:approved": to_translate("Godkjent: %(what)s"),
    "proposal:declined": to_translate("Forslag avslått: %(what)s"),
    "proposal:lapsed": to_translate("Forslaget gjelder ikke lenger: %(what)s"),
}
"""By the event; then by what did it, where that differs; then by its code or the state before."""


def event_in_words(texts: PageTexts, line: HistoryLine) -> str:
    """What happened, and who did it where a name is shown; empty for what is left out."""
    said = next((_EVENTS[key] for key in _keys(line) if key in _EVENTS), "")
    if not said:
        return ""
    what = texts.gettext(said) % {"what": _proposed(texts, line)}
    if not line.person_name:
        return what
    return texts.gettext("%(what)s, av %(name)s") % {"what": what, "name": line.person_name}


def _keys(line: HistoryLine) -> tuple[str, ...]:
    """The closest first."""
    by = f"{line.event} {line.by}"
    return (f"{by} {line.code}", f"{by} {line.was}", by, line.event)


def _proposed(texts: PageTexts, line: HistoryLine) -> str:
    """What a proposal is about, as it stands within a sentence."""
    if line.by not in set(ProposalKind):
        return ""
    said = texts.gettext(words.PROPOSALS[ProposalKind(line.by)])
    return said[:1].lower() + said[1:]
