"""What pages call states, kinds, causes and codes: in bokmål here, translated where it is shown."""

from collections.abc import Mapping
from typing import Final

from inbox.domain import HoldCause, MessageState, Service
from inbox.line.desk.message.lamps import SenderSees
from inbox.line.desk.queue_filters import Queue
from inbox.line.desk.saved_views import SavedView
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.line.task_kinds import TaskKind
from inbox.line.unit_inbox.lists import UnitList
from inbox.web.people.frame import QUEUES, UNIT_LISTS
from inbox.web.people.texts import PageTexts, to_translate

_QUEUE_NAMES: Final = dict(QUEUES)
_LIST_NAMES: Final = dict(UNIT_LISTS)
LIST_HEADINGS: Final[Mapping[UnitList, str]] = {
    UnitList.UNIT: to_translate("Min enhet"),
    UnitList.OWN: to_translate("Tildelt meg"),
}
LIST_IS_EMPTY: Final[Mapping[UnitList, str]] = {
    UnitList.UNIT: to_translate("Enheten har ingenting åpent som du kan se."),
    UnitList.OWN: to_translate("Ingenting er tildelt deg."),
}
LIST_BELOW: Final[Mapping[UnitList, str]] = {
    UnitList.UNIT: to_translate("Du ser det du har tilgang til. Enheten kan ha mer."),
    UnitList.OWN: to_translate(
        "Vikar og innsyn lar deg lese. Frigi, gi tilbake og tildele kan den som har meldingen,"
        " eller lederen."
    ),
}
QUEUE_IS_EMPTY: Final[Mapping[Queue, str]] = {
    Queue.DISTRIBUTE: to_translate("Alt er fordelt."),
    Queue.QUARANTINE: to_translate("Ingenting er i karantene."),
    Queue.MISSED: to_translate("Alt som er sendt hit, er mottatt."),
    Queue.APPROVE: to_translate("Ingenting venter på godkjenning."),
    Queue.WITHOUT_RECEIPT: to_translate("Alle avsendere har fått kvittering."),
    Queue.WAITING: to_translate("Ingenting venter på et fagsystem."),
    Queue.RETURNED: to_translate("Ingenting er avvist av et fagsystem."),
    Queue.ON_HOLD: to_translate("Ingenting er satt på vent."),
    Queue.DONE: to_translate("Ingenting er ferdig ennå."),
}
QUEUE_CAUSES: Final[Mapping[Queue, str]] = {
    Queue.DISTRIBUTE: to_translate("Ingen regel passet, eller den er gitt tilbake."),
    Queue.QUARANTINE: to_translate(
        "Kontrollen fant noe. Ingen får innholdet før to har sluppet den ut."
    ),
    Queue.MISSED: to_translate("Sendt hit, men borte eller uleselig før vi fikk hentet den."),
    Queue.APPROVE: to_translate("Én har foreslått. En annen person må godkjenne."),
    Queue.WITHOUT_RECEIPT: to_translate(
        "Avgjort hos oss, men avsenderen har ikke fått kvitteringen."
    ),
    Queue.WAITING: to_translate(
        "Tilbudt fagsystemet, som ikke har hentet eller journalført den ennå."
    ),
    Queue.RETURNED: to_translate("Fagsystemet tok den ikke. Avsenderen har ikke fått vite noe."),
    Queue.ON_HOLD: to_translate("Venter på noe, til en dag som er satt."),
    Queue.DONE: to_translate("Besvart. Innholdet slettes når tiden er ute; sporet blir stående."),
}
FIGURES: Final[Mapping[Queue, str]] = {
    Queue.DISTRIBUTE: to_translate("Ufordelt"),
    Queue.MISSED: to_translate("Ikke mottatt"),
    Queue.QUARANTINE: to_translate("I karantene"),
    Queue.APPROVE: to_translate("Til godkjenning"),
    Queue.WITHOUT_RECEIPT: to_translate("Uten kvittering"),
    Queue.WAITING: to_translate("Venter på fagsystem"),
}
"""The figures of the front page; a name of their own, so that no link on the page is doubled."""
STATES: Final[Mapping[MessageState, str]] = {
    MessageState.RECEIVED: to_translate("mottatt, ikke kontrollert ennå"),
    MessageState.QUARANTINED: to_translate("i karantene"),
    MessageState.OPENED: to_translate("kontrollert"),
    MessageState.UNROUTED: to_translate("til fordeling"),
    MessageState.PLACING: to_translate("fordeles om et øyeblikk"),
    MessageState.ROUTED: to_translate("hos enheten, ikke frigitt"),
    MessageState.RELEASED: to_translate("frigitt til fagsystemet"),
    MessageState.OFFERED: to_translate("tilbudt fagsystemet"),
    MessageState.RETURNED: to_translate("avvist av fagsystemet"),
    MessageState.REGISTERED: to_translate("journalført"),
    MessageState.REFUSED: to_translate("avvist"),
    MessageState.ANSWERED: to_translate("besvart"),
    MessageState.ERASED: to_translate("slettet etter fristen"),
}
HOLD_CAUSES: Final[Mapping[HoldCause, str]] = {
    HoldCause.SENDER_ASKED: to_translate("vi har spurt avsenderen om noe"),
    HoldCause.UNIT_ASKED: to_translate("vi har spurt en enhet om noe"),
    HoldCause.CASE_MISSING: to_translate("saken er ikke opprettet ennå"),
    HoldCause.PERSON_AWAY: to_translate("den vi trenger svar fra, er fraværende"),
    HoldCause.SYSTEM_DOWN: to_translate("fagsystemet er nede"),
}
PROPOSALS: Final[Mapping[ProposalKind, str]] = {
    ProposalKind.REFUSE: to_translate("Avvisning"),
    ProposalKind.QUARANTINE_RELEASE: to_translate("Frigivelse fra karantene"),
    ProposalKind.ABANDON: to_translate("Å gi opp en forsendelse"),
    ProposalKind.WITHDRAW: to_translate("Tilbaketrekking fra fagsystemet"),
    ProposalKind.DISMISS: to_translate("Å avfeie et svar som kom for sent"),
}
PROPOSAL_CONSEQUENCES: Final[Mapping[ProposalKind, tuple[str, ...]]] = {
    ProposalKind.REFUSE: (
        to_translate(
            "Avsenderen får en kvittering om at meldingen er avvist. Den kan ikke trekkes tilbake."
        ),
        to_translate("Meldingen blir ikke journalført her, og innholdet slettes når tiden er ute."),
    ),
    ProposalKind.QUARANTINE_RELEASE: (
        to_translate(
            "Meldingen kontrolleres på nytt med unntaket, og går deretter den vanlige veien."
        ),
        to_translate("Verdiktet sier for alltid at unntaket er gjort, og av hvem."),
    ),
    ProposalKind.ABANDON: (
        to_translate("Forsendelsen hentes aldri. Avsenderen må sende den på nytt."),
    ),
    ProposalKind.WITHDRAW: (
        to_translate(
            "Fagsystemet har alt hentet den. Si fra dit, så den ikke blir journalført to steder."
        ),
        to_translate("Meldingen er hos enheten igjen."),
    ),
    ProposalKind.DISMISS: (
        to_translate(
            "Svaret fra fagsystemet får ingen virkning. Meldingen går den vanlige veien videre."
        ),
    ),
}
REFUSAL_CODES: Final[Mapping[str, str]] = {
    "not_for_us": to_translate("Den gjelder ikke vår virksomhet"),
    "unreadable": to_translate("Den kan ikke leses"),
    "signature": to_translate("Pakken er endret, eller signaturen er ugyldig"),
    "wrong_channel": to_translate("Innholdet kan ikke mottas i denne kanalen"),
    "withdrawn_by_sender": to_translate("Avsenderen har bedt om det"),
}
"""Why a message is refused, as a person chooses it; what the sender reads is fixed."""
REASONS: Final[Mapping[str, Mapping[str, str]]] = {
    "refuse": {
        "checked_with_units": to_translate("Jeg har spurt enhetene det kunne gjelde"),
        "asked_sender": to_translate("Jeg har ringt avsenderen, på et nummer vi hadde fra før"),
        "clear_from_envelope": to_translate("Konvolutten viser det"),
    },
    "quarantine_release": {
        "asked_sender": to_translate("Jeg har ringt avsenderen, på et nummer vi hadde fra før"),
        "known_supplier": to_translate("Vi vet at denne leverandøren sender for avsenderen"),
        "urgent_for_person": to_translate("Det haster for den det gjelder"),
    },
    "abandon": {
        "sent_again": to_translate("Avsenderen har sendt den på nytt"),
        "not_for_us": to_translate("Avsenderen sier at den ikke var til oss"),
        "sender_told": to_translate("Avsenderen vet at vi aldri fikk den"),
    },
    "withdraw": {
        "wrong_unit": to_translate("Den gikk til feil enhet"),
        "wrong_system": to_translate("Den gikk til feil fagsystem"),
        "asked_by_unit": to_translate("Enheten har bedt om det"),
    },
    "dismiss": {
        "registered_elsewhere": to_translate("Den er journalført et annet sted"),
        "system_mistaken": to_translate("Fagsystemet svarte på feil levering"),
    },
    "decline": {
        "wrong_reason": to_translate("Grunnen holder ikke"),
        "not_enough_known": to_translate("Vi vet for lite ennå"),
        "ask_first": to_translate("Spør avsenderen eller enheten først"),
    },
    "resend": {
        "route_mended": to_translate("Mottaket hos avsenderen er i orden igjen"),
        "sender_asked": to_translate("Avsenderen har bedt om den"),
    },
    "accept": {
        "sender_told": to_translate("Avsenderen har fått vite det på annen måte"),
        "cannot_receive": to_translate("Avsenderen kan ikke ta imot kvitteringer"),
    },
    "close_task": {
        "seen": to_translate("Jeg har sett det"),
        "mended": to_translate("Det er ordnet"),
        "looked_into": to_translate("Det er undersøkt, og i orden"),
    },
    "read": {
        "standing_in": to_translate("Jeg vikarierer, og saken kan ikke vente"),
        "asked_by_colleague": to_translate("Den som har saken, har bedt meg om det"),
        "deadline": to_translate("En frist går ut før den som har saken, er tilbake"),
    },
    "hand_back": {
        "other_unit": to_translate("Den hører til hos en annen enhet"),
        "not_our_task": to_translate("Vi har ikke slike saker"),
        "wrong_body": to_translate("Den gjelder ikke vår virksomhet"),
    },
    "grant": {
        "works_together": to_translate("De arbeider sammen om saken"),
        "expertise": to_translate("Vi trenger fagkunnskap fra en annen"),
        "takes_over": to_translate("Den personen skal overta"),
    },
    "ask_access": {
        "works_with_holder": to_translate("Jeg arbeider med saken sammen med den som har den"),
        "same_person": to_translate("Jeg har en annen sak om den samme"),
        "asked_to_advise": to_translate("Jeg er bedt om å gi råd"),
    },
    "breakglass": {
        "life_or_health": to_translate("Fare for liv eller helse"),
        "child_safety": to_translate("Et barns sikkerhet"),
        "statutory_deadline": to_translate("En frist i lov går ut før noen er tilbake"),
    },
    "place": {
        "follows_history": to_translate("Slikt går vanligvis dit"),
        "asked_unit": to_translate("Enheten har sagt ja"),
        "envelope_says": to_translate("Konvolutten viser det"),
    },
}
"""The reasons that can be chosen for each deed, as sentences; the code is what is kept."""
TASKS: Final[Mapping[TaskKind, str]] = {
    TaskKind.MISSED: to_translate("Hent på nytt: en melding gikk tapt før henting"),
    TaskKind.QUARANTINE: to_translate("Se på %(ref)s i karantene"),
    TaskKind.DISTRIBUTE: to_translate("Fordel %(ref)s"),
    TaskKind.RELEASE: to_translate("Frigi %(ref)s"),
    TaskKind.COLLECT: to_translate("Hent %(ref)s for journalføring"),
    TaskKind.UNCOLLECTED: to_translate("Fagsystemet henter ikke %(ref)s"),
    TaskKind.RETURNED: to_translate("Fagsystemet avviste %(ref)s"),
    TaskKind.RECEIPT: to_translate("Avsenderen av %(ref)s har ikke fått kvittering"),
    TaskKind.LATE_WORD: to_translate("Et svar om %(ref)s kom for sent"),
    TaskKind.CONFLICTING_WORD: to_translate("To svar om %(ref)s sier hver sitt"),
    TaskKind.OTHER_BYTES: to_translate("%(ref)s kom under en id som alt er brukt"),
    TaskKind.WAIVER: to_translate("Godkjenn eller avslå frigivelse av %(ref)s"),
    TaskKind.SECURITY_GRADE: to_translate(
        "%(ref)s er sikkerhetsgradert og skulle ikke vært sendt hit"
    ),
    TaskKind.STUCK: to_translate("%(ref)s står fast"),
    TaskKind.ASSIGNED: to_translate("%(ref)s er tildelt deg eller enheten"),
    TaskKind.GRANTED: to_translate("Noen har fått innsyn i %(ref)s"),
    TaskKind.ACCESS_ASKED: to_translate("Noen ber om innsyn i %(ref)s: gi det, eller avslå"),
    TaskKind.EMERGENCY: to_translate("Kvitter for nødtilgang til %(ref)s"),
    TaskKind.REVIEW: to_translate("Gå gjennom en nødtilgang"),
    TaskKind.UNUSUAL: to_translate("Uvanlig mye er åpnet"),
    TaskKind.LISTING_DIFFERS: to_translate("En liste viste noe den ikke skulle"),
    TaskKind.DAMAGED: to_translate("Innholdet i %(ref)s er skadet på lager"),
    TaskKind.AUDIT_GAP: to_translate("Loggen har et hull"),
    TaskKind.STATE_DIFFERS: to_translate("En rad i databasen stemmer ikke med loggen"),
    TaskKind.NEW_ACTION: to_translate("Programmet kan noe nytt som reglene ikke nevner"),
    TaskKind.LEAVER: to_translate("%(ref)s lå hos en som har sluttet"),
    TaskKind.REASSIGN: to_translate("%(ref)s lå hos en som er inhabil: gi den til en annen"),
    TaskKind.UNASSIGNABLE: to_translate("Ingen i enheten kan tildele %(ref)s"),
    TaskKind.END_CONFLICT: to_translate("Godkjenn eller avslå at en inhabilitet er over"),
    TaskKind.ESCALATED: to_translate("%(ref)s er fordelt for tredje gang"),
    TaskKind.NOT_PLACED: to_translate("%(ref)s ble ikke fordelt: den er der den var"),
    TaskKind.IDENTITY: to_translate("Noen har fått en ny innlogging: se etter at det var meningen"),
}
"""What a task asks for; `ref` is of the message that it is about."""
SENDER_SEES: Final[Mapping[SenderSees, str]] = {
    SenderSees.SENT: to_translate("SENDT. Den er ikke kommet hit, og kan ennå komme."),
    SenderSees.EXPIRED: to_translate("LEVETID UTLØPT. Avsenderen må sende den på nytt."),
    SenderSees.DELIVERED: to_translate(
        "LEVERT. I eFormidling betyr det at vi har meldingen, ikke at fagsystemet har den."
        " Kvittering sendes når den er journalført."
    ),
    SenderSees.RECEIPT_OK: to_translate("Kvittering om at meldingen er journalført."),
    SenderSees.RECEIPT_REFUSED: to_translate("Kvittering om at meldingen er avvist."),
    SenderSees.RECEIPT_MISSING: to_translate(
        "LEVERT. Den er avgjort her, men kvitteringen er ikke kommet fram."
    ),
}
CHANNELS: Final[Mapping[Service, str]] = {
    Service.DPO: "eFormidling",
    Service.DPF: "SvarUt",
    Service.DPV: "Altinn",
}


_OF_THE_SAME_NAME: Final = {name.casefold(): name for name in CHANNELS.values()}
MISSED_CODES: Final[Mapping[str, str]] = {
    "gateway.file_missing": to_translate("Filen var borte hos integrasjonspunktet."),
    "gateway.no_package": to_translate(
        "Integrasjonspunktet hadde meldingen, men ingen fil til den."
    ),
    "gateway.unreadable": to_translate("Integrasjonspunktet kunne ikke lese filen."),
    "gateway.gone": to_translate("Den var borte hos integrasjonspunktet da vi skulle hente den."),
    "gateway.expired": to_translate("Levetiden gikk ut før den kom fram."),
    "gateway.failed": to_translate("eFormidling melder at den feilet før den kom fram."),
    "gateway.truncated": to_translate("Bare en del av filen kom fram, hver gang vi prøvde."),
    "gateway.too_large": to_translate("Filen er større enn vi tar imot."),
    "gateway.refused": to_translate("Integrasjonspunktet ville ikke gi den fra seg."),
}
"""Why something that was sent here did not come; of any other code the code itself is shown."""


def channel_name(channel: str) -> str:
    """The channel as people write it, where its own name is that of what carries it."""
    return _OF_THE_SAME_NAME.get(channel.casefold(), channel)


def queue_name(texts: PageTexts, queue: Queue) -> str:
    """What the queue is called."""
    return texts.gettext(_QUEUE_NAMES[queue.value])


def place_name(texts: PageTexts, place: Queue | UnitList) -> str:
    """What the queue or list is called that a page was reached from."""
    if isinstance(place, Queue):
        return queue_name(texts, place)
    return texts.gettext(_LIST_NAMES[place.value])


def view_name(texts: PageTexts, view: SavedView) -> str:
    """What a saved view is called: its queue and what narrows it, in words."""
    narrowed = view.filters.as_query()
    parts = [
        texts.gettext("over frist") if name == "late" else each for name, each in narrowed.items()
    ]
    return (
        ": ".join((queue_name(texts, view.queue), ", ".join(parts)))
        if parts
        else queue_name(texts, view.queue)
    )
