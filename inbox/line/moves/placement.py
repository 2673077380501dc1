"""A placing that can be undone: what the row of a message keeps of it, and the way back.

PLACING lasts a short grace. Meanwhile the message is with no unit: the new one has nothing yet, and
the one that it is taken from has nothing any more, so every fact about a unit is false. Assignments
and tasks stand until it is decided, so that undoing it leaves them as they were.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from inbox.access.question import Capacity, RequestFacts
from inbox.domain import MessageState, State
from inbox.line import Terms
from inbox.line.mail_units import active_unit_or_successor
from inbox.store import Transaction
from inbox.tables import Message

_UNIT_FACTS: Final = frozenset(
    {"in_unit", "in_parent_unit", "leads", "covers", "has_grant", "has_breakglass", "unit_shares"}
)
"""The facts that are false of every message without a unit."""
_STRONG: Final = "strong_auth"
_REASON: Final = "reason_given"


@dataclass(frozen=True, kw_only=True)
class WayBack:
    """The state that a message goes back to, with the code and the columns of before."""

    became: State
    code: str | None
    values: Mapping[str, object]


def grace_of(terms: Terms, message: Message, facts: Collection[str]) -> timedelta:
    """How long a placing of this message can be undone before the unit gets it.

    None where it was permitted by a fact about the unit, as a policy may permit it to leaders: a
    message that is PLACING is with no unit, so that could not be decided again.
    """
    at_once = message.urgent or not _UNIT_FACTS.isdisjoint(facts)
    return timedelta(0) if at_once else terms.placing_grace


def traces_of(message: Message, capacity: Capacity, given: RequestFacts) -> dict[str, object]:
    """The columns that say who moves the message, with what, and where from."""
    facts = {_STRONG: capacity.strong_auth, _REASON: given.reason_given}
    return {
        "moved_by": capacity.person,
        "moved_as": capacity.id,
        "moved_with": " ".join(name for name, holds in facts.items() if holds) or None,
        "from_state": message.state,
        "from_code": message.code,
        "from_unit": message.unit,
        "from_rule": message.rule,
        "from_transfers": message.transfers,
    }


def kept_traces(message: Message) -> dict[str, object]:
    """The same columns as they stand: the mover can still undo what becomes of the placing."""
    return {
        name: getattr(message, name)
        for name in Message.model_fields
        if name.startswith(("moved_", "from_"))
    }


def signed_in_strongly(message: Message) -> bool:
    """Whether the person who placed it had signed in at the high assurance level."""
    return _STRONG in (message.moved_with or "").split()


def gave_reason(message: Message) -> bool:
    """Whether the person who placed it gave a reason."""
    return _REASON in (message.moved_with or "").split()


def placed_values(message: Message, unit: str) -> dict[str, object]:
    """The columns of a message that a unit gets from a person, and not by a rule."""
    return {"unit": unit, "rule": None, "transfers": message.transfers + 1}


def way_back(tx: Transaction, message: Message) -> WayBack:
    """Where the message was before its last move.

    A unit that has closed since means its successor, or archive staff, as it does for a rule.
    """
    assert message.from_state is not None
    assert message.from_transfers is not None
    values: dict[str, object] = {
        "rule": message.from_rule,
        "transfers": message.from_transfers,
    }
    home = None
    if message.from_unit is not None:
        home = active_unit_or_successor(tx, message.from_unit)
        if home is None:
            values["unit"] = None
            return WayBack(became=MessageState.UNROUTED, code="unit.passive", values=values)
    # A unit that stays the same is not written: what people have of the message there goes on.
    unit = None if home is None else home.id
    if unit != message.unit:
        values["unit"] = unit
    return WayBack(became=message.from_state, code=message.from_code, values=values)
