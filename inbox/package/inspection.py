"""Inspects a package without its envelope, for support: reports everything that can be checked."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import BinaryIO

from inbox.package.arkivmelding.addressing import Addressing, read_addressing
from inbox.package.arkivmelding.content import read_content
from inbox.package.codes.importance import by_importance
from inbox.package.codes.registry import CODES
from inbox.package.inputs import Limits, StaleList, Trust
from inbox.package.signature.certificate_path import check_certificate_path
from inbox.package.signature.integrity import SignedFile, VerifiedContainer, verify_container
from inbox.package.verdict import PackageQuarantined, SignerIs, Verdict, VerdictBuilder
from inbox.package.zip.reader import ZipReader


@dataclass(frozen=True, kw_only=True)
class Inspection(Verdict):
    """The result for a package that is accepted, or held for `code`, which people may waive."""

    objections: tuple[str, ...] = ()
    """Every code that holds it, the one that matters most first, which is `code`."""
    documents: tuple[SignedFile, ...] = field(default=(), repr=False)
    """What a case system would get; of a container alone, every file."""
    missing: tuple[str, ...] = ()
    """What arkivmelding.xml must have and lacks: said, never held against it."""


def is_trusted(verdict: Verdict) -> bool | None:
    """Path and revocation as one answer; None if trust was not checked."""
    return None if verdict.chain is None else verdict.chain and verdict.revocation is True


def inspect(
    source: BinaryIO, *, limits: Limits, trust: Trust | None = None, now: datetime | None = None
) -> Inspection:
    """Run the line's own checks to the end, continuing after every failure that can be waived.

    Without `trust` nothing is said about trust; integrity and content decide. With it, at `now`,
    a signer must also be the sender that the container itself names, where it names one.

    Raises:
        Quarantine: refused, with a code that nobody can waive.
    """
    findings = VerdictBuilder(waivers=frozenset(CODES))
    with _without_waivers(), findings.quarantine_on_rejection():
        verified = verify_container(source, limits=limits, findings=findings)
        addressing = read_addressing(verified, limits)
        if trust is not None:
            assert now is not None, "trust is a question of when"
            _check_trust(verified, trust, now, findings)
            _check_named_sender(addressing, findings)
        content = read_content(verified, addressing, limits, findings)
    named = {document.name for document in content.documents}
    return _inspection(
        findings,
        documents=tuple(file for file in verified.files if file.name in named),
        missing=content.archive.missing if content.archive else (),
    )


@contextmanager
def _without_waivers() -> Iterator[None]:
    """Here nobody has waived anything: a refusal must not say that two people did."""
    try:
        yield
    except PackageQuarantined as refused:
        refused.verdict = replace(refused.verdict, waived=())
        raise


def inspect_container(source: BinaryIO, *, limits: Limits) -> Inspection:
    """Read every file of any zip; raises `PackageQuarantined` with `container.*`."""
    findings = VerdictBuilder(container=False)
    with findings.quarantine_on_rejection():
        archive = ZipReader(source, limits)
        files = tuple(_digest_file(archive, entry.name) for entry in archive.entries)
        findings.container = True
    findings.notes.extend(archive.notes)
    return _inspection(findings, documents=files)


def _inspection(
    findings: VerdictBuilder, *, documents: tuple[SignedFile, ...], missing: tuple[str, ...] = ()
) -> Inspection:
    objections = by_importance(findings.waived)
    verdict = findings.verdict(next(iter(objections), None))
    return Inspection(
        **(vars(verdict) | {"waived": ()}),
        objections=objections,
        documents=documents,
        missing=missing,
    )


def _digest_file(archive: ZipReader, name: str) -> SignedFile:
    digest = hashlib.sha256()
    for chunk in archive.stream(name):
        digest.update(chunk)
    size = archive.entry(name).size
    return SignedFile(name=name, size=size, sha256=digest.hexdigest(), media_type=None)


def _check_trust(
    verified: VerifiedContainer, trust: Trust, now: datetime, findings: VerdictBuilder
) -> None:
    for signed in verified.signatures:
        check_certificate_path(signed, trust, now=now, stale_is=StaleList.REJECT, findings=findings)


def _check_named_sender(addressing: Addressing | None, findings: VerdictBuilder) -> None:
    """A signer is the sender, or its supplier, by the container's own manifest.xml."""
    if addressing is None or not addressing.sender:
        return
    numbers = {signer.org_number for signer in findings.signers}
    found = not addressing.sender.isdisjoint(numbers)
    findings.signer_is = SignerIs.SENDER if found else SignerIs.STRANGER
    if not found:
        findings.reject_unless_waived(
            "signer.no_org_number" if numbers == {None} else "signer.not_sender"
        )
