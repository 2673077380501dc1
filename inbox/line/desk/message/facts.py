"""The facts beside a message on its page: envelope, units, proposals and tasks that are open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inbox.access.question import Capacity
from inbox.domain import OrgNumber, Service, UnitId
from inbox.line.desk.message.file_kinds import FileKind, file_kinds
from inbox.line.desk.message.marks import MessageMark
from inbox.tables import Message


@dataclass(frozen=True, kw_only=True)
class EnvelopeFacts:
    """The envelope, without its free text."""

    sender: OrgNumber | None
    on_behalf_of: OrgNumber | None
    receiver: OrgNumber
    service: Service
    channel: str
    process: str | None
    document_type: str | None
    conversation_id: str | None
    wire_id: str
    """The sender's own id of the message."""
    sent_at: datetime | None
    administrative_unit: str | None
    """What the sender calls the unit: the one free text that routing may see."""
    access_restriction: str | None
    screening_authority: str | None
    document_count: int | None
    total_bytes: int | None
    files: tuple[FileKind, ...]


@dataclass(frozen=True, kw_only=True)
class UnitChoice:
    """An active unit that a message can be placed in, and how one gets access there."""

    id: UnitId
    name: str
    leaders: tuple[str, ...]
    """Names of its leaders, who can assign its messages and give access."""
    has_case_system: bool
    shares_unassigned: bool
    """Its handlers see and take each other's unassigned mail."""


@dataclass(frozen=True, kw_only=True)
class OpenProposal:
    """An open proposal about the message."""

    id: str
    kind: str
    proposer_name: str
    is_own: bool
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class OpenTask:
    """An open task about the message, of a kind that those who distribute may close or act on."""

    id: str
    kind: str
    code: str | None
    opened_at: datetime


def envelope_facts(
    message: Message, sealed: Mapping[str, Any], documents: Sequence[Any]
) -> EnvelopeFacts:
    """The envelope, and the kinds of the files."""
    return EnvelopeFacts(
        sender=None if message.sender is None else OrgNumber(message.sender),
        on_behalf_of=sealed.get("on_behalf_of"),
        receiver=OrgNumber(message.organisation),
        service=message.service,
        channel=message.channel,
        process=sealed.get("process"),
        document_type=sealed.get("document_type"),
        conversation_id=sealed.get("conversation_id"),
        wire_id=message.wire_id,
        sent_at=message.sent_at,
        administrative_unit=sealed.get("administrative_unit"),
        access_restriction=sealed.get("access_restriction"),
        screening_authority=sealed.get("screening_authority"),
        document_count=message.document_count,
        total_bytes=message.total_bytes,
        files=file_kinds(str(each["media_type"]) for each in documents),
    )


def units_of(marks: Mapping[str, Sequence[MessageMark]]) -> tuple[UnitChoice, ...]:
    """The active units, by name."""
    return tuple(
        UnitChoice(
            id=UnitId(unit.id or ""),
            name=unit.text or "",
            leaders=tuple(each.text or "" for each in marks["leader"] if each.id == unit.id),
            has_case_system=unit.who is not None,
            shares_unassigned=bool(unit.number),
        )
        for unit in sorted(marks["unit"], key=lambda each: (each.text or "", each.id or ""))
    )


def proposals_of(marks: Sequence[MessageMark], capacity: Capacity) -> tuple[OpenProposal, ...]:
    """The open proposals, and whether the viewer made them."""
    found = []
    for each in marks:
        kind, _, proposer = (each.text or "").partition(" ")
        assert each.at is not None
        assert each.until is not None
        found.append(
            OpenProposal(
                id=each.id or "",
                kind=kind,
                proposer_name=each.who or "",
                is_own=proposer == capacity.person,
                created_at=each.at,
                expires_at=each.until,
            )
        )
    return tuple(found)


def tasks_of(marks: Sequence[MessageMark]) -> tuple[OpenTask, ...]:
    """The open tasks that archivists may close."""
    return tuple(
        OpenTask(id=each.id or "", kind=each.text or "", code=each.who, opened_at=each.at)
        for each in marks
        if each.at is not None
    )
