"""Projects a collected delivery onto the API's models, from decrypted values."""

from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter

from inbox.access.lists.deliveries import CollectableDelivery
from inbox.language import TextLanguage
from inbox.line.moves.registration import CollectedMessage
from inbox.line.sealed_content import missing_elements, unseal_json
from inbox.package.arkivmelding.model import ArchiveMessage, Screening
from inbox.package.explanations import sentences_of
from inbox.package.verdict import Verdict
from inbox.tables import Message
from inbox.web import api_models

PACKAGE_TYPE: Final = "application/vnd.etsi.asic-e+zip"
_DELIVERIES: Final = "/api/v1/deliveries"
_ARCHIVE: Final[TypeAdapter[ArchiveMessage | None]] = TypeAdapter(ArchiveMessage | None)
_VERDICT: Final = TypeAdapter(Verdict)


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
        missing=[
            api_models.Gap(element=each.element, suggested=each.suggested)
            for each in missing_elements(row)
        ],
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


def _screening(row: Message, said: Screening | None) -> api_models.ScreeningProposal | None:
    if row.shielding is None and said is None:
        return None
    return api_models.ScreeningProposal(
        shielding=row.shielding,
        access_restriction=None if said is None else said.access_restriction,
        authority=None if said is None else said.authority,
    )
