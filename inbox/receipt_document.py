"""Builds the arkivmelding_kvittering by which the sender learns the outcome of a message.

Nothing confidential stands in it: the SBD travels unencrypted, so texts come from a closed list and
the archive's reference is the only thing of ours in it (reference §2.2).
"""

import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inbox.domain import RECEIPT_DOCUMENT_TYPE, RESPONSE_PROCESS, OrgNumber

_NAMESPACE = uuid.UUID("7a1c5a0e-5d0b-5d5a-9f0e-1f6b1f6a2c11")
"""Our own, so that the ids below collide with nobody's."""
_LONGEST_REFERENCE: Final = 200


class ReceiptType(StrEnum):
    """The receipt types. The gateway does not check the spelling, so it is defined only here."""

    OK = "OK"
    ERROR = "ERROR"


REFUSALS: Mapping[str, str] = {
    "not_for_us": "Meldingen gjelder ikke vår virksomhet. Send den til rett mottaker.",
    "unreadable": "Meldingen kan ikke leses. Send den på nytt.",
    "signature": "Pakken er endret eller signaturen er ugyldig. Send den på nytt.",
    "wrong_channel": "Innholdet kan ikke mottas i denne kanalen. Ta kontakt med arkivet vårt.",
    "withdrawn_by_sender": "Avvist etter avtale med avsender.",
}
"""Why a message was refused: codes that two persons choose from, and what the sender reads."""


@dataclass(frozen=True, kw_only=True)
class ReceiptContent:
    """The content of a kvittering, and its receiver."""

    organisation: OrgNumber
    sender: OrgNumber
    wire_id: str
    conversation_id: str | None
    outcome: ReceiptType
    reference: str | None = None
    refusal: str | None = None


def is_archive_reference(text: str) -> bool:
    """Whether an archive can have given this reference: one printable line with a number in it.

    Every archive numbers what it registers (case and entry, record number, system id). So blanks,
    marks alone, zeros alone and words such as "null" are what a program says that has no reference.
    """
    return (
        len(text) <= _LONGEST_REFERENCE
        and text.isprintable()
        and any(unicodedata.decimal(letter, 0) > 0 for letter in text)
    )


def receipt_id(*, organisation: str, channel: str, wire_id: str, outcome: str, number: int) -> str:
    """The kvittering's own id: the same for the same answer, so that sending twice is harmless.

    Lower case, because the gateway takes another letter case for another message (reference
    §11.5). `number` rises only after FEIL or LEVETID_UTLOPT.
    """
    name = "\n".join((organisation, channel, wire_id, outcome, str(number)))
    return str(uuid.uuid5(_NAMESPACE, name))


def receipt_body(answer: ReceiptContent, receipt: str) -> dict[str, object]:
    """The SBD to post; without a conversation, the receipt's own id stands for one."""
    return {
        "standardBusinessDocumentHeader": {
            "headerVersion": "1.0",
            "sender": [_party(answer.organisation)],
            "receiver": [_party(answer.sender)],
            "documentIdentification": {
                "standard": RECEIPT_DOCUMENT_TYPE,
                "typeVersion": "2.0",
                "type": "arkivmelding_kvittering",
                "instanceIdentifier": receipt,
            },
            "businessScope": {
                "scope": [
                    {
                        "type": "ConversationId",
                        "instanceIdentifier": answer.conversation_id or receipt,
                        "identifier": RESPONSE_PROCESS,
                    }
                ]
            },
        },
        "arkivmelding_kvittering": {
            "receiptType": answer.outcome.value,
            "relatedToMessageId": answer.wire_id,
            "messages": _messages(answer),
        },
    }


def _party(org_number: OrgNumber) -> dict[str, object]:
    return {"identifier": {"authority": "iso6523-actorid-upis", "value": f"0192:{org_number}"}}


def _messages(answer: ReceiptContent) -> list[dict[str, str]]:
    if answer.outcome is ReceiptType.OK:
        known = answer.reference is not None and is_archive_reference(answer.reference)
        return [{"code": "ID", "text": answer.reference or ""}] if known else []
    code = answer.refusal or ""
    return [{"code": code, "text": REFUSALS[code]}]
