"""Explains a verdict in plain sentences, in three languages, without content of the message.

The one name in it is that of the organisation that signed.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from inbox.language import TextLanguage
from inbox.package.arkivmelding.documents import REFERENCED_ABSENT, REFERENCED_TWICE, UNREFERENCED
from inbox.package.character_sets import UNUSUAL_ENCODING
from inbox.package.codes.quarantine_code import Text
from inbox.package.codes.registry import CODES
from inbox.package.signature.certificate_path import REVOCATION_NOT_CHECKED
from inbox.package.verdict import AlgorithmClass, Shape, Signer, SignerIs, Verdict
from inbox.package.zip.names import ALIKE_NAMES, ODD_NAME
from inbox.package.zip.reader import EMPTY_FOLDER

_CONTAINER: Final = Text(
    nb="Pakken er ikke hel, eller ikke av den typen eFormidling bruker.",
    nn="Pakka er ikkje heil, eller ikkje av den typen eFormidling bruker.",
    en="The package is not whole, or not of the kind that eFormidling uses.",
)
_INTEGRITY: Final[Mapping[bool | None, Text]] = {
    True: Text(
        nb="Pakken er hel: alt i den er slik det var da det ble signert.",
        nn="Pakka er heil: alt i ho er slik det var då det vart signert.",
        en="The package is whole: everything in it is as it was when it was signed.",
    ),
    False: Text(
        nb="Det er ikke vist at innholdet er slik det var da det ble signert.",
        nn="Det er ikkje vist at innhaldet er slik det var då det vart signert.",
        en="It has not been shown that the content is as it was when it was signed.",
    ),
    None: Text(
        nb="Signaturen er ikke sjekket.",
        nn="Signaturen er ikkje sjekka.",
        en="The signature has not been checked.",
    ),
}
_SIGNED: Final[Mapping[bool, Text]] = {
    True: Text(nb="Signert av {name}", nn="Signert av {name}", en="Signed by {name}"),
    False: Text(
        nb="Signert med et sertifikat som sier at det tilhører «{name}»",
        nn="Signert med eit sertifikat som seier at det høyrer til «{name}»",
        en="Signed with a certificate that says it belongs to “{name}”",
    ),
}
"""By whether the certificate is believed: what it says about itself proves nothing alone."""
_NAMELESS: Final = Text(
    nb="Signert av noen som sertifikatet ikke navngir",
    nn="Signert av nokon som sertifikatet ikkje namngir",
    en="Signed by somebody whom the certificate does not name",
)
_QUOTES: Final = str.maketrans(dict.fromkeys("«»“”", "'"))
"""A name that is not believed must not end its own quotation."""
_CLASS: Final[Mapping[AlgorithmClass, Text]] = {
    AlgorithmClass.LEGACY_SHA1: Text(
        nb="{signed} med SHA-1, slik eFormidling gjør i dag.",
        nn="{signed} med SHA-1, slik eFormidling gjer i dag.",
        en="{signed} with SHA-1, as eFormidling does today.",
    ),
    AlgorithmClass.MODERN: Text(
        nb="{signed} med SHA-256 eller bedre.",
        nn="{signed} med SHA-256 eller betre.",
        en="{signed} with SHA-256 or better.",
    ),
}
_CHAIN: Final[Mapping[bool, Text]] = {
    True: Text(
        nb="Sertifikatet er gyldig, og utstedt av noen vi stoler på.",
        nn="Sertifikatet er gyldig, og utferda av nokon vi lit på.",
        en="The certificate is valid and was issued by somebody whom we trust.",
    ),
    False: Text(
        nb="Det er ikke vist at vi kan stole på sertifikatet.",
        nn="Det er ikkje vist at vi kan lite på sertifikatet.",
        en="It has not been shown that the certificate can be trusted.",
    ),
}
_REVOCATION: Final[Mapping[bool, Text]] = {
    True: Text(
        nb="Sertifikatet er ikke trukket tilbake.",
        nn="Sertifikatet er ikkje trekt tilbake.",
        en="The certificate has not been revoked.",
    ),
    False: Text(
        nb="Det er ikke vist at sertifikatet ikke er trukket tilbake.",
        nn="Det er ikkje vist at sertifikatet ikkje er trekt tilbake.",
        en="It has not been shown that the certificate has not been revoked.",
    ),
}
_SIGNER_IS: Final[Mapping[SignerIs, Text]] = {
    SignerIs.SENDER: Text(
        nb="Den som har signert, er avsenderen.",
        nn="Den som har signert, er avsendaren.",
        en="The signer is the sender.",
    ),
    SignerIs.SUPPLIER: Text(
        nb="Den som har signert, er en kjent leverandør for avsenderen.",
        nn="Den som har signert, er ein kjend leverandør for avsendaren.",
        en="The signer is a known supplier of the sender.",
    ),
    SignerIs.OWN_GATEWAY: Text(
        nb="Pakken er laget og signert av vårt eget integrasjonspunkt (SvarInn). Det sier ikke noe"
        " om hvem som sendte den.",
        nn="Pakka er laga og signert av vårt eige integrasjonspunkt (SvarInn). Det seier ikkje noko"
        " om kven som sende ho.",
        en="The package was made and signed by our own integrasjonspunkt (SvarInn), which says"
        " nothing about who sent it.",
    ),
    SignerIs.STRANGER: Text(
        nb="Den som har signert, er ikke avsenderen.",
        nn="Den som har signert, er ikkje avsendaren.",
        en="The signer is not the sender.",
    ),
}
_SHAPE: Final[Mapping[Shape, Text]] = {
    Shape.SVARINN: Text(
        nb="arkivmelding.xml er laget av vårt eget integrasjonspunkt; lite i den er avsenderens.",
        nn="arkivmelding.xml er laga av vårt eige integrasjonspunkt; lite i ho er avsendaren sitt.",
        en="arkivmelding.xml was made by our own integrasjonspunkt; little of it is the sender's.",
    ),
    Shape.NEWER: Text(
        nb="arkivmelding.xml bruker ord fra en nyere Noark-utgave.",
        nn="arkivmelding.xml bruker ord frå ei nyare Noark-utgåve.",
        en="arkivmelding.xml uses words of a later edition of Noark.",
    ),
}
_SCHEMA: Final = Text(
    nb="arkivmelding.xml følger ikke det publiserte skjemaet{places}. Den godtas likevel.",
    nn="arkivmelding.xml følgjer ikkje det publiserte skjemaet{places}. Ho blir godteken likevel.",
    en="arkivmelding.xml does not fit the published schema{places}. It is accepted all the same.",
)
_OTHER: Final = Text(
    nb="Pakken avviker fra det vanlige: {code}.",
    nn="Pakka avvik frå det vanlege: {code}.",
    en="The package departs from the ordinary: {code}.",
)
NOTE_TEXTS: Final[Mapping[str, Text]] = {
    "first_block_garbled": Text(
        nb="De første 16 tegnene i pakken er ødelagt, en kjent feil hos noen avsendere.",
        nn="Dei første 16 teikna i pakka er øydelagde, ein kjend feil hos nokre avsendarar.",
        en="The first 16 bytes of the package are garbled, a known defect of some senders.",
    ),
    "mimetype_not_first": Text(
        nb="Filene i pakken ligger i en uvanlig rekkefølge.",
        nn="Filene i pakka ligg i ei uvanleg rekkjefølgje.",
        en="The files in the package lie in an unusual order.",
    ),
    "wrong_digest_uri": Text(
        nb="Pakken bruker et feil navn på fingeravtrykk, slik eldre avsendere gjør.",
        nn="Pakka bruker eit feil namn på fingeravtrykk, slik eldre avsendarar gjer.",
        en="The package uses a wrong name of a digest, as older senders do.",
    ),
    REVOCATION_NOT_CHECKED: Text(
        nb="Utstederen gir ikke ut sperreliste. Det er ikke kontrollert om sertifikatet er trukket"
        " tilbake.",
        nn="Utferdaren gir ikkje ut sperreliste. Det er ikkje kontrollert om sertifikatet er"
        " trekt tilbake.",
        en="The issuer publishes no revocation list. Whether the certificate was revoked was not"
        " checked.",
    ),
    "comment": Text(
        nb="Pakken har en kommentar som ikke vises noe sted.",
        nn="Pakka har ein kommentar som ikkje blir vist nokon stad.",
        en="The package has a comment, which is shown nowhere.",
    ),
    EMPTY_FOLDER: Text(
        nb="Pakken har en tom mappe. Navnet vises ikke noe sted.",
        nn="Pakka har ei tom mappe. Namnet blir ikkje vist nokon stad.",
        en="The package has an empty folder. Its name is shown nowhere.",
    ),
    ODD_NAME: Text(
        nb="En fil har et uvanlig navn. Det vises med koder for tegn som ikke kan vises.",
        nn="Ei fil har eit uvanleg namn. Det blir vist med kodar for teikn som ikkje kan visast.",
        en="A file has an unusual name. Letters that cannot be shown are shown as codes.",
    ),
    ALIKE_NAMES: Text(
        nb="To filer har navn som er nesten like. De lagres under ulike navn.",
        nn="To filer har namn som er nesten like. Dei blir lagra under ulike namn.",
        en="Two files have names that are nearly the same. They are saved under different names.",
    ),
    UNUSUAL_ENCODING: Text(
        nb="arkivmelding.xml er skrevet i et annet tegnsett enn UTF-8, og er lest slik den sier.",
        nn="arkivmelding.xml er skriven i eit anna teiknsett enn UTF-8, og er lesen slik ho seier.",
        en="arkivmelding.xml is in another character set than UTF-8, and was read as it says.",
    ),
    REFERENCED_ABSENT: Text(
        nb="arkivmelding.xml nevner et dokument som ikke er med.",
        nn="arkivmelding.xml nemner eit dokument som ikkje er med.",
        en="arkivmelding.xml mentions a document that is not there.",
    ),
    UNREFERENCED: Text(
        nb="Pakken har en fil som arkivmelding.xml ikke nevner.",
        nn="Pakka har ei fil som arkivmelding.xml ikkje nemner.",
        en="The package has a file that arkivmelding.xml does not mention.",
    ),
    REFERENCED_TWICE: Text(
        nb="To dokumenter i arkivmelding.xml viser til samme fil.",
        nn="To dokument i arkivmelding.xml viser til same fil.",
        en="Two documents in arkivmelding.xml refer to the same file.",
    ),
}
"""What each note and problem of a verdict means."""
_WAIVED: Final = Text(
    nb="Sluppet gjennom av to: {what}", nn="Sleppt gjennom av to: {what}", en="Let by two: {what}"
)
_HELD: Final = Text(nb="I karantene: {what}", nn="I karantene: {what}", en="In quarantine: {what}")


def sentences_of(verdict: Verdict, language: TextLanguage) -> tuple[str, ...]:
    """The findings, the waived codes, and the reason for a refusal, if there is one."""
    return tuple(_sentences(verdict, language))


def _sentences(verdict: Verdict, language: TextLanguage) -> Iterator[str]:
    if verdict.code is not None:
        what, *rest = explain_code(verdict.code, language)
        yield _HELD.in_(language).format(what=what)
        yield from rest
    for waived in verdict.waived:
        yield _WAIVED.in_(language).format(what=explain_code(waived, language)[0])
    if verdict.container is False:
        yield _CONTAINER.in_(language)
        return
    yield _INTEGRITY[verdict.integrity].in_(language)
    for signer in verdict.signers:
        yield _signer_sentence(signer, verdict, language)
    yield from (text.in_(language) for text in _trust_texts(verdict))
    yield from _content_sentences(verdict, language)


def explain_code(code: str, language: TextLanguage) -> tuple[str, ...]:
    """What is wrong, whether the sender can correct it, and what can be done here.

    A verdict is kept for years, and may have a code that there is no longer.
    """
    if code not in CODES:
        return (f"{code}.",)
    found = CODES[code]
    return tuple(
        text.in_(language) for text in (found.text, found.remedy.value, found.permitted_actions)
    )


def _signer_sentence(signer: Signer, verdict: Verdict, language: TextLanguage) -> str:
    template = _SIGNED[verdict.chain is True] if signer.name else _NAMELESS
    name = (signer.name or "").translate(_QUOTES)
    signed = template.in_(language).format(name=name)
    if verdict.algorithm_class is None:
        return f"{signed}."
    return _CLASS[verdict.algorithm_class].in_(language).format(signed=signed)


def _trust_texts(verdict: Verdict) -> Iterator[Text]:
    if verdict.chain is not None:
        yield _CHAIN[verdict.chain]
    if verdict.revocation is not None:
        yield _REVOCATION[verdict.revocation]
    if verdict.signer_is is not None:
        yield _SIGNER_IS[verdict.signer_is]


def _content_sentences(verdict: Verdict, language: TextLanguage) -> Iterator[str]:
    if verdict.shape is not None and verdict.shape in _SHAPE:
        yield _SHAPE[verdict.shape].in_(language)
    if verdict.schema is False:
        places = f" ({', '.join(verdict.schema_places)})" if verdict.schema_places else ""
        yield _SCHEMA.in_(language).format(places=places)
    for note in (*verdict.notes, *verdict.problems):
        yield NOTE_TEXTS.get(note, _OTHER).in_(language).format(code=note)
