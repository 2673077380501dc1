"""Conversations and statuses, as `/api/statuses` and `/api/conversations` show them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from inbox.simulator.http.wire import micro_time
from inbox.simulator.packages import envelopes
from inbox.simulator.packages.envelopes import Envelope

FINAL = {"LEVERT", "LEST", "FEIL", "LEVETID_UTLOPT", "INNKOMMENDE_LEVERT"}


@dataclass(frozen=True, kw_only=True)
class Status:
    """One step; a name is recorded once per conversation."""

    number: int
    name: str
    at: datetime
    description: str = ""
    raw_receipt: str | None = None


@dataclass(kw_only=True)
class Conversation:
    """Everything known about one message id, in either direction."""

    number: int
    message_id: str
    envelope: Envelope
    direction: str
    service: str
    expires_at: datetime
    statuses: list[Status] = field(default_factory=list)

    def names(self) -> list[str]:
        """The names of its statuses, in the order they came."""
        return [status.name for status in self.statuses]

    @property
    def conversation_id(self) -> str:
        """The id from the envelope."""
        return envelopes.conversation_id_of(self.envelope)


class Ledger:
    """All conversations; the caller holds the lock. `told` hears of every new status."""

    def __init__(self, told: Callable[[Conversation, Status], None]) -> None:
        self._conversations: dict[str, Conversation] = {}
        self._told = told
        self._steps = self._opened = 0

    def open(
        self, envelope: Envelope, *, direction: str, service: str, expires_at: datetime
    ) -> Conversation:
        """The conversation of this message id, made if it was not there: history is kept."""
        message_id = envelopes.message_id_of(envelope)
        if message_id not in self._conversations:
            self._opened += 1
            self._conversations[message_id] = Conversation(
                number=self._opened,
                message_id=message_id,
                envelope=envelope,
                direction=direction,
                service=service,
                expires_at=expires_at,
            )
        return self._conversations[message_id]

    def find(self, message_id: str) -> Conversation | None:
        """The conversation, letter case counts (§11.5)."""
        return self._conversations.get(message_id)

    def put_back(self, message_id: str, conversation: Conversation | None) -> None:
        """As it was before; None: it was not known."""
        self._conversations.pop(message_id, None)
        if conversation is not None:
            self._conversations[message_id] = conversation

    def all(self) -> Sequence[Conversation]:
        """Every conversation, oldest first."""
        return list(self._conversations.values())

    def record(self, message_id: str, name: str, at: datetime, *, description: str = "") -> None:
        """Add a status unless one of that name is there."""
        conversation = self._conversations[message_id]
        if name in conversation.names():
            return
        self._steps += 1
        status = Status(number=self._steps, name=name, at=at, description=description)
        conversation.statuses.append(status)
        self._told(conversation, status)


def show_status(conversation: Conversation, status: Status) -> Mapping[str, object]:
    """One row of `/api/statuses`."""
    return {
        "id": status.number,
        "lastUpdate": micro_time(status.at),
        "status": status.name,
        "description": status.description or None,
        "rawReceipt": status.raw_receipt,
        "conversationId": conversation.conversation_id,
        "messageId": conversation.message_id,
        "convId": conversation.number,
    }


def show_conversation(conversation: Conversation) -> Mapping[str, object]:
    """One row of `/api/conversations`."""
    envelope = conversation.envelope
    last = conversation.statuses[-1].at if conversation.statuses else None
    return {
        "id": conversation.number,
        "conversationId": conversation.conversation_id,
        "messageId": conversation.message_id,
        "sender": envelopes.org_of(envelope, "sender"),
        "senderIdentifier": envelopes.org_of(envelope, "sender"),
        "receiver": envelopes.org_of(envelope, "receiver"),
        "receiverIdentifier": envelopes.org_of(envelope, "receiver"),
        "processIdentifier": envelopes.process_of(envelope),
        "documentIdentifier": envelopes.standard_of(envelope),
        "messageReference": conversation.conversation_id,
        "messageTitle": "",
        "lastUpdate": micro_time(last) if last else None,
        "finished": not FINAL.isdisjoint(conversation.names()),
        "expiry": micro_time(conversation.expires_at),
        "direction": conversation.direction,
        "serviceIdentifier": conversation.service,
        "messageStatuses": [
            {**show_status(conversation, status), "convId": None}
            for status in conversation.statuses
        ],
    }
