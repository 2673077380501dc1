"""Opens a document package (dokumentpakke, ASiC-E): is it whole, whose is it, what does it say?"""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from inbox.errors import PackageRejected
from inbox.package.addressing import NAME as ADDRESSING_XML
from inbox.package.addressing import check_addressing, read_addressing
from inbox.package.archive import ArchiveMessage
from inbox.package.arkivmelding import (
    archive_message_of,
    grading_of,
    mentions_grading,
    parse_arkivmelding,
)
from inbox.package.chain import check_chain
from inbox.package.codes import SECURITY_GRADE
from inbox.package.documents import Document, match_documents
from inbox.package.envelope import Envelope
from inbox.package.identity import check_signers, signer_of
from inbox.package.schema import Schemas
from inbox.package.signature import Verified, verify_container
from inbox.package.terms import Expected, Limits, StaleList, Trust
from inbox.package.times import OSLO
from inbox.package.verdict import AlgorithmClass, Findings, Verdict

__all__ = ["Package", "inspect", "open_package"]

ARKIVMELDING_XML = "arkivmelding.xml"


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package that passed, or was let pass by waivers that `verdict` names."""

    envelope: Envelope
    archive: ArchiveMessage | None
    """None only where a waiver lets a message without readable arkivmelding.xml pass."""
    documents: tuple[Document, ...]
    verdict: Verdict
    total_bytes: int
    """All signed files, unpacked."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What does not fit between files and arkivmelding.xml: the verdict's."""
        return self.verdict.problems


def open_package(  # noqa: PLR0913 - what each check needs, and nothing is looked up elsewhere
    source: BinaryIO,
    envelope: Envelope,
    *,
    expected: Expected,
    trust: Trust,
    limits: Limits,
    waivers: frozenset[str],
    now: datetime,
    stale_is: StaleList = StaleList.WAIT,
    schemas: Schemas | None = None,
) -> Package:
    """Check and read a package; reads the source twice at most, a chunk at a time.

    Waivers are codes; those that may not be waived are ignored. What does not fit the schemas, if
    any are given, is said in the verdict. Repeatable.

    Raises:
        Quarantine: a check failed; the error has the code and the verdict so far.
        Unavailable: `trust.stale_list`, no fresh revocation list yet (`StaleList.WAIT`).
    """
    findings = Findings(waivers=waivers)
    with findings.quarantining():
        verified = verify_container(source, limits=limits, findings=findings)
        _check_trust(verified, expected, trust, now=now, stale_is=stale_is, findings=findings)
        if envelope.receiver != expected.organisation:
            raise PackageRejected("envelope.not_ours")
        check_signers(findings.signers, envelope, expected, findings)
        return _read(verified, envelope, limits, schemas, findings)


def inspect(source: BinaryIO, *, limits: Limits) -> Verdict:
    """Container, manifest and signature alone: whether it is whole, and who says to have signed.

    Nothing is said about trust. Raises `Quarantine`.
    """
    findings = Findings()
    with findings.quarantining():
        verified = verify_container(source, limits=limits, findings=findings)
        findings.signers = tuple(signer_of(signed) for signed in verified.signed)
    return findings.verdict()


def _read(
    verified: Verified,
    envelope: Envelope,
    limits: Limits,
    schemas: Schemas | None,
    findings: Findings,
) -> Package:
    """What is in a package whose signature and signer are believed."""
    addressing = read_addressing(verified, limits)
    if addressing:
        check_addressing(addressing, envelope, findings)
    name = _arkivmelding_name(verified)
    archive = _read_archive(verified, name, limits, schemas, findings)
    apart = {name, ADDRESSING_XML if addressing else None}
    documents, findings.problems = match_documents(
        (file for file in verified.files if file.name not in apart),
        archive,
        hints=(addressing.main_document if addressing else None, envelope.main_document),
    )
    if not documents:
        findings.object_to("documents.none")
    return Package(
        envelope=envelope,
        archive=archive,
        documents=documents,
        verdict=findings.verdict(),
        total_bytes=sum(file.size for file in verified.files),
    )


def _check_trust(
    verified: Verified,
    expected: Expected,
    trust: Trust,
    *,
    now: datetime,
    stale_is: StaleList,
    findings: Findings,
) -> None:
    """Algorithm class, then each signature's certificate: all must be trusted."""
    findings.signers = tuple(signer_of(signed) for signed in verified.signed)
    until = expected.legacy_sha1_until
    legacy = findings.algorithm_class is AlgorithmClass.LEGACY_SHA1
    if legacy and until is not None and now.astimezone(OSLO).date() >= until:
        findings.object_to("trust.legacy_sha1")
    for signed in verified.signed:
        check_chain(signed, trust, now=now, stale_is=stale_is, findings=findings)


def _arkivmelding_name(verified: Verified) -> str | None:
    """The entry that is arkivmelding.xml; another case of letters is taken, two cannot be there."""
    names = (file.name for file in verified.files)
    return next((name for name in names if name.lower() == ARKIVMELDING_XML), None)


def _read_archive(
    verified: Verified,
    name: str | None,
    limits: Limits,
    schemas: Schemas | None,
    findings: Findings,
) -> ArchiveMessage | None:
    """What arkivmelding.xml says; None where a waiver lets its absence or nonsense pass."""
    if name is None:
        findings.object_to("arkivmelding.absent")
        return None
    if verified.container.entry(name).size > limits.max_arkivmelding_bytes:
        raise PackageRejected("arkivmelding.too_large")
    raw = verified.container.read(name, limits.max_arkivmelding_bytes)
    try:
        root = parse_arkivmelding(raw, limits)
        grading = grading_of(root)
        if grading:
            findings.object_to(grading)
        archive = archive_message_of(root)
    except PackageRejected as error:
        findings.object_to(error.code, error.reason)
        if error.code == "arkivmelding.malformed" and mentions_grading(raw):
            raise PackageRejected(SECURITY_GRADE, "cannot be ruled out") from None
        return None
    findings.shape = archive.shape
    if schemas is not None:
        fit = schemas.fit_of(raw)
        findings.schema, findings.schema_places = fit.fits, fit.places
    return archive
