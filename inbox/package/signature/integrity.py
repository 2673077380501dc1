"""Verifies the integrity of a container: manifests, digests and signatures.

Trust is checked elsewhere.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from inbox.errors import PackageRejected
from inbox.package.codes.importance import most_important
from inbox.package.inputs import Limits
from inbox.package.signature.apparent_kind import apparent_codes
from inbox.package.signature.asic_manifest import Manifest, find_metadata, read_manifests
from inbox.package.signature.cms import VerifiedSignature, verify_signature
from inbox.package.signature.signer import signer_of
from inbox.package.verdict import AlgorithmClass, VerdictBuilder
from inbox.package.zip.reader import Container


@dataclass(frozen=True, kw_only=True)
class SignedFile:
    """One signed file."""

    name: str
    size: int
    sha256: str
    media_type: str | None
    """What the sender calls it; not to be believed."""


@dataclass(frozen=True, kw_only=True)
class VerifiedContainer:
    """A container whose files are all signed and whose signatures are all valid."""

    container: Container
    files: tuple[SignedFile, ...]
    """In the order of the container, without `mimetype` and META-INF."""
    signatures: tuple[VerifiedSignature, ...]
    """One for each manifest; there is at least one."""


def verify_container(
    source: BinaryIO, *, limits: Limits, findings: VerdictBuilder
) -> VerifiedContainer:
    """Verify the integrity only; every byte of the container is read once.

    Trust is checked elsewhere.

    Fills in `findings` as far as it comes. Raises `PackageRejected` with `container.*`,
    `manifest.*` or `signature.*`; none of them can be waived.
    """
    findings.container = False
    container = _open_container(source, limits)
    findings.container = True
    findings.notes.extend(container.notes)
    metadata = find_metadata(container)
    findings.integrity = False
    manifests = read_manifests(container, metadata, limits)
    files = _check_all_digests(container, manifests)
    signed = tuple(
        _verify_manifest_signature(container, manifest, limits) for manifest in manifests
    )
    findings.notes.extend(note for manifest in manifests for note in manifest.notes)
    findings.integrity = True
    findings.algorithm_class = _weakest(each.algorithm_class for each in signed)
    findings.signers = tuple(signer_of(each) for each in signed)
    return VerifiedContainer(container=container, files=files, signatures=signed)


def _open_container(source: BinaryIO, limits: Limits) -> Container:
    """Open it strictly; if it is of another kind, that is the reason, and not what is odd in it."""
    try:
        return Container(source, limits)
    except PackageRejected as error:
        code = most_important({error.code, *apparent_codes(source, limits)})
        if code == error.code:
            raise
        raise PackageRejected(code, error.code) from error


def _check_all_digests(
    container: Container, manifests: tuple[Manifest, ...]
) -> tuple[SignedFile, ...]:
    """Read every entry, so that each CRC is checked, and compare the digests of all manifests."""
    wanted: dict[str, dict[str, set[bytes]]] = {}
    media_types: dict[str, str | None] = {}
    for manifest in manifests:
        for listed in manifest.files:
            algorithms = wanted.setdefault(listed.name, {})
            algorithms.setdefault(listed.algorithm, set()).add(listed.digest)
            media_types.setdefault(listed.name, listed.media_type)
    files = []
    for entry in container.entries:
        seen = _digests(container, entry.name, {"sha256", *wanted.get(entry.name, ())})
        _check_digests(seen, wanted.get(entry.name, {}))
        if not entry.is_metadata:
            files.append(
                SignedFile(
                    name=entry.name,
                    size=entry.size,
                    sha256=seen["sha256"].hex(),
                    media_type=media_types[entry.name],
                )
            )
    return tuple(files)


def _digests(container: Container, name: str, algorithms: Iterable[str]) -> dict[str, bytes]:
    hashes = {algorithm: hashlib.new(algorithm) for algorithm in algorithms}
    for chunk in container.stream(name):
        for digest in hashes.values():
            digest.update(chunk)
    return {algorithm: digest.digest() for algorithm, digest in hashes.items()}


def _check_digests(seen: Mapping[str, bytes], wanted: Mapping[str, set[bytes]]) -> None:
    for algorithm, digests in wanted.items():
        if digests != {seen[algorithm]}:
            raise PackageRejected("manifest.digest")


def _verify_manifest_signature(
    container: Container, manifest: Manifest, limits: Limits
) -> VerifiedSignature:
    if container.entry(manifest.signature).size > limits.max_signature_bytes:
        raise PackageRejected("signature.too_large")
    raw = container.read(manifest.signature, limits.max_signature_bytes)
    signed = verify_signature(raw, manifest.raw)
    if signed.algorithm_class is AlgorithmClass.LEGACY_SHA1 and not manifest.resists_collisions:
        raise PackageRejected("signature.legacy_shape", "manifest")
    return signed


def _weakest(classes: Iterable[AlgorithmClass]) -> AlgorithmClass:
    legacy = AlgorithmClass.LEGACY_SHA1 in set(classes)
    return AlgorithmClass.LEGACY_SHA1 if legacy else AlgorithmClass.MODERN
