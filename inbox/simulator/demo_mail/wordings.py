"""What made-up senders write about: kinds of letters, each with a few ways to put it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from inbox.simulator.demo_mail import senders
from inbox.simulator.demo_mail.expectations import Expectation
from inbox.simulator.demo_mail.plan import AUTHORITY, Packing, Plan

SECRETS: Final = "Offl. § 13 jf. fvl. § 13 første ledd nr. 2"
_FIRST_NAMES: Final = (
    *("Test", "Prøve", "Liten", "Mini", "Oppdikta", "Dikt", "Papp", "Skisse", "Kladd", "Modell"),
    *("Figur", "Fabel", "Sagn", "Eventyr", "Utkast"),
)
_LAST_NAMES: Final = (
    *("Testesen", "Eksempelsen", "Diktning", "Påfunnsen", "Fantasi", "Ikke-Nordmann", "Modellsen"),
    *("Pappfigur", "Fabelsen", "Skissen", "Oppspinn", "Tenktsen", "Eventyrsen"),
)


@dataclass(frozen=True, kw_only=True)
class Wording:
    """One way to put it: the title with the name of somebody made up, and the public title."""

    title: str
    public: str
    line: str


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Letters of one kind: which sender writes them, and how."""

    name: str
    """Letters are named by it, with a number."""
    sender: str
    wordings: Sequence[Wording]
    authority: str | None = AUTHORITY
    packing: Packing = Packing.GENUINE

    def letter(self, number: int, expect: Expectation, *, sender: str | None = None) -> Plan:
        """The letter with this number, in one of the wordings, about somebody made up."""
        wording = self.wordings[number % len(self.wordings)]
        first = _FIRST_NAMES[number % len(_FIRST_NAMES)]
        last = _LAST_NAMES[(number * 5) % len(_LAST_NAMES)]
        return Plan(
            name=f"{self.name}-{number:02}",
            sender=sender or self.sender,
            title=wording.title.format(who=f"{first} {last}"),
            public=wording.public,
            lines=(wording.line, f"Brev nummer {number} av dette slaget er også oppdiktet."),
            expect=expect,
            authority=self.authority,
            packing=self.packing,
        )


def _kind(name: str, sender: str, *texts: tuple[str, str, str]) -> Kind:
    wordings = [Wording(title=title, public=public, line=line) for title, public, line in texts]
    return Kind(name=name, sender=sender, wordings=wordings)


POLICE_WORRY: Final = _kind(
    "police-worry",
    senders.POLICE,
    (
        "Bekymringsmelding om {who}",
        "Bekymringsmelding - *****",
        "Barnet var alene ute klokken ett.",
    ),
    (
        "Melding til barnevernet om {who}",
        "Melding til barnevernet",
        "Patruljen fant ingen voksne hjemme.",
    ),
    (
        "Bekymringsmelding etter utrykning hos {who}",
        "Bekymringsmelding etter utrykning",
        "Naboene hadde ringt om bråk. Ingen kom til skade.",
    ),
)
POLICE_MASKED: Final = _kind(
    "police-masked",
    senders.POLICE,
    ("Opplysninger om {who}", "***** - *****", "Opplysningene ble gitt i avhør."),
    ("Henleggelse i sak mot {who}", "Underretning i sak *****", "Saken er henlagt."),
    ("Forkynning for {who}", "***** ##### *****", "Forkynningen gjelder en innkalling."),
)
SCHOOL_REFERRAL: Final = _kind(
    "school-referral",
    senders.SCHOOL_NORTH,
    ("Henvisning til PPT for {who}", "Henvisning til PPT", "Eleven strever med lesing."),
    (
        "Sakkyndig vurdering av {who}, spørsmål fra skolen",
        "Sakkyndig vurdering, spørsmål",
        "Når kan vi vente vurderingen?",
    ),
    ("Spesialundervisning for {who}", "Spesialundervisning, enkeltvedtak", "Fem timer i uken."),
    ("Logopedvurdering av {who}", "Logopedvurdering", "Foreldrene ønsker logoped."),
)
SCHOOL_WORRY: Final = _kind(
    "school-worry",
    senders.SCHOOL_NORTH,
    (
        "Bekymringsmelding om {who}",
        "Bekymringsmelding, elev på barnetrinnet",
        "Eleven har hatt mye fravær.",
    ),
    ("Melding til barnevernet om {who}", "Melding til barnevernet", "Eleven vil ikke gå hjem."),
)
SCHOOL_MASKED: Final = _kind(
    "school-masked",
    senders.SCHOOL_NORTH,
    ("Fravær hos {who}", "***** hos *****", "Eleven har vært borte i tre uker."),
    ("Referat fra møte om {who}", "Referat fra møte *****", "Neste møte er i januar."),
)
PATIENT: Final = _kind(
    "patient",
    senders.HOSPITAL,
    ("Utskrivningsklar: {who}", "Utskrivningsklar pasient", "Pasienten kan reise hjem torsdag."),
    ("Epikrise for {who}", "Epikrise", "Medisinlisten er endret."),
    (
        "Overføring av pasient {who}",
        "Pasientopplysninger ved overføring",
        "Pasienten overføres til korttidsplass.",
    ),
)
HOSPITAL_MASKED: Final = _kind(
    "hospital-masked",
    senders.HOSPITAL,
    ("Samarbeidsmøte om {who}", "Innkalling til samarbeidsmøte", "Møtet er på sykehuset."),
    ("Spørsmål om hjelpemidler til {who}", "***** til *****", "Trenger han rullator hjemme?"),
)
PUPIL: Final = _kind(
    "pupil",
    senders.TINDFJELL,
    ("Elevmappe for {who}", "Oversendelse av elevmappe", "Mappen har ni dokumenter."),
    ("Skolebytte for {who}", "Skolebytte fra januar", "Familien flytter i januar."),
    ("Skolestart for {who}", "Skolestart neste høst", "Barnet skal begynne hos dere."),
)
NEIGHBOUR_MASKED: Final = _kind(
    "neighbour-masked",
    senders.TINDFJELL,
    ("Vergemål for {who}", "Oversendelse av *****", "Saken følger personen."),
    ("Klage fra {who} på eiendomsskatt", "Oversendelse, feil mottaker", "Klagen gjelder dere."),
)
BENEFIT: Final = _kind(
    "benefit",
    senders.NAV_PENSION,
    ("Inntektsopplysninger om {who}", "Opplysninger om *****", "Tabellen gjelder i fjor."),
    ("Økonomisk sosialhjelp: {who}", "***** ##### *****", "Brukeren søker hjelp til husleie."),
)
APPEAL: Final = _kind(
    "appeal",
    senders.GOVERNOR,
    ("Klage fra {who}", "Klagesak oversendes til ny behandling", "Vedtaket oppheves."),
    ("Omgjøring av vedtak for {who}", "Omgjøring av vedtak", "Vedtaket gjøres om."),
)
GOVERNOR_MASKED: Final = _kind(
    "governor-masked",
    senders.GOVERNOR,
    ("Tilsyn etter henvendelse fra {who}", "Varsel om *****", "Tilsynet er i februar."),
)
COAST: Final = replace(
    _kind(
        "coast",
        senders.COAST_INSPECTION,
        (
            "Oppdrettsanlegget {who} AS: fôroppskrift",
            "Tilsyn med akvakulturanlegg",
            "Oppskriften er en forretningshemmelighet.",
        ),
    ),
    authority=SECRETS,
)
MINE: Final = replace(
    _kind(
        "mine",
        senders.MINE_INSPECTION,
        ("Gruven {who} AS: boreprøver", "Driftsplan for steinbrudd", "Prøvene viser lite malm."),
    ),
    authority=SECRETS,
)
ACCOUNTS: Final = replace(
    _kind(
        "accounts",
        senders.ACCOUNTANT,
        (
            "Regnskapstall for {who} AS",
            "Tilleggsopplysninger til søknad om næringsstøtte",
            "Tallene er ikke offentlige.",
        ),
    ),
    authority=SECRETS,
)
CITIZEN: Final = replace(
    _kind(
        "citizen",
        senders.UNKNOWN,
        ("Tilbakemelding fra {who}", "Tilbakemelding", "Jeg vil ikke ha flere brev fra dere."),
    ),
    packing=Packing.SVARINN,
)
STRANGER: Final = _kind(
    "stranger",
    senders.STRANGER,
    ("Spørsmål om saken til {who}", "Spørsmål i sak", "Vi ber om kopi av alt."),
)
SCANNED: Final = replace(
    _kind("scanned", senders.CLINIC, ("", "", "Legeerklæring for en ansatt som ikke finnes.")),
    authority=None,
    packing=Packing.BARE,
)
BROKEN: Final = replace(
    _kind(
        "broken",
        senders.POLICE_NIGHT,
        ("Rapport om {who}", "Rapport", "Brevet er helt, men signaturen er det ikke."),
    ),
    packing=Packing.BROKEN,
)
SUPPLIED: Final = replace(
    _kind(
        "supplied",
        senders.TINDFJELL,
        ("Elevpermisjon for {who}", "Elevpermisjon", "Sendt av leverandør for kommunen."),
    ),
    packing=Packing.SUPPLIED,
)
GRADED: Final = replace(
    _kind(
        "graded",
        senders.POLICE,
        ("Beskyttet adresse: {who}", "Bekymringsmelding", "Adressen står ikke i brevet."),
    ),
    packing=Packing.GRADED,
)
LOST: Final = replace(
    _kind(
        "lost",
        senders.SORVAG,
        ("Elevmappe for {who}, som forsvant", "Oversendelse av elevmappe", "Ingen får lese dette."),
    ),
    packing=Packing.LOST,
)
