"""What the line stores of an opened package: codes and counts in the clear, the rest encrypted."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from inbox.access.lists.pages import ListedMessage
from inbox.days import day_of
from inbox.domain import Metadata, OrgNumber, UnitId
from inbox.keys import DataKey, Keyring
from inbox.package import Package
from inbox.tables import Message


def plain_columns(package: Package) -> dict[str, object]:
    """The unencrypted columns of an opened message."""
    archive = package.archive
    return {
        "document_count": len(package.documents),
        "total_bytes": package.total_bytes,
        "verdict": json.dumps(package.verdict.as_json()),
        "missing": json.dumps(list(archive.missing) if archive is not None else []),
    }


def sealed_columns(
    message_id: str,
    package: Package,
    key: DataKey,
    shielding: Callable[[str | None, str | None], str | None],
    keyring: Keyring,
) -> dict[str, object]:
    """The encrypted columns of an opened message, and two codes computed from the same content."""
    archive = package.archive
    screening = None if archive is None else archive.screening
    digests = sorted(document.sha256 for document in package.documents)
    return {
        "shielding": None
        if screening is None
        else shielding(screening.access_restriction, screening.authority),
        "documents_hash": keyring.lookup_hash("documents", "\n".join(digests)).hex(),
        "sealed_metadata": _seal_json(
            key, message_id, "sealed_metadata", _routing_metadata_json(package)
        ),
        "sealed_archive": _seal_json(
            key, message_id, "sealed_archive", None if archive is None else asdict(archive)
        ),
        "sealed_documents": _seal_json(
            key, message_id, "sealed_documents", [asdict(d) for d in package.documents]
        ),
    }


def references_in(package: Package) -> tuple[str, ...]:
    """The case references of ours that a message mentions: its answer's, and its conversation's."""
    envelope = package.envelope
    return tuple(r for r in (envelope.receiver_ref, envelope.conversation_id) if r)


def reference_hashes(keyring: Keyring, references: Iterable[str]) -> list[str]:
    """The keyed hash of each reference, as stored in the tables, without duplicates."""
    hashes = (keyring.lookup_hash("reference", text).hex() for text in references)
    return list(dict.fromkeys(hashes))


def _routing_metadata_json(package: Package) -> dict[str, object]:
    envelope, archive = package.envelope, package.archive
    screening = None if archive is None else archive.screening
    return {
        "process": envelope.process,
        "document_type": envelope.document_type,
        "conversation_id": envelope.conversation_id,
        "references": list(references_in(package)),
        "signer": next((signer.org_number for signer in package.verdict.signers), None),
        "on_behalf_of": envelope.on_behalf_of,
        "administrative_unit": None if archive is None else archive.administrative_unit,
        "access_restriction": None if screening is None else screening.access_restriction,
        "screening_authority": None if screening is None else screening.authority,
        "public_title": None if archive is None else archive.public_title,
    }


def _seal_json(key: DataKey, message_id: str, column: str, value: object) -> bytes | None:
    if value is None:
        return None
    text = json.dumps(value, default=_json_default, ensure_ascii=False)
    return key.seal(text.encode(), table="message", column=column, row=message_id)


def _json_default(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def unseal_json(row: Message | ListedMessage, key: DataKey, column: str) -> Any:
    """Decrypt a sealed column and return its JSON value; None if the column is empty."""
    sealed = getattr(row, column)
    if sealed is None:
        return None
    return json.loads(key.unseal(sealed, table="message", column=column, row=row.id))


def titles_in(archive: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The title of the first entry and of its case, of what the column `sealed_archive` has."""
    entries, case_file = archive.get("registry_entries") or [{}], archive.get("case_file") or {}
    return entries[0].get("title"), case_file.get("title")


@dataclass(frozen=True, kw_only=True)
class MissingElement:
    """An element that the schemas require and the sender left out, and what we suggest for it."""

    element: str
    """As `parent/child`."""
    suggested: str | None


_SUGGESTED_VALUES: Final[Mapping[str, Callable[[Message], str | None]]] = {
    "arkivmelding/antallFiler": lambda row: str(row.document_count),
    "arkivmelding/meldingId": lambda row: row.wire_id,
    "arkivmelding/tidspunkt": lambda row: row.sent_at.isoformat() if row.sent_at else None,
    "journalpost/journaldato": lambda row: day_of(row.received_at).isoformat(),
    "journalpost/journalposttype": lambda row: "Inngående dokument",  # noqa: ARG005 - one shape
    "registrering/opprettetDato": lambda row: row.received_at.isoformat(),
}
"""What the message itself says about elements that its arkivmelding lacks."""


def missing_elements(row: Message) -> tuple[MissingElement, ...]:
    """What its arkivmelding lacks, each once."""
    named = (str(each) for each in json.loads(row.missing or "[]"))
    return tuple(MissingElement(element=each, suggested=_suggested(row, each)) for each in named)


def _suggested(row: Message, element: str) -> str | None:
    suggest = _SUGGESTED_VALUES.get(element)
    return None if suggest is None else suggest(row)


def references_of(row: Message, key: DataKey) -> tuple[str, ...]:
    """The references that `references_in` found when the message was opened."""
    return tuple(unseal_json(row, key, "sealed_metadata")["references"])


def metadata_of(
    row: Message, key: DataKey, *, sender_known: bool, known_unit: UnitId | None
) -> Metadata:
    """The part of a message that routing rules may see."""
    part = unseal_json(row, key, "sealed_metadata")
    return Metadata(
        channel=row.channel,
        service=row.service,
        sender=OrgNumber(row.sender or ""),
        sender_known=sender_known,
        signer=part["signer"],
        on_behalf_of=part["on_behalf_of"],
        receiver=OrgNumber(row.organisation),
        process=part["process"],
        document_type=part["document_type"],
        conversation_id=part["conversation_id"],
        references=tuple(part["references"]),
        known_unit=known_unit,
        administrative_unit=part["administrative_unit"],
        screening_authority=part["screening_authority"],
        access_restriction=part["access_restriction"],
        public_title=part["public_title"],
        sent_at=row.sent_at,
        received_at=row.received_at,
        document_count=row.document_count or 0,
        total_bytes=row.total_bytes or 0,
    )
