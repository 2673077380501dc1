"""Reads what is needed of an SBD before we have custody: id, process, receiver and expiry.

Lenient: what is missing or odd reads as empty, and then it is not taken. `package.envelope` reads
the same bytes in full, once they are in our custody.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from inbox.days import OSLO
from inbox.domain import WireId
from inbox.errors import Unavailable
from inbox.gateway.responses import json_array, json_at, json_text, read_json

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_ICD = re.compile(r"[0-9]{4}")
_HEADER = "standardBusinessDocumentHeader"
_CONVERSATION = ("ConversationId", "CONVERSATION_ID")
"""As on the wire, and as the name of the gateway's enumeration, which it accepts too."""


@dataclass(frozen=True, kw_only=True)
class EnvelopeHeader:
    """These fields of the SBD's header: unverified, as the sender wrote them."""

    wire_id: WireId
    """As it came: another letter case is another message. "" if it is no UUID with hyphens."""
    process: str
    receiver: str
    """Bare: of `0192:main:part` the part, which is the organisation acted for."""
    expires_at: datetime | None


def read_envelope_header(envelope: bytes) -> EnvelopeHeader:
    """Read these fields. Raises `Unavailable("gateway.garbled")` if it is not an SBD."""
    header = json_at(read_json(envelope), _HEADER)
    if not isinstance(header, dict):
        raise Unavailable("gateway.garbled", "no document header")
    wire_id = json_text(json_at(header, "documentIdentification", "instanceIdentifier"))
    scope = _conversation_scope(header)
    return EnvelopeHeader(
        wire_id=WireId(wire_id if is_wire_id(wire_id) else ""),
        process=json_text(json_at(scope, "identifier")),
        receiver=organisation_of(json_text(json_at(header, "receiver", 0, "identifier", "value"))),
        expires_at=instant_of(
            json_text(json_at(scope, "scopeInformation", 0, "expectedResponseDateTime"))
        ),
    )


def is_wire_id(text: str) -> bool:
    """Whether this can be the id of a message: a UUID with hyphens."""
    return _UUID.fullmatch(text) is not None


def _conversation_scope(header: object) -> object:
    """Scopes are a set: the order says nothing."""
    for scope in json_array(json_at(header, "businessScope", "scope")):
        if json_at(scope, "type") in _CONVERSATION:
            return scope
    return None


def organisation_of(identifier: str) -> str:
    """The bare number; of `0192:main:part` the part, which is the organisation acted for."""
    parts = identifier.split(":")
    if _ICD.fullmatch(parts[0]):
        parts = parts[1:]
    return next((part for part in (*parts[1:2], *parts[:1]) if part), "")


def instant_of(text: str) -> datetime | None:
    """In UTC; more than six decimals are cut, and without a zone it is Norwegian time.

    None if it is no time.
    """
    try:
        instant = datetime.fromisoformat(re.sub(r"([.,][0-9]{6})[0-9]+", r"\1", text))
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=OSLO)
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
