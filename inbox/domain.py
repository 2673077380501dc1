"""The domain vocabulary: identifiers, states, legal moves, and the metadata routing may see."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType

from inbox.errors import IllegalMove, Invalid

ArrivalId = NewType("ArrivalId", str)
MessageId = NewType("MessageId", str)
DeliveryId = NewType("DeliveryId", str)
WireId = NewType("WireId", str)
"""The sender's id of a message (SBD `instanceIdentifier`): the sender's choice, no proof."""
OrgNumber = NewType("OrgNumber", str)
"""Nine digits with a right check digit; only `parse_org_number` makes one."""
UnitId = NewType("UnitId", str)
CaseSystemId = NewType("CaseSystemId", str)
PersonId = NewType("PersonId", str)

CONFIDENTIAL_PROCESS = "urn:no:difi:profile:arkivmelding:taushetsbelagt:ver1.0"
RESPONSE_PROCESS = "urn:no:difi:profile:arkivmelding:response:ver1.0"
ARKIVMELDING_DOCUMENT_TYPE = "urn:no:difi:arkivmelding:xsd::arkivmelding"
RECEIPT_DOCUMENT_TYPE = "urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering"


def new_id() -> str:
    """A random 128-bit id in lower case, for any row of ours; ids have no order."""
    return uuid.uuid4().hex


_ORG_WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)
FALLBACK_SENDER = OrgNumber("999999999")
"""What the SvarInn path (DPF) names as sender when it does not know (reference §5.6)."""


def parse_org_number(text: str) -> OrgNumber:
    """The organisation number in nine digits, checked modulo 11. Raises `Invalid`."""
    if re.fullmatch(r"[0-9]{9}", text) is None:
        raise Invalid("org_number.shape", "an organisation number is nine digits")
    rest = 11 - sum(w * int(d) for w, d in zip(_ORG_WEIGHTS, text[:8], strict=True)) % 11
    if text != FALLBACK_SENDER and (0 if rest == 11 else rest) != int(text[8]):  # noqa: PLR2004 - modulo 11
        raise Invalid("org_number.check_digit", "the check digit is wrong")
    return OrgNumber(text)


class Service(StrEnum):
    """The messaging service that carried it (reference §8)."""

    DPO = "DPO"
    DPF = "DPF"
    DPV = "DPV"


class GrantKind(StrEnum):
    """How access besides an assignment was obtained."""

    GIVEN = "given"
    BREAKGLASS = "breakglass"


class RequestOutcome(StrEnum):
    """What a leader answered to a person who asked for access."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


class HoldCause(StrEnum):
    """Why a person puts a message on hold (*på vent*): a closed list, never free text."""

    SENDER_ASKED = "sender_asked"
    UNIT_ASKED = "unit_asked"
    CASE_MISSING = "case_missing"
    PERSON_AWAY = "person_away"
    SYSTEM_DOWN = "system_down"


class Mode(StrEnum):
    """How a case system gets its messages (design §8)."""

    WEBHOOK = "webhook"
    PULL = "pull"
    BY_HAND = "by_hand"


class ArrivalState(StrEnum):
    """The states of an arrival, which is one appearance of a message on a channel (design §2)."""

    ANNOUNCED = "ANNOUNCED"
    STORED = "STORED"
    CONFIRMED = "CONFIRMED"
    MISSED = "MISSED"
    ABANDONING = "ABANDONING"
    ABANDONED = "ABANDONED"


class MessageState(StrEnum):
    """Where a message is on the line (design §2)."""

    RECEIVED = "RECEIVED"
    QUARANTINED = "QUARANTINED"
    OPENED = "OPENED"
    UNROUTED = "UNROUTED"
    PLACING = "PLACING"
    ROUTED = "ROUTED"
    RELEASED = "RELEASED"
    OFFERED = "OFFERED"
    RETURNED = "RETURNED"
    REGISTERED = "REGISTERED"
    REFUSED = "REFUSED"
    ANSWERED = "ANSWERED"
    ERASED = "ERASED"


class DeliveryState(StrEnum):
    """One numbered attempt to give a message to a case system."""

    OPEN = "OPEN"
    COLLECTED = "COLLECTED"
    REGISTERED = "REGISTERED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    SUPERSEDED = "SUPERSEDED"


class ReceiptState(StrEnum):
    """The states of a message's arkivmelding_kvittering."""

    CHOSEN = "CHOSEN"
    CREATED = "CREATED"
    SENT = "SENT"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"
    IMPOSSIBLE = "IMPOSSIBLE"


class OutboxState(StrEnum):
    """The states of a webhook event on its way out."""

    PENDING = "PENDING"
    SENT = "SENT"
    DROPPED = "DROPPED"


class TaskState(StrEnum):
    """The states of a task for a person."""

    OPEN = "OPEN"
    DONE = "DONE"


class ProposalState(StrEnum):
    """The states of a proposal, which one person makes and another must approve."""

    OPEN = "OPEN"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    LAPSED = "LAPSED"


State = (
    ArrivalState
    | MessageState
    | DeliveryState
    | ReceiptState
    | OutboxState
    | TaskState
    | ProposalState
)

_A, _M, _D, _R = ArrivalState, MessageState, DeliveryState, ReceiptState

MOVES: Mapping[type[StrEnum], Mapping[str, Mapping[State, tuple[State, ...]]]] = {
    ArrivalState: {
        "fetch": {_A.ANNOUNCED: (_A.STORED, _A.MISSED)},
        "confirm": {_A.STORED: (_A.CONFIRMED,)},
        "announce": {_A.MISSED: (_A.ANNOUNCED,)},
        "refetch": {_A.MISSED: (_A.ANNOUNCED,)},
        "abandon": {_A.MISSED: (_A.ABANDONING,)},
        "discard": {_A.ABANDONING: (_A.ABANDONED,)},
    },
    MessageState: {
        "open": {_M.RECEIVED: (_M.OPENED, _M.QUARANTINED)},
        "recheck": {_M.QUARANTINED: (_M.RECEIVED,)},
        "quarantine_release": {_M.QUARANTINED: (_M.RECEIVED,)},
        "refuse": {
            _M.QUARANTINED: (_M.REFUSED,),
            _M.UNROUTED: (_M.REFUSED,),
            _M.ROUTED: (_M.REFUSED,),
            _M.RETURNED: (_M.REFUSED,),
        },
        "route": {_M.OPENED: (_M.ROUTED, _M.RELEASED, _M.UNROUTED)},
        "place": {
            _M.UNROUTED: (_M.PLACING, _M.ROUTED, _M.RELEASED),
            _M.ROUTED: (_M.PLACING, _M.ROUTED),
            _M.RETURNED: (_M.PLACING, _M.ROUTED),
            _M.PLACING: (_M.ROUTED, _M.RELEASED, _M.UNROUTED, _M.RETURNED),
        },
        "undo": {
            _M.PLACING: (_M.UNROUTED, _M.ROUTED, _M.RETURNED),
            _M.RELEASED: (_M.UNROUTED, _M.ROUTED, _M.RETURNED),
        },
        "hand_back": {
            _M.ROUTED: (_M.UNROUTED,),
            _M.RETURNED: (_M.UNROUTED,),
            _M.OFFERED: (_M.UNROUTED,),  # to people, see `line.moves.unit.hand_back`
        },
        "duplicate": {_M.UNROUTED: (_M.REGISTERED,), _M.ROUTED: (_M.REGISTERED,)},
        "release": {_M.ROUTED: (_M.RELEASED,), _M.RETURNED: (_M.RELEASED,)},
        "offer": {_M.RELEASED: (_M.OFFERED, _M.UNROUTED)},
        "withdraw": {_M.RELEASED: (_M.ROUTED,), _M.OFFERED: (_M.ROUTED,)},
        "word": {_M.OFFERED: (_M.REGISTERED, _M.RETURNED)},
        "register": {
            _M.ROUTED: (_M.REGISTERED,),
            _M.OFFERED: (_M.REGISTERED,),
            _M.RETURNED: (_M.REGISTERED,),
            _M.RELEASED: (_M.REGISTERED,),  # a late word only, see `line.moves.register`
        },
        "answer": {_M.REGISTERED: (_M.ANSWERED,), _M.REFUSED: (_M.ANSWERED,)},
        "erase": {_M.ANSWERED: (_M.ERASED,)},
    },
    DeliveryState: {
        "collect": {_D.OPEN: (_D.COLLECTED,)},
        "word": {
            _D.OPEN: (_D.COLLECTED, _D.REGISTERED, _D.REFUSED),
            _D.COLLECTED: (_D.REGISTERED, _D.REFUSED),
        },
        "withdraw": {_D.OPEN: (_D.WITHDRAWN,), _D.COLLECTED: (_D.SUPERSEDED,)},
        "hand_back": {_D.OPEN: (_D.WITHDRAWN,)},
        "register": {_D.OPEN: (_D.SUPERSEDED,), _D.COLLECTED: (_D.SUPERSEDED,)},
    },
    ReceiptState: {
        "create": {_R.CHOSEN: (_R.CREATED, _R.IMPOSSIBLE, _R.FAILED)},
        "send": {_R.CREATED: (_R.SENT, _R.FAILED)},
        "follow_up": {_R.SENT: (_R.CONFIRMED, _R.FAILED)},
        "resend": {_R.FAILED: (_R.CHOSEN,), _R.IMPOSSIBLE: (_R.CHOSEN,)},
    },
    OutboxState: {"notify": {OutboxState.PENDING: (OutboxState.SENT, OutboxState.DROPPED)}},
    TaskState: {"close": {TaskState.OPEN: (TaskState.DONE,)}},
    ProposalState: {
        "approve": {ProposalState.OPEN: (ProposalState.APPROVED,)},
        "decline": {ProposalState.OPEN: (ProposalState.DECLINED,)},
        "lapse": {ProposalState.OPEN: (ProposalState.LAPSED,)},
    },
}
"""Who moves what from where to where: the tables of design §2. The name is a station or a move."""


STATIONS: Mapping[type[StrEnum], Mapping[State, str]] = {
    ArrivalState: {_A.ANNOUNCED: "fetch", _A.STORED: "confirm", _A.ABANDONING: "discard"},
    MessageState: {
        _M.RECEIVED: "open",
        _M.OPENED: "route",
        _M.PLACING: "place",
        _M.RELEASED: "offer",
        _M.ANSWERED: "erase",
    },
    ReceiptState: {_R.CHOSEN: "create", _R.CREATED: "send", _R.SENT: "follow_up"},
    OutboxState: {OutboxState.PENDING: "notify"},
}
"""The one station of every state that works; the others wait, or are done."""


ESCALATED_AFTER: Final = 3
"""A message that was placed so often climbs to the records manager (*arkivleder*)."""
READABLE_STATES: Final = (
    *(_M.ROUTED, _M.RELEASED, _M.OFFERED, _M.RETURNED),
    *(_M.REGISTERED, _M.ANSWERED),
)
"""The states in which people can read the content: from when a unit has it until it is erased."""
PLACED_STATES: Final = (_M.UNROUTED, _M.PLACING, _M.ROUTED, _M.RELEASED, _M.OFFERED, _M.RETURNED)
"""The states in which people still look for the right place of a message."""


def station_of(state: State) -> str | None:
    """The station that works on rows in this state; None if none does."""
    return STATIONS.get(type(state), {}).get(state)


def check_move(by: str, was: State, became: State) -> None:
    """Raise `IllegalMove` unless `MOVES` lets `by` take a row from `was` to `became`."""
    if became not in MOVES[type(was)].get(by, {}).get(was, ()):
        raise IllegalMove("move.illegal", f"{by}: {was} to {became}")


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """The part of a message that routing may look at: an allowlist (design §6).

    Never a title, a name, a document name or content. `public_title` is meant to be public and
    not always is: sealed at rest, shown to nobody who only distributes.
    """

    channel: str
    service: Service
    sender: OrgNumber
    sender_known: bool
    signer: OrgNumber | None
    on_behalf_of: OrgNumber | None
    receiver: OrgNumber
    process: str
    document_type: str
    conversation_id: str | None = None
    references: tuple[str, ...] = ()
    known_unit: UnitId | None = None
    """The unit that has the case this one refers to, if that case has the same counterparty."""
    administrative_unit: str | None = None
    screening_authority: str | None = None
    access_restriction: str | None = None
    public_title: str | None = None
    sent_at: datetime | None = None
    received_at: datetime
    document_count: int
    total_bytes: int
