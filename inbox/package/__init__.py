"""Opens a document package (dokumentpakke, ASiC-E): integrity, trust, sender and content."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from inbox.days import day_of
from inbox.errors import PackageRejected
from inbox.package.arkivmelding.addressing import check_addressing, read_addressing
from inbox.package.arkivmelding.content import read_content
from inbox.package.arkivmelding.documents import PackageDocument
from inbox.package.arkivmelding.model import ArchiveMessage
from inbox.package.arkivmelding.xsd import Schemas
from inbox.package.envelope import Envelope
from inbox.package.inputs import Expectations, Limits, StaleList, Trust
from inbox.package.inspection import Inspection, inspect, inspect_container
from inbox.package.signature.certificate_path import check_certificate_path
from inbox.package.signature.integrity import VerifiedContainer, verify_container
from inbox.package.signature.signer import check_signers
from inbox.package.verdict import AlgorithmClass, Verdict, VerdictBuilder

__all__ = ["Inspection", "Package", "inspect", "inspect_container", "open_package"]


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package that passed all checks, or whose failed checks were waived.

    `verdict` names those.
    """

    envelope: Envelope
    archive: ArchiveMessage | None
    """None only where a waiver lets a message without readable arkivmelding.xml pass."""
    documents: tuple[PackageDocument, ...]
    verdict: Verdict
    total_bytes: int
    """All signed files, unpacked."""

    @property
    def problems(self) -> tuple[str, ...]:
        """The mismatches between files and arkivmelding.xml that the verdict lists."""
        return self.verdict.problems


def open_package(  # noqa: PLR0913 - what each check needs, and nothing is looked up elsewhere
    source: BinaryIO,
    envelope: Envelope,
    *,
    expected: Expectations,
    trust: Trust,
    limits: Limits,
    waivers: frozenset[str],
    now: datetime,
    stale_is: StaleList = StaleList.WAIT,
    schemas: Schemas | None = None,
) -> Package:
    """Check and read a package; reads the source at most twice, a chunk at a time.

    Waivers are codes; those that may not be waived are ignored. What does not fit the schemas, if
    any are given, is said in the verdict. Repeatable.

    Raises:
        Quarantine: a check failed; the error has the code and the verdict so far.
        Unavailable: `trust.stale_list`, no fresh revocation list yet (`StaleList.WAIT`).
    """
    findings = VerdictBuilder(waivers=waivers)
    with findings.quarantine_on_rejection():
        verified = verify_container(source, limits=limits, findings=findings)
        _check_trust(verified, expected, trust, now=now, stale_is=stale_is, findings=findings)
        if envelope.receiver != expected.organisation:
            raise PackageRejected("envelope.not_ours")
        check_signers(findings.signers, envelope, expected, findings)
        addressing = read_addressing(verified, limits)
        if addressing:
            check_addressing(addressing, envelope, findings)
        content = read_content(
            verified,
            addressing,
            limits,
            findings,
            main_document=envelope.main_document,
            schemas=schemas,
        )
    return Package(
        envelope=envelope,
        archive=content.archive,
        documents=content.documents,
        verdict=findings.verdict(),
        total_bytes=sum(file.size for file in verified.files),
    )


def _check_trust(
    verified: VerifiedContainer,
    expected: Expectations,
    trust: Trust,
    *,
    now: datetime,
    stale_is: StaleList,
    findings: VerdictBuilder,
) -> None:
    """Algorithm class, then each signature's certificate: all must be trusted."""
    until = expected.legacy_sha1_until
    legacy = findings.algorithm_class is AlgorithmClass.LEGACY_SHA1
    if legacy and until is not None and day_of(now) >= until:
        findings.reject_unless_waived("trust.legacy_sha1")
    for signed in verified.signatures:
        check_certificate_path(signed, trust, now=now, stale_is=stale_is, findings=findings)
