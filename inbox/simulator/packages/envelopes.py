"""Envelopes (SBD) as an integrasjonspunkt gives them, and what it reads from them."""

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

Envelope = Mapping[str, object]

TAUSHETSBELAGT = "urn:no:difi:profile:arkivmelding:taushetsbelagt:ver1.0"
ADMINISTRASJON = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"
RESPONSE = "urn:no:difi:profile:arkivmelding:response:ver1.0"
DOCUMENT_TYPES = "urn:no:difi:arkivmelding:xsd::"
RECEIPT_TYPES = ("arkivmelding_kvittering", "einnsyn_kvittering", "dialogmelding_kvittering")
OSLO_WINTER = timezone(timedelta(hours=1))
DEFAULT_LIFE = timedelta(hours=24)

_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")


def is_uuid(text: object) -> bool:
    """Whether it is a UUID with hyphens; any version, nil and upper case included (§11.5)."""
    return isinstance(text, str) and _UUID.fullmatch(text) is not None


def wire_time(at: datetime) -> str:
    """Milliseconds with an offset, as in an SBD."""
    return at.astimezone(OSLO_WINTER).isoformat(timespec="milliseconds")


def read_time(text: object) -> datetime | None:
    """The time a wire text names; more than six digits of a second are cut, no offset is Oslo's."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=OSLO_WINTER)


def look(value: object, *path: str | int) -> object:
    """What stands at the path, or None; never fails on a strange shape."""
    for step in path:
        if isinstance(step, str) and isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list | tuple) and len(value) > step:
            value = value[step]
        else:
            return None
    return value


def text_at(value: object, *path: str | int) -> str:
    """The text at the path, or an empty one."""
    found = look(value, *path)
    return found if isinstance(found, str) else ""


HEADER = "standardBusinessDocumentHeader"


def message_id_of(envelope: Envelope) -> str:
    """The id the sender chose (`documentIdentification.instanceIdentifier`)."""
    return text_at(envelope, HEADER, "documentIdentification", "instanceIdentifier")


def type_of(envelope: Envelope) -> str:
    """The type of the business message, as `arkivmelding`."""
    return text_at(envelope, HEADER, "documentIdentification", "type")


def standard_of(envelope: Envelope) -> str:
    """The document type URN."""
    return text_at(envelope, HEADER, "documentIdentification", "standard")


def conversation_scope(envelope: Envelope) -> Envelope | None:
    """The scope that carries conversation, process and time to live; order is not stable."""
    scopes = look(envelope, HEADER, "businessScope", "scope")
    for scope in scopes if isinstance(scopes, list | tuple) else ():
        if text_at(scope, "type") in ("ConversationId", "CONVERSATION_ID"):
            return scope if isinstance(scope, Mapping) else None
    return None


def process_of(envelope: Envelope) -> str:
    """The process URN."""
    return text_at(conversation_scope(envelope), "identifier")


def conversation_id_of(envelope: Envelope) -> str:
    """The conversation id."""
    return text_at(conversation_scope(envelope), "instanceIdentifier")


def life_ends_at(envelope: Envelope) -> datetime | None:
    """When the message expires, if the envelope says so."""
    return read_time(
        look(conversation_scope(envelope), "scopeInformation", 0, "expectedResponseDateTime")
    )


def party_of(envelope: Envelope, side: str) -> str:
    """The identifier of `sender` or `receiver` as it stands, with its `0192:`."""
    return text_at(envelope, HEADER, side, 0, "identifier", "value")


def org_of(envelope: Envelope, side: str) -> str:
    """The bare organisation number that filters compare; of main and part, the part."""
    return party_of(envelope, side).rpartition(":")[2]


def party(org_number: str) -> dict[str, object]:
    """One sender or receiver."""
    identifier = {"authority": "iso6523-actorid-upis", "value": f"0192:{org_number}"}
    return {"identifier": identifier, "contactInformation": []}


def sbd_json(  # noqa: PLR0913 - every field of an envelope can be chosen by name
    *,
    sender: str = "910077473",
    receiver: str = "910075918",
    message_id: str | None = None,
    conversation_id: str | None = None,
    process: str = TAUSHETSBELAGT,
    kind: str = "arkivmelding",
    body: Mapping[str, object] | None = None,
    sender_ref: str | None = None,
    receiver_ref: str | None = None,
    channel: str | None = None,
    created_at: datetime | None = None,
    life: timedelta | None = DEFAULT_LIFE,
) -> dict[str, object]:
    """An envelope as peek gives it; ids not given are random, `life=None` leaves the end out.

    `sender` may be `main:part` (on behalf of). An unset `body` is `{"sikkerhetsnivaa": 3}`.
    """
    created = created_at or datetime.now(UTC)
    conversation: dict[str, object] = {
        "type": "ConversationId",
        "instanceIdentifier": conversation_id or str(uuid.uuid4()),
        "identifier": process,
    }
    if life is not None:
        conversation["scopeInformation"] = [{"expectedResponseDateTime": wire_time(created + life)}]
    scopes = [conversation]
    for name, reference in (("SenderRef", sender_ref), ("ReceiverRef", receiver_ref)):
        if reference is not None:
            scopes.append({"type": name, "instanceIdentifier": reference})
    if channel is not None:
        scope = {"type": "MessageChannel", "instanceIdentifier": str(uuid.uuid4())}
        scopes.append({**scope, "identifier": channel})
    header = {
        "headerVersion": "1.0",
        "sender": [party(sender)],
        "receiver": [party(receiver)],
        "documentIdentification": {
            "standard": DOCUMENT_TYPES + kind,
            "typeVersion": "2.0",
            "instanceIdentifier": message_id or str(uuid.uuid4()),
            "type": kind,
            "creationDateAndTime": wire_time(created),
        },
        "businessScope": {"scope": scopes},
    }
    return {HEADER: header, kind: {"sikkerhetsnivaa": 3} if body is None else dict(body)}


def receipt_json(  # noqa: PLR0913 - every field can be chosen by name
    *,
    related_to: str,
    receipt_type: str = "OK",
    sender: str = "910075918",
    receiver: str = "910077473",
    message_id: str | None = None,
    conversation_id: str | None = None,
    messages: tuple[tuple[str, str], ...] = (("ID", "2026/001234-1"),),
) -> dict[str, object]:
    """A kvittering, as it lies in the queue of the sender of the original."""
    body = {
        "receiptType": receipt_type,
        "relatedToMessageId": related_to,
        "messages": [{"code": code, "text": text} for code, text in messages],
    }
    return sbd_json(
        sender=sender,
        receiver=receiver,
        message_id=message_id,
        conversation_id=conversation_id,
        process=RESPONSE,
        kind="arkivmelding_kvittering",
        body=body,
    )
