"""The page of components, each in all its states, and every state page: in the demo only.

What it shows is made up. The words are those of the product's pages, so they are translated; names
of components stay as developers write them.
"""

from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, Request, Response

from inbox.domain import OrgNumber
from inbox.errors import NotFound
from inbox.web.people.forms import read_form
from inbox.web.people.frame import Done, DoneTone
from inbox.web.people.rendering import render
from inbox.web.people.shapes import (
    Choice,
    FieldError,
    Figure,
    FilterGroup,
    FilterLink,
    FormProblems,
    PastEvent,
    RowMark,
    ShownCheck,
    ShownFact,
    ShownGain,
    ShownLamp,
    ShownLampState,
    ShownRow,
    ShownRule,
    ShownUnit,
    Steps,
    Todo,
    Tone,
)
from inbox.web.people.state_pages import STATE_PAGES, state_page
from inbox.web.people.visitor import visitor_of

router = APIRouter()
_HERE: Final = "/komponenter"
_DAY: Final = datetime(2026, 11, 30, 6, 52, tzinfo=UTC)


@router.get(_HERE)
def components_page(request: Request) -> Response:
    """Every component in its states."""
    return render(request, "showcase.html", show=_SHOWN, shown_states=tuple(STATE_PAGES))


@router.post(_HERE)
def sent_form(request: Request) -> Response:
    """Whatever a form of the page sends, at speed: shown again with what was typed."""
    read_form(request, visitor_of(request), at_speed=True)
    return components_page(request)


@router.get(_HERE + "/{name}")
def one_state(request: Request, name: str) -> Response:
    """One of the state pages, with its real status."""
    if name not in STATE_PAGES:
        raise NotFound
    return state_page(request, STATE_PAGES[name])


def _row(number: int, sender: str, orgnr: str, day: int, **more: object) -> ShownRow:
    received = datetime(2026, 11, day, 7, number % 60, tzinfo=UTC)
    due = datetime(2026, 11, min(30, day + 2), 14, 0, tzinfo=UTC)
    values: dict[str, object] = {
        "address": _HERE,
        "ref": f"0{number}",
        "sender": sender,
        "orgnr": OrgNumber(orgnr),
        "received_at": received,
        "age": 30 - day,
        "due_at": due,
        "channel": "eFormidling",
        "process": "taushetsbelagt",
        "rule": "ingen",
        "unit": "Barneverntjenesten",
        "state": "til fordeling",
        "pick": str(number),
    }
    return ShownRow(**{**values, **more})  # type: ignore[arg-type]  # made up, and shown at once


_SHOWN: Final[dict[str, object]] = {
    "notice": "Det gikk for fort. Trykk en gang til.",
    "done": (
        Done(
            text="04358 fra Lomvi kommune er fordelt til Skole og oppvekst. Kan angres til"
            " kl. 08.04.",
            undo=_HERE,
        ),
        Done(text="2 av 3 er fordelt. Ikke 04366: Bjørn Arkivar kom først.", tone=DoneTone.PARTLY),
        Done(text="04370 er ikke frigitt: den er i karantene.", tone=DoneTone.REFUSED),
    ),
    "road": "Øvelsesmeldingen gikk hele veien kl. 07.12.",
    "road_more": "Siste natt kom 41 meldinger, 38 ble fordelt av reglene.",
    "road_broken": "Øvelsesmeldingen er ikke kommet fram siden kl. 06.40.",
    "figures": (
        Figure(count=25, name="Ufordelt", address=_HERE, cause="eldste 3 virkedager"),
        Figure(count=1, name="Ikke mottatt", address=_HERE, cause="i natt", is_late=True),
        Figure(count=4, name="I karantene", address=_HERE, cause="1 venter på deg"),
        Figure(count=12, name="Venter på fagsystem", address=_HERE, cause="Barnefag er borte"),
        Figure(count=0, name="Uten kvittering", address=_HERE),
    ),
    "todo_count": "2 åpne",
    "todos": (
        Todo(
            what="Godkjenn avvisning av 04381",
            address=_HERE,
            when="fredag 15.41",
            more="Bjørn Arkivar foreslår: gjelder ikke vår virksomhet. Fra Sørvåg kommune.",
        ),
        Todo(
            what="Hent på nytt: en melding gikk tapt før henting",
            address=_HERE,
            when="torsdag 22.31",
            more="Fra Nav Ytterkyst. Avsenderen ser LEVETID UTLØPT.",
        ),
    ),
    "wrong": (
        Todo(
            what="Barnefag svarer ikke",
            when="siden 06.40",
            more="12 meldinger venter. Neste forsøk kl. 08.10. Driften er varslet.",
            is_late=True,
        ),
        Todo(
            what="Sertifikatet utløper om 12 dager",
            when="12. des.",
            more="Virksomhetssertifikatet til integrasjonspunktet.",
            is_soon=True,
        ),
    ),
    "facts": (
        ShownFact(label="eFormidling", value="svarte for 9 s siden"),
        ShownFact(label="Barnefag", value="borte", is_late=True),
    ),
    "filters": (
        FilterGroup(
            name="Frist",
            links=(
                FilterLink(name="Alle", address=_HERE, count=25, is_current=True),
                FilterLink(name="Over frist", address=_HERE, count=2),
                FilterLink(name="I dag", address=_HERE, count=6),
            ),
        ),
        FilterGroup(
            name="Hvorfor",
            links=(
                FilterLink(name="Alle", address=_HERE, is_current=True),
                FilterLink(name="Ingen regel passet", address=_HERE, count=23),
                FilterLink(name="Gitt tilbake", address=_HERE, count=2),
            ),
        ),
    ),
    "caption": "Meldinger til fordeling, eldst først",
    "pages_said": "«Oftest til» er enheten som fikk flest av de siste 20 fra avsenderen.",
    "rows": (
        _row(
            4352,
            "Statsforvalteren i Ytterkyst",
            "312113619",
            25,
            is_late=True,
            mostly="Kommuneadvokaten",
            mostly_count=11,
            mostly_of=20,
        ),
        _row(
            4358,
            "Lomvi kommune",
            "312120410",
            26,
            is_soon=True,
            is_last_opened=True,
            mostly="Skole og oppvekst",
            mostly_count=7,
            mostly_of=12,
            marks=(RowMark(text="tilbake fra PPT", tone=Tone.WARN),),
        ),
        _row(
            4361,
            "Ytterkyst politidistrikt",
            "312100010",
            27,
            mostly="Barneverntjenesten",
            mostly_count=18,
            mostly_of=20,
            marks=(RowMark(text="på vent til 1.12."),),
        ),
        _row(
            4385,
            "Fjellrev tannklinikk AS",
            "312141701",
            27,
            channel="Altinn",
            marks=(RowMark(text="Bjørn ser på den"),),
        ),
        _row(
            4396,
            "Politiets nattjeneste for Ytterkyst, Sørvåg og omegn",
            "312101718",
            28,
            mostly="Barneverntjenesten",
            mostly_count=20,
            mostly_of=20,
            marks=(RowMark(text="signaturen holder ikke", tone=Tone.BAD),),
        ),
    ),
    "units": tuple(
        Choice(value=name, name=name)
        for name in (
            "Barneverntjenesten",
            "Helse og omsorg",
            "Kommuneadvokaten",
            "Pedagogisk-psykologisk tjeneste",
            "Skole og oppvekst",
        )
    ),
    "steps": Steps(
        queue="Til fordeling",
        queue_address=_HERE,
        position=2,
        count=24,
        previous=_HERE,
        next=_HERE,
    ),
    "lamps": (
        ShownLamp(name="Hentet", said="torsdag 08.31", state=ShownLampState.ON),
        ShownLamp(name="Verifisert", said="hel, signert av avsenderen", state=ShownLampState.ON),
        ShownLamp(name="Levert", said="til fagsystemet, ikke ennå"),
        ShownLamp(name="Journalført", said="i fagsystemet, ikke ennå"),
    ),
    "stopped_label": "Hvor en melding i karantene er kommet",
    "lamps_stopped": (
        ShownLamp(name="Hentet", said="fredag 14.02", state=ShownLampState.ON),
        ShownLamp(
            name="Verifisert", said="stanset: ukjent leverandør", state=ShownLampState.STOPPED
        ),
        ShownLamp(name="Levert", said="ikke ennå"),
        ShownLamp(name="Journalført", said="ikke ennå"),
    ),
    "suggestion": "18 av de siste 20 fra denne avsenderen gikk til Barneverntjenesten",
    "because": "Et forslag, ikke mer. Kan angres i et minutt.",
    "likely": (
        ShownUnit(unit="barnevern", name="Barneverntjenesten", count=18, of=20),
        ShownUnit(unit="jurist", name="Kommuneadvokaten", count=1, of=20),
        ShownUnit(unit="skole", name="Skole og oppvekst", count=1, of=20),
    ),
    "others": (
        {"address": _HERE, "name": "Sett på vent", "key": "p"},
        {"address": _HERE, "name": "Skriv notat", "key": "t"},
        {"address": _HERE, "name": "Foreslå avvisning", "key": ""},
    ),
    "rules": (
        ShownRule(
            name="Bekymringsmeldinger fra politiet går rett til barneverntjenesten",
            checks=(
                ShownCheck(holds=True, text="avsenderen er i gruppen politi"),
                ShownCheck(holds=False, text="den offentlige tittelen har et ord fra listen"),
            ),
        ),
        ShownRule(name="Alt fra Nav går til Sosialtjenesten"),
    ),
    "locked": "Innholdet er skjult for den som fordeler",
    "locked_more": "Når meldingen er fordelt til Barneverntjenesten, gjelder dette:",
    "locked_facts": (
        ShownFact(
            label="Kan åpne", value="saksbehandlere i Barneverntjenesten som får den tildelt"
        ),
        ShownFact(label="Kan tildele", value="lederen i Barneverntjenesten, som ikke leser selv"),
    ),
    "history": (
        PastEvent(when="torsdag 08.31", at=_DAY, what="Til fordeling: ingen regel passet"),
        PastEvent(when="torsdag 08.30", at=_DAY, what="Hentet fra integrasjonspunktet"),
    ),
    "envelope": (
        ShownFact(label="Avsender", value="Ytterkyst politidistrikt"),
        ShownFact(label="Filer", value="3, til sammen 2,4 MB"),
        ShownFact(label="Meldings-id", value="7f0c1d2e-5b1a-4c9f-9d1e-3a52b8c1e004", is_code=True),
    ),
    "aloud": (
        "Meldingen er hos oss. Den kom torsdag 26. november kl. 08.31.",
        "Den er kontrollert, og den er hel. Dere får kvittering når den er journalført.",
    ),
    "problems": FormProblems(
        heading="Forslaget er ikke sendt. Rett opp dette:",
        errors=(
            FieldError(field="grunn", message="Velg en grunn"),
            FieldError(field="notat", message="Notatet kan ikke ha fødselsnummer"),
        ),
    ),
    "reason_legend": "Hvorfor skal den avvises? Avsenderen får grunnen ord for ord.",
    "reasons": (
        Choice(value="wrong_receiver", name="Meldingen gjelder ikke vår virksomhet."),
        Choice(
            value="unreadable", name="Filene kan ikke leses.", more="Be om nye filer på telefonen."
        ),
    ),
    "note_label": "Notat (kan være tomt)",
    "note_hint": "Bare for den som skal godkjenne.",
    "until_label": "Til og med",
    "until_value": "7.12.2026",
    "until_hint": "Som 7.12.2026 eller 7.12.",
    "unit_label": "Enhet",
    "propose": "Foreslå avvisning",
    "quoted": "Meldingen gjelder ikke vår virksomhet. Send den til rett mottaker.",
    "proposal_facts": (
        ShownFact(label="Foreslått av", value="Bjørn Arkivar, fredag 27. november kl. 15.41"),
        ShownFact(label="Hjemmel", value="§ 13 i reglene, nr. 2"),
    ),
    "consequences": (
        "Avsenderen får svaret med en gang, og kan ikke få det tilbake.",
        "Innholdet slettes etter 14 dager.",
    ),
    "checks": (
        ShownCheck(holds=True, text="Pakken er hel og uendret"),
        ShownCheck(
            holds=False,
            text="Den som signerte, er kjent",
            more="To kan godta en leverandør, hver for seg",
            stops=True,
        ),
        ShownCheck(holds=False, text="Noen får mer enn før"),
    ),
    "gains": (ShownGain(text="åpne meldinger i Helse og omsorg", count="14", more="§ 13-1"),),
    "losses": (ShownGain(text="tildele i Skole og oppvekst", count="3"),),
    "same": (ShownGain(text="fordele i Dokumentsenteret"),),
    "before": (("Alt fra politiet går til", False), ("Kommuneadvokaten", True)),
    "after": (("Alt fra politiet går til", False), ("Barneverntjenesten", True)),
    "clock": "11 minutter igjen",
    "clock_ends": "Tilgangen slutter kl. 13.15.",
    "ask_label": "Avsenderens meldings-id",
    "ask_button": "Finn",
    "ask_hint": "36 tegn; de åtte første er nok.",
    "people": (
        Choice(
            value="1",
            name="Anne Arkivar",
            more="Fordeler post i Dokumentsenteret. Prøv: fordel 04361 med én tast",
            count="25 til fordeling",
        ),
        Choice(value="2", name="Bjørn Arkivar", more="Prøv: godkjenn det Anne foreslår"),
    ),
}
