"""Projects a collected delivery onto the API's models, from decrypted values."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pydantic import TypeAdapter

from inbox.access.lists.deliveries import CollectableDelivery
from inbox.days import day_of
from inbox.language import TextLanguage
from inbox.line.moves.registration import CollectedMessage
from inbox.line.sealed_content import unseal_json
from inbox.package.arkivmelding.model import ArchiveMessage, Screening
from inbox.package.explanations import sentences_of
from inbox.package.verdict import Verdict
from inbox.tables import Message
from inbox.web import api_models

PACKAGE_TYPE: Final = "application/vnd.etsi.asic-e+zip"
_DELIVERIES: Final = "/api/v1/deliveries"
_ARCHIVE: Final[TypeAdapter[ArchiveMessage | None]] = TypeAdapter(ArchiveMessage | None)
_VERDICT: Final = TypeAdapter(Verdict)

_SUGGESTED_VALUES: Final[Mapping[str, Callable[[Message], str | None]]] = {
    "arkivmelding/antallFiler": lambda row: str(row.document_count),
    "arkivmelding/meldingId": lambda row: row.wire_id,
    "arkivmelding/tidspunkt": lambda row: row.sent_at.isoformat() if row.sent_at else None,
    "journalpost/journaldato": lambda row: day_of(row.received_at).isoformat(),
    "journalpost/journalposttype": lambda row: "Inngående dokument",  # noqa: ARG005 - one shape
    "registrering/opprettetDato": lambda row: row.received_at.isoformat(),
}
"""What the message itself says about elements that its arkivmelding lacks."""


def delivery_href(delivery_id: str) -> str:
    """The path at which a delivery is collected."""
    return f"{_DELIVERIES}/{delivery_id}"


def delivery_page(rows: Sequence[CollectableDelivery], limit: int) -> api_models.Page:
    """A page of at most `limit` deliveries; `rows` has one more if there is a next page."""
    shown = [
        api_models.Listed(
            delivery_id=row.id,
            number=row.number,
            state=row.state,
            offered_at=row.offered_at,
            collected_at=row.collected_at,
            href=delivery_href(row.id),
        )
        for row in rows[:limit]
    ]
    more = len(rows) > limit
    return api_models.Page(
        deliveries=shown,
        next=f"{_DELIVERIES}?after={shown[-1].delivery_id}&limit={limit}" if more else None,
    )


def delivery_details(found: CollectedMessage) -> api_models.Delivery:
    """Everything that is needed to register the delivery.

    Raises `IntegrityError` if a sealed value is damaged.
    """
    row, attempt = found.message, found.delivery
    part = unseal_json(row, found.key, "sealed_metadata")
    verdict = _VERDICT.validate_json(row.verdict or "{}")
    archive = _ARCHIVE.validate_python(unseal_json(row, found.key, "sealed_archive"))
    return api_models.Delivery(
        delivery_id=attempt.id,
        number=attempt.number,
        state=attempt.state,
        offered_at=attempt.offered_at,
        collected_at=attempt.collected_at,
        accepted_at=attempt.accepted_at,
        message_id=row.id,
        wire_id=row.wire_id,
        conversation_id=part["conversation_id"],
        references=part["references"],
        sender=row.sender,
        receiver=row.organisation,
        service=row.service,
        process=part["process"],
        document_type=part["document_type"],
        sent_at=row.sent_at,
        received_at=row.received_at,
        package=api_models.PackagePart(
            href=f"{delivery_href(attempt.id)}/package",
            media_type=PACKAGE_TYPE,
            size=row.size,
            sha256=row.digest,
        ),
        documents=document_parts(found),
        archive=archive,
        missing=[_missing_element(row, element) for element in json.loads(row.missing or "[]")],
        screening=_screening(row, None if archive is None else archive.screening),
        verdict=verdict,
        verdict_said=_verdict_sentences(verdict),
        same_content=[
            api_models.SameContent(message_id=copy.message_id, received_at=copy.received_at)
            for copy in found.copies
        ],
    )


def document_parts(found: CollectedMessage) -> list[api_models.DocumentPart]:
    """The documents, numbered from 1 in the order of the container."""
    listed = unseal_json(found.message, found.key, "sealed_documents") or []
    return [
        api_models.DocumentPart(
            number=number,
            href=f"{delivery_href(found.delivery.id)}/documents/{number}",
            **document,
        )
        for number, document in enumerate(listed, start=1)
    ]


def _verdict_sentences(verdict: Verdict) -> api_models.Sentences:
    return api_models.Sentences(
        **{language.value: list(sentences_of(verdict, language)) for language in TextLanguage}
    )


def _missing_element(row: Message, element: str) -> api_models.Gap:
    suggest = _SUGGESTED_VALUES.get(element)
    return api_models.Gap(element=element, suggested=None if suggest is None else suggest(row))


def _screening(row: Message, said: Screening | None) -> api_models.ScreeningProposal | None:
    if row.shielding is None and said is None:
        return None
    return api_models.ScreeningProposal(
        shielding=row.shielding,
        access_restriction=None if said is None else said.access_restriction,
        authority=None if said is None else said.authority,
    )
