"""Years of mail as rows: the states it is in, and what hangs on each message."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlmodel import SQLModel

from inbox.domain import ArrivalState, DeliveryState, GrantKind, MessageState, ReceiptState, Service
from inbox.tables import (
    AccessGrant,
    Arrival,
    Assignment,
    ConflictOfInterest,
    Delivery,
    Receipt,
    WrappedKey,
)
from tests.worlds import OURS, SENDER

Rows = Iterator[dict[str, object]]
Table = tuple[type[SQLModel], Rows]
_M = MessageState
_SPREAD: Mapping[MessageState, float] = {
    _M.ERASED: 0.88,
    _M.ANSWERED: 0.08,
    _M.OFFERED: 0.015,
    _M.ROUTED: 0.015,
    _M.RETURNED: 0.004,
    _M.UNROUTED: 0.004,
    _M.QUARANTINED: 0.002,
}
"""Most has been answered long ago; what waits for people is the mail of some days."""
_IN_UNIT = frozenset(_SPREAD) - {_M.UNROUTED, _M.QUARANTINED}
SHIELDINGS = ("13", "13", "?", "13-barnevern", "23")
EPOCH = timedelta(days=3 * 365)


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much of everything."""

    messages: int
    people: int
    units: int
    grants: int = 0
    """Access that leaders gave, for a year each."""


class Written(NamedTuple):
    """What the rows about a message need to know of it."""

    id: str
    state: MessageState
    at: datetime
    unit: str | None


def person_id(number: int) -> str:
    return f"person-{number}"


def unit_id(number: int) -> str:
    return f"unit-{number}"


def messages(extent: Extent, now: datetime, chance: random.Random) -> Rows:
    """The oldest are erased, the newest wait: states go with age, not quite in order."""
    states = [s for s, part in _SPREAD.items() for _ in range(round(part * 1000))]
    for number in range(extent.messages):
        age = 1 - number / extent.messages
        state = states[_within(1 - age + chance.uniform(-0.01, 0.01), len(states))]
        at = now - EPOCH * age
        erased, opened = state is _M.ERASED, state is not _M.QUARANTINED
        yield {
            "id": f"{number:032x}",
            "state": state,
            "version": 8,
            "due_at": now + timedelta(days=10) if state is _M.ANSWERED else None,
            "organisation": OURS,
            "channel": "eformidling",
            "service": Service.DPO,
            "wire_id": f"wire-{number}",
            "digest": f"{number:064x}",
            "size": 400_000,
            "object_name": None if erased else f"{number:032x}.3",
            "received_at": at,
            "shares_wire_id": False,
            "attempts": 0,
            "waivers": "",
            "urgent": False,
            "transfers": 0,
            "sender": SENDER if opened else None,
            "sent_at": at,
            "document_count": 3,
            "total_bytes": 500_000,
            "shielding": chance.choice(SHIELDINGS) if chance.random() < 0.8 else None,
            "verdict": json.dumps({"signers": [SENDER], "checks": ["x" * 200]}),
            "sealed_metadata": None if erased else bytes(600),
            "sealed_archive": None if erased else bytes(3_000),
            "sealed_documents": None if erased else bytes(900),
            "unit": unit_id(chance.randrange(extent.units)) if state in _IN_UNIT else None,
            "answered_at": at if state in {_M.ANSWERED, _M.ERASED} else None,
        }


def _within(part: float, size: int) -> int:
    """The place that is so far along."""
    return min(max(int(part * size), 0), size - 1)


def around(extent: Extent, messages: Sequence[Written], chance: random.Random) -> Iterator[Table]:
    """What hangs on the messages."""
    given = [each for each in messages if each.state in {_M.OFFERED, _M.ANSWERED, _M.ERASED}]
    alive = [each for each in messages if each.state is not _M.ERASED]
    yield Arrival, (_arrival(each) for each in messages)
    yield WrappedKey, (_key(each) for each in messages)
    yield Delivery, (_delivery(each) for each in given)
    yield Receipt, (_receipt(each) for each in given if each.state is not _M.OFFERED)
    assigned = [each for each in alive if chance.random() < 0.7]
    yield Assignment, (_bond("t", each, chance.randrange(extent.people)) for each in assigned)
    yield AccessGrant, _grants(extent, messages, chance)
    conflicts = alive[::20]
    yield (
        ConflictOfInterest,
        (_bond("c", each, chance.randrange(extent.people)) for each in conflicts),
    )


def _grants(extent: Extent, messages: Sequence[Written], chance: random.Random) -> Rows:
    """Of one person to one message of any unit; a year, from when it came."""
    given = [each for each in messages if each.unit is not None]
    for number, message in enumerate(chance.choices(given, k=extent.grants)):
        yield {
            "id": f"g{number:031x}",
            "kind": GrantKind.GIVEN,
            "message_id": message.id,
            "unit": message.unit,
            "person": person_id(chance.randrange(extent.people)),
            "given_by": person_id(0),
            "sealed_reason": bytes(80),
            "active_from": message.at,
            "active_until": message.at + timedelta(days=365),
        }


def _like(letter: str, message: Written) -> str:
    """An id as good as the message's own."""
    return letter + message.id[1:]


def _arrival(message: Written) -> dict[str, object]:
    return {
        "id": _like("a", message),
        "channel": "eformidling",
        "service": Service.DPO,
        "organisation": OURS,
        "wire_id": f"wire-{message.id}",
        "state": ArrivalState.CONFIRMED,
        "version": 4,
        "attempts": 0,
        "misses": 0,
        "announced_at": message.at,
        "message_id": message.id,
    }


def _key(message: Written) -> dict[str, object]:
    kept = message.state is not _M.ERASED
    return {
        "id": message.id,
        "kek_id": "k" if kept else None,
        "wrapped": bytes(40) if kept else None,
        "created_at": message.at,
    }


def _delivery(message: Written) -> dict[str, object]:
    offered = message.state is _M.OFFERED
    return {
        "id": _like("d", message),
        "message_id": message.id,
        "number": 1,
        "case_system": "system-0",
        "state": DeliveryState.OPEN if offered else DeliveryState.REGISTERED,
        "version": 2,
        "offered_at": message.at,
    }


def _receipt(message: Written) -> dict[str, object]:
    return {
        "id": _like("r", message),
        "message_id": message.id,
        "answers": f"{OURS}/eformidling/{message.id}",
        "outcome": "OK",
        "state": ReceiptState.CONFIRMED,
        "version": 6,
        "attempts": 0,
        "number": 1,
        "chosen_at": message.at,
        "settled_at": message.at,
    }


def _bond(letter: str, message: Written, who: int) -> dict[str, object]:
    """An assignment, or a conflict of interest."""
    return {
        "id": _like(letter, message),
        "message_id": message.id,
        "person": person_id(who),
        "active_from": message.at,
    }
