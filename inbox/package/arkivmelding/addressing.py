"""Reads manifest.xml, the one signed place that names sender and receiver (reference §4.3)."""

from dataclasses import dataclass, field

from inbox.domain import OrgNumber
from inbox.errors import Invalid, PackageRejected
from inbox.package.envelope import Envelope, read_party
from inbox.package.inputs import Limits
from inbox.package.signature.integrity import VerifiedContainer
from inbox.package.verdict import VerdictBuilder
from inbox.package.xml import Element, parse_xml

MANIFEST_XML = "manifest.xml"


@dataclass(frozen=True, kw_only=True)
class Addressing:
    """The sender, receiver and main document that the sending gateway wrote into the container."""

    sender: frozenset[OrgNumber]
    """The sender, and the supplier if it is named; empty if it cannot be read."""
    receiver: frozenset[OrgNumber]
    main_document: str | None = field(repr=False)
    """The first file after sorting; often arkivmelding.xml, so a last resort."""


def read_addressing(verified: VerifiedContainer, limits: Limits) -> Addressing | None:
    """Read manifest.xml.

    Returns None if there is none, or if a document of the sender happens to have that name.
    """
    container = verified.container
    if (
        MANIFEST_XML not in container
        or container.entry(MANIFEST_XML).size > limits.max_manifest_bytes
    ):
        return None
    raw = container.read(MANIFEST_XML, limits.max_manifest_bytes)
    try:
        root = parse_xml(raw, area="manifest", max_bytes=len(raw), limits=limits)
    except PackageRejected:
        return None
    if root.tag != "manifest":
        return None
    main = root.find("hoveddokument")
    return Addressing(
        sender=_parties(root, "avsender"),
        receiver=_parties(root, "mottaker"),
        main_document=None if main is None else main.get("href"),
    )


def check_addressing(addressing: Addressing, envelope: Envelope, findings: VerdictBuilder) -> None:
    """The signed manifest.xml must name the sender and the receiver of the unsigned envelope.

    Otherwise a package that was signed for somebody else could be sent on to us. Identifiers may
    differ in form, so one number in common is enough.
    """
    senders = {envelope.sender, *((envelope.main,) if envelope.main else ())}
    if addressing.sender and addressing.sender.isdisjoint(senders):
        findings.reject_unless_waived("envelope.other_sender")
    if addressing.receiver and envelope.receiver not in addressing.receiver:
        findings.reject_unless_waived("envelope.other_receiver")


def _parties(root: Element, role: str) -> frozenset[OrgNumber]:
    text = root.findtext(f"{role}/organisasjon") or ""
    try:
        return read_party(text).org_numbers
    except Invalid:
        return frozenset()
