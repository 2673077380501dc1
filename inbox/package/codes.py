"""Every code with which a package can be refused: what is wrong, and whether it can be waived."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Code:
    """One reason for refusing a package."""

    text: str
    """What is wrong, in bokmål, for a person who distributes mail."""
    waivable: bool
    """Whether two persons may accept the package all the same."""


_CONTAINER = {
    "container.not_zip": "Filen er ikke en dokumentpakke (zip).",
    "container.truncated": "Pakken er avkuttet: slutten mangler.",
    "container.too_large": "Pakken er større enn grensen.",
    "container.trailing_bytes": "Det ligger noe etter slutten av pakken.",
    "container.comment": "Pakken har en kommentar som ikke hører hjemme der.",
    "container.zip64": "Opplysningene om store filer (zip64) stemmer ikke overens.",
    "container.directory": "Innholdsfortegnelsen i pakken er ødelagt.",
    "container.too_many_entries": "Pakken har flere filer enn grensen.",
    "container.gap": "Det ligger noe mellom filene, eller filene overlapper.",
    "container.local_header": "En fil er beskrevet på to ulike måter i pakken.",
    "container.descriptor": "Størrelse eller kontrollsum etter en fil stemmer ikke.",
    "container.encrypted": "En fil i pakken er kryptert.",
    "container.flags": "En fil i pakken bruker egenskaper vi ikke tillater.",
    "container.method": "En fil er pakket med en metode vi ikke tillater.",
    "container.special_file": "Pakken har en mappe, lenke eller annet som ikke er en vanlig fil.",
    "container.extra_field": "En fil i pakken har tilleggsfelt vi ikke tillater.",
    "container.name": "Et filnavn i pakken er ikke tillatt.",
    "container.name_collision": "To filer i pakken har samme navn, eller navn som er for like.",
    "container.inflated_too_large": "Innholdet er større enn grensen når det pakkes ut.",
    "container.ratio": "En fil vokser for mye når den pakkes ut.",
    "container.deflate": "En fil i pakken kan ikke pakkes ut.",
    "container.size": "En fil har en annen størrelse enn pakken sier.",
    "container.crc": "En fil har en annen kontrollsum enn pakken sier.",
    "container.mimetype_missing": "Pakken sier ikke hva slags pakke den er (mimetype mangler).",
    "container.mimetype_wrong": "Pakken er ikke av typen ASiC-E.",
    "container.asic_s": "Pakken er av typen ASiC-S, som ikke brukes i eFormidling.",
    "container.stray_metadata": "META-INF har en fil som ikke hører hjemme der.",
}
_MANIFEST = {
    "manifest.none": "Pakken er ikke signert: den har ingen fortegnelse over signert innhold.",
    "manifest.too_large": "Fortegnelsen over signert innhold er større enn grensen.",
    "manifest.encoding": "Fortegnelsen over signert innhold har et tegnsett vi ikke tillater.",
    "manifest.unsafe_xml": "Fortegnelsen over signert innhold har farlig XML.",
    "manifest.too_complex": "Fortegnelsen over signert innhold er for innviklet.",
    "manifest.malformed": "Fortegnelsen over signert innhold kan ikke leses.",
    "manifest.covers_nothing": "Fortegnelsen over signert innhold er tom.",
    "manifest.ambiguous_uri": "Fortegnelsen kan vise til to ulike filer.",
    "manifest.metadata_listed": "Fortegnelsen viser til filer som ikke skal signeres.",
    "manifest.listed_twice": "Fortegnelsen nevner en fil to ganger.",
    "manifest.absent_file": "Fortegnelsen nevner en fil som ikke er i pakken.",
    "manifest.uncovered": "Pakken har en fil som ikke er signert.",
    "manifest.weak_digest": "En fil er signert med for svakt fingeravtrykk.",
    "manifest.digest": "En fil er endret etter at den ble signert.",
}
_SIGNATURE = {
    "signature.xades": "Pakken er signert med XAdES, som ikke brukes i eFormidling.",
    "signature.missing": "Signaturen som pakken viser til, mangler.",
    "signature.shared": "To fortegnelser viser til samme signatur.",
    "signature.unreferenced": "Pakken har en signatur som ikke hører til noe.",
    "signature.too_large": "Signaturen er større enn grensen.",
    "signature.malformed": "Signaturen kan ikke leses.",
    "signature.embedded_content": "Signaturen har med seg eget innhold.",
    "signature.signer_count": "Signaturen skal ha nøyaktig én underskriver.",
    "signature.signer_certificate": "Sertifikatet til underskriveren mangler eller er tvetydig.",
    "signature.attributes": "Det som er signert, er ikke beskrevet slik det skal.",
    "signature.algorithm": "Signaturen bruker algoritmer vi ikke tillater, eller som er i strid.",
    "signature.weak_key": "Nøkkelen til underskriveren er for svak.",
    "signature.other_bytes": "Signaturen gjelder noe annet enn innholdet i pakken.",
    "signature.wrong": "Signaturen er feil.",
    "signature.legacy_shape": "Signaturen er av den gamle typen (SHA-1), men i feil form.",
}
_TRUST = {
    "trust.legacy_sha1": "Signaturen er av den gamle typen (SHA-1), som ikke lenger godtas.",
    "trust.unknown_anchor": "Sertifikatet er ikke utstedt av noen vi stoler på.",
    "trust.expired": "Sertifikatet er utløpt.",
    "trust.not_yet_valid": "Sertifikatet er ikke gyldig ennå.",
    "trust.usage": "Sertifikatet er ikke ment for å signere.",
    "revocation-unknown": "Vi vet ikke om sertifikatet er trukket tilbake.",
}
_ENVELOPE = {
    "envelope.too_large": "Konvolutten er større enn grensen.",
    "envelope.not_json": "Konvolutten kan ikke leses.",
    "envelope.not_sbd": "Konvolutten mangler det en konvolutt skal ha.",
    "envelope.not_arkivmelding": "Meldingen er ikke en arkivmelding.",
    "envelope.sender": "Konvolutten sier ikke hvem avsenderen er.",
    "envelope.receiver": "Konvolutten sier ikke hvem mottakeren er.",
    "envelope.message_id": "Konvolutten mangler meldingens id.",
    "envelope.process": "Konvolutten sier ikke hvilken prosess meldingen hører til.",
    "envelope.not_ours": "Meldingen er ikke til oss.",
}
_ARKIVMELDING_UNSAFE = {
    "arkivmelding.too_large": "arkivmelding.xml er større enn grensen.",
    "arkivmelding.encoding": "arkivmelding.xml har et tegnsett vi ikke tillater.",
    "arkivmelding.unsafe_xml": "arkivmelding.xml har farlig XML.",
    "arkivmelding.too_complex": "arkivmelding.xml er for innviklet.",
    "arkivmelding.security_grade": "Meldingen er sikkerhetsgradert og skal ikke sendes her.",
}
_WAIVABLE = {
    "signer.no_org_number": "Sertifikatet sier ikke hvilken virksomhet som har signert.",
    "signer.not_sender": "Pakken er signert av en annen virksomhet enn avsenderen.",
    "signer.supplier_unknown": "Den som har signert, er ikke kjent som leverandør for avsenderen.",
    "envelope.other_sender": "Pakken nevner en annen avsender enn konvolutten.",
    "envelope.other_receiver": "Pakken nevner en annen mottaker enn konvolutten.",
    "arkivmelding.absent": "Pakken har ingen arkivmelding.xml.",
    "arkivmelding.malformed": "arkivmelding.xml er ikke gyldig XML.",
    "arkivmelding.not_noark": "arkivmelding.xml er ikke en arkivmelding etter Noark 5.",
    "arkivmelding.no_registration": "arkivmelding.xml har ingen journalpost.",
    "arkivmelding.protective_grade": "Meldingen er gradert etter beskyttelsesinstruksen.",
    "documents.none": "Pakken har ingen dokumenter.",
}
_NEVER = {
    **_CONTAINER,
    **_MANIFEST,
    **_SIGNATURE,
    "trust.path": "Rekken av sertifikater er ugyldig.",
    "trust.revoked": "Sertifikatet er trukket tilbake.",
    **_ENVELOPE,
    **_ARKIVMELDING_UNSAFE,
}

CODES: Mapping[str, Code] = MappingProxyType(
    {code: Code(text=text, waivable=False) for code, text in _NEVER.items()}
    | {code: Code(text=text, waivable=True) for code, text in (_TRUST | _WAIVABLE).items()}
)
"""Code to meaning. A code in no `waivable` entry is refused whatever the waivers say."""

REVOCATION_UNKNOWN = "revocation-unknown"
"""The one code that may also mean "wait": see `terms.StaleList`."""
