"""Which organisation signed, and its relation to the sender (reference §4.4, §4.5)."""

from asn1crypto import x509

from inbox.domain import OrgNumber, Service, parse_org_number
from inbox.errors import Invalid
from inbox.package.envelope import Envelope
from inbox.package.inputs import Expectations
from inbox.package.signature.cms import VerifiedSignature
from inbox.package.verdict import Signer, SignerIs, VerdictBuilder
from inbox.package.zip.names import CONTROL

_COMMON_NAME = "2.5.4.3"
_SERIAL_NUMBER = "2.5.4.5"
_ORGANIZATION = "2.5.4.10"
_ORGANIZATION_IDENTIFIER = "2.5.4.97"
_NORWEGIAN_REGISTER = "NTRNO-"
_MAX_SHOWN = 100


def signer_of(signed: VerifiedSignature) -> Signer:
    """The signer as the certificate names it; reliable only if its issuer is trusted."""
    certificate = x509.Certificate.load(signed.certificate)
    subject = _name_attributes(certificate.subject)
    org_number = _org_number(subject)
    named = subject.get(_ORGANIZATION) or subject.get(_COMMON_NAME) or [""]
    issuer = _name_attributes(certificate.issuer)
    issued_by = issuer.get(_COMMON_NAME) or issuer.get(_ORGANIZATION) or [""]
    return Signer(
        org_number=org_number,
        name=_printable(named[0]) if org_number else None,
        serial=f"{certificate.serial_number:x}",
        issuer=_printable(issued_by[0]),
    )


def check_signers(
    signers: tuple[Signer, ...],
    envelope: Envelope,
    expected: Expectations,
    findings: VerdictBuilder,
) -> None:
    """At least one signer must be the sender, its known supplier, or (DPF) our own gateway.

    A supplier that names itself in the envelope proves nothing by that: it must be listed.
    """
    relations = {_relation(signer.org_number, envelope, expected) for signer in signers}
    found = [relation for relation in SignerIs if relation in relations]
    findings.signer_is = found[0]
    if found[0] is not SignerIs.STRANGER:
        return
    numbers = {signer.org_number for signer in signers}
    if numbers == {None}:
        findings.reject_unless_waived("signer.no_org_number")
    elif envelope.main in numbers:
        findings.reject_unless_waived("signer.supplier_unknown")
    else:
        findings.reject_unless_waived("signer.not_sender")


def _relation(signer: OrgNumber | None, envelope: Envelope, expected: Expectations) -> SignerIs:
    if signer is None:
        return SignerIs.STRANGER
    if expected.service is Service.DPF and signer in expected.own | {expected.organisation}:
        return SignerIs.OWN_GATEWAY  # Also where it names us as the sender: anybody could have.
    if signer == envelope.sender:
        return SignerIs.SENDER
    if (signer, envelope.sender) in expected.on_behalf_of:
        return SignerIs.SUPPLIER
    return SignerIs.STRANGER


def _name_attributes(name: x509.Name) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    for relative in name.chosen:
        for part in relative:
            parts.setdefault(part["type"].dotted, []).append(str(part["value"].native))
    return parts


def _org_number(subject: dict[str, list[str]]) -> OrgNumber | None:
    """The one organisation number in the subject; None if there is none, or two that differ."""
    serials = subject.get(_SERIAL_NUMBER, ())
    candidates = [serial.removeprefix(_NORWEGIAN_REGISTER) for serial in serials]
    candidates += (
        identifier.removeprefix(_NORWEGIAN_REGISTER)
        for identifier in subject.get(_ORGANIZATION_IDENTIFIER, ())
        if identifier.startswith(_NORWEGIAN_REGISTER)
    )
    found = set()
    for candidate in candidates:
        try:
            found.add(parse_org_number(candidate))
        except Invalid:
            continue
    return found.pop() if len(found) == 1 else None


def _printable(text: str) -> str:
    return CONTROL.sub("", text)[:_MAX_SHOWN]
