"""The parts of a quarantine code: its text in three languages, and what can be done about it."""

from dataclasses import dataclass
from enum import Enum

from inbox.language import TextLanguage


@dataclass(frozen=True, kw_only=True)
class Text:
    """One text in each language; the caller fills in `{name}`."""

    nb: str
    nn: str
    en: str

    def in_(self, language: TextLanguage) -> str:
        """The text in that language."""
        words: str = getattr(self, language.value)
        return words


class Remedy(Enum):
    """Whether the sender can correct the fault, and how."""

    RESEND = Text(
        nb="Ja: be avsenderen sende meldingen på nytt.",
        nn="Ja: be avsendaren sende meldinga på nytt.",
        en="Yes: ask the sender to send the message again.",
    )
    """Probably damaged on the way."""
    SOFTWARE = Text(
        nb="Ja: den som lager avsenderens program, må rette det. Så sendes meldingen på nytt.",
        nn="Ja: den som lagar programmet til avsendaren, må rette det. Så blir meldinga send på"
        " nytt.",
        en="Yes: the maker of the sender's software must correct it; then the message is sent"
        " again.",
    )
    CONTENT = Text(
        nb="Ja: avsenderen kan rette innholdet og sende meldingen på nytt.",
        nn="Ja: avsendaren kan rette innhaldet og sende meldinga på nytt.",
        en="Yes: the sender can correct what is in it and send the message again.",
    )
    CERTIFICATE = Text(
        nb="Ja: avsenderen må signere med et gyldig virksomhetssertifikat og sende på nytt.",
        nn="Ja: avsendaren må signere med eit gyldig verksemdssertifikat og sende på nytt.",
        en="Yes: the sender must sign with a valid enterprise certificate and send again.",
    )
    OURS = Text(
        nb="Nei: den som drifter mottaket, kan rette det. Sjekk så meldingen på nytt.",
        nn="Nei: den som driftar mottaket, kan rette det. Sjekk så meldinga på nytt.",
        en="No: the operator of this service can mend it; then check the message again.",
    )
    NOTHING = Text(
        nb="Nei: det er ingen feil å rette, men noe å avgjøre her.",
        nn="Nei: det er ingen feil å rette, men noko å avgjere her.",
        en="No: there is no mistake to mend, but something to decide here.",
    )
    ELSEWHERE = Text(
        nb="Nei: avsenderen må sende den en annen vei. Varsle den som har ansvar for sikkerhet.",
        nn="Nei: avsendaren må sende ho ein annan veg. Varsle den som har ansvar for tryggleik.",
        en="No: the sender must send it another way. Inform those responsible for security.",
    )


@dataclass(frozen=True, kw_only=True)
class QuarantineCode:
    """One reason why a message is in quarantine."""

    text: Text
    """What is wrong."""
    remedy: Remedy
    waivable: bool
    """Whether two persons may accept the message all the same."""
    needs_reviewer: bool = False
    """Whether the one who approves that must be a security reviewer."""

    @property
    def permitted_actions(self) -> Text:
        """What can be done about it here, and by whom."""
        if not self.waivable:
            return _FINAL
        return _WAIVABLE_WITH_REVIEWER if self.needs_reviewer else _WAIVABLE


_WAIVABLE = Text(
    nb="To arkivarer kan slippe den gjennom, den ene foreslår og den andre godkjenner. En arkivar"
    " kan sjekke den på nytt; to kan avvise den.",
    nn="To arkivarar kan sleppe ho gjennom, den eine føreslår og den andre godkjenner. Ein arkivar"
    " kan sjekke ho på nytt; to kan avvise ho.",
    en="Two archivists can let it through, one proposing and another approving. One can check it"
    " again; two can refuse it.",
)
_WAIVABLE_WITH_REVIEWER = Text(
    nb="En arkivar kan foreslå å slippe den gjennom, og en sikkerhetsansvarlig kan godkjenne det ut"
    " fra konvolutten og dommen, uten å se innholdet. En arkivar kan sjekke den på nytt; to kan"
    " avvise den.",
    nn="Ein arkivar kan føreslå å sleppe ho gjennom, og ein tryggingsansvarleg kan godkjenne det"
    " ut frå konvolutten og dommen, utan å sjå innhaldet. Ein arkivar kan sjekke ho på nytt; to kan"
    " avvise ho.",
    en="An archivist can propose to let it through, and a security reviewer can approve that by the"
    " envelope and the verdict, without seeing the content. One archivist can check it again; two"
    " can refuse it.",
)
_FINAL = Text(
    nb="Ingen kan slippe den gjennom. En arkivar kan sjekke den på nytt; to kan avvise den.",
    nn="Ingen kan sleppe ho gjennom. Ein arkivar kan sjekke ho på nytt; to kan avvise ho.",
    en="Nobody can let it through. One archivist can check it again; two can refuse it.",
)


def not_waivable(mend: Remedy, nb: str, nn: str, en: str) -> QuarantineCode:
    """A code that nobody can waive."""
    return QuarantineCode(text=Text(nb=nb, nn=nn, en=en), remedy=mend, waivable=False)


def waivable_by_two(mend: Remedy, nb: str, nn: str, en: str) -> QuarantineCode:
    """A code that two persons can waive."""
    return QuarantineCode(text=Text(nb=nb, nn=nn, en=en), remedy=mend, waivable=True)


def waivable_with_reviewer(mend: Remedy, nb: str, nn: str, en: str) -> QuarantineCode:
    """A code that an archivist may propose to waive, and only a security reviewer approves."""
    return QuarantineCode(
        text=Text(nb=nb, nn=nn, en=en), remedy=mend, waivable=True, needs_reviewer=True
    )
