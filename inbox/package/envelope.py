"""Reads the envelope (SBD, JSON), as tolerantly as its dialects require (reference §3)."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from inbox.domain import OrgNumber, WireId, parse_org_number
from inbox.errors import Invalid, PackageRejected
from inbox.package.times import read_instant
from inbox.package.zip.names import CONTROL
from inbox.strict.json_text import read_json

_MAX_BYTES = 1 << 20
_MAX_ID = 255
_PARTY = re.compile(r"(?:(?:0192|9908):)?([^:]+)(?::([^:]+))?(?::[^:]*)?")
_HEADER = "standardBusinessDocumentHeader"
_REFERENCE_FIELDS = ("instanceIdentifier", "identifier", "identfier")
"""Where a reference may stand: the code's place, the documentation's, and its misspelling."""

Members = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Party:
    """An organisation, and the supplier (main) that acts for it, if one is named."""

    organisation: OrgNumber
    main: OrgNumber | None = None

    @property
    def org_numbers(self) -> frozenset[OrgNumber]:
        """Both organisation numbers, without a missing one."""
        return frozenset(each for each in (self.organisation, self.main) if each)


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """The envelope that the sender wrote outside the package.

    Nothing in it is signed; free text is unsafe.
    """

    wire_id: WireId
    conversation_id: str | None
    process: str
    document_type: str
    type: str
    sender: OrgNumber
    """Whose message it is: the part, where a supplier sends on behalf of it."""
    main: OrgNumber | None
    """The supplier that says it sends on behalf of the sender."""
    receiver: OrgNumber
    sender_ref: str | None = field(repr=False)
    receiver_ref: str | None = field(repr=False)
    message_channel: str | None = field(repr=False)
    created_at: datetime | None
    expires_at: datetime | None
    main_document: str | None = field(repr=False)

    @property
    def on_behalf_of(self) -> OrgNumber | None:
        """The organisation that a supplier acts for; None when it sends itself."""
        return self.sender if self.main else None


def read_envelope(raw: bytes) -> Envelope:
    """The envelope of an arkivmelding; raises `PackageRejected` (`envelope.*`), never waivable.

    Unknown members, any order of members and scopes, both spellings of references, bare and
    retired prefixes of organisation numbers, and times that cannot be read are tolerated.
    """
    root = _root(raw)
    header = _members(root.get(_HEADER))
    identification = _members(header.get("documentIdentification"))
    document_type, kind = _text(identification, "standard"), _text(identification, "type")
    if not header or document_type is None or kind is None:
        raise PackageRejected("envelope.not_sbd", "header or documentIdentification")
    if kind.lower() != "arkivmelding":
        raise PackageRejected("envelope.not_arkivmelding")
    body = next((value for name, value in root.items() if name.lower() == kind.lower()), None)
    if not isinstance(body, dict):
        raise PackageRejected("envelope.not_sbd", "no business message")
    scopes = _scopes(header)
    conversation = scopes.get("conversationid", {})
    channel = _text(scopes.get("messagechannel", {}), "identifier")
    sender = _party(header, "sender")
    return Envelope(
        wire_id=_wire_id(identification),
        conversation_id=_text(conversation, "instanceIdentifier"),
        process=_process(conversation),
        document_type=document_type,
        type=kind,
        sender=sender.organisation,
        main=sender.main,
        receiver=_party(header, "receiver").organisation,
        sender_ref=_reference(scopes.get("senderref", {})),
        receiver_ref=_reference(scopes.get("receiverref", {})),
        message_channel=channel,
        created_at=read_instant(_text(identification, "creationDateAndTime")),
        expires_at=_expiry(conversation),
        main_document=_text(_members(body), "hoveddokument"),
    )


def read_party(text: str) -> Party:
    """`0192:org`, `0192:main:part`, the retired prefix 9908, or nine bare digits.

    Raises `Invalid`; a number of a person never becomes part of the message.
    """
    found = _PARTY.fullmatch(text.strip())
    if found is None:
        raise Invalid("org_number.shape", "not an organisation identifier")
    first, part = found.groups()
    if part is None:
        return Party(organisation=parse_org_number(first))
    return Party(organisation=parse_org_number(part), main=parse_org_number(first))


def _root(raw: bytes) -> Members:
    if len(raw) > _MAX_BYTES:
        raise PackageRejected("envelope.too_large", f"{len(raw)} bytes")
    try:
        root = read_json(raw)
        json.dumps(root, ensure_ascii=False).encode()  # half a surrogate pair could not be stored
    except ValueError as error:
        raise PackageRejected("envelope.not_json", type(error).__name__) from error
    if not isinstance(root, dict):
        raise PackageRejected("envelope.not_sbd", "not an object")
    return root


def _members(value: object) -> Members:
    return value if isinstance(value, dict) else {}


def _first(value: object) -> Members:
    """The first object in an array; an object in place of the array is taken as it is."""
    if isinstance(value, Sequence) and value:
        return _members(value[0])
    return _members(value)


def _text(members: Members, name: str) -> str | None:
    """The text of a member; None if it is empty, no text, or has control characters in it."""
    value = members.get(name)
    if not isinstance(value, str) or CONTROL.search(value.strip()):
        return None
    return value.strip() or None


def _scopes(header: Members) -> dict[str, Members]:
    """Scopes by type, in lower case without `_`: a set, and its names have two spellings."""
    scopes: dict[str, Members] = {}
    listed = _members(header.get("businessScope")).get("scope")
    for scope in listed if isinstance(listed, list) else ():
        members = _members(scope)
        kind = (_text(members, "type") or "").lower().replace("_", "")
        if scopes.setdefault(kind, members) != members and kind == "conversationid":
            raise PackageRejected("envelope.not_sbd", "two conversations")
    return scopes


def _party(header: Members, role: str) -> Party:
    parties = header.get(role)
    identifier = _members(_first(parties).get("identifier"))
    if isinstance(parties, list) and len(parties) > 1:
        raise PackageRejected(f"envelope.{role}", "more than one")
    try:
        return read_party(_text(identifier, "value") or "")
    except Invalid as error:
        raise PackageRejected(f"envelope.{role}", error.code) from error


def _wire_id(identification: Members) -> WireId:
    wire_id = _text(identification, "instanceIdentifier")
    if wire_id is None or len(wire_id) > _MAX_ID:
        raise PackageRejected("envelope.message_id")
    return WireId(wire_id)


def _process(conversation: Members) -> str:
    process = _text(conversation, "identifier")
    if process is None:
        raise PackageRejected("envelope.process")
    return process


def _reference(scope: Members) -> str | None:
    return next((text for name in _REFERENCE_FIELDS if (text := _text(scope, name))), None)


def _expiry(conversation: Members) -> datetime | None:
    """When the message expires at the gateway, if it says so."""
    information = _first(conversation.get("scopeInformation"))
    return read_instant(_text(information, "expectedResponseDateTime"))
