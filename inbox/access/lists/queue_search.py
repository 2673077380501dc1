"""The filters of a queue: states, holds, receipts, deadlines, and what a person narrows it by.

Whether a message is late is a function of when it was received, of its state and of its unit's
terms. The caller turns that round, into the last instant of reception that is late by now, for the
default and for each unit with terms of its own: so the database compares, and counts nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlmodel import col

from inbox.access.facts.message import is_in_state, receipt_failed
from inbox.access.facts.parameters import NOW, SqlCondition, TextParameter, text_parameter
from inbox.access.facts.registry import FACTS
from inbox.access.question import OfMessage
from inbox.domain import MessageState, OrgNumber, UnitId
from inbox.tables import Assignment, EnumValue, Message, Unit, UtcDateTime
from inbox.tables.periods import active_on

_M = MessageState
DONE_STATES: Final = (_M.REGISTERED, _M.REFUSED, _M.ANSWERED, _M.ERASED)
"""What is decided has no deadline any more."""
ON_ITS_WAY_STATES: Final = (_M.RELEASED, _M.OFFERED, _M.RETURNED)
"""Somebody has decided to give it to a case system: opening it is behind it."""
MAX_UNITS_WITH_TERMS: Final = 512


class Whose(StrEnum):
    """Whose work a message is, as the facts of the policy have it."""

    OWN = "assigned"
    """Assigned to the person who asks."""
    NOBODY = "unassigned"
    COVERED = "covers"
    """Assigned to a colleague for whom the person stands in (*vikar*)."""
    GRANTED = "has_grant"
    """A leader has given the person access (*innsyn*)."""
    EMERGENCY = "has_breakglass"
    """The person has taken emergency access (*nødtilgang*)."""
    MINE = "mine"
    """Any of these but nobody's."""


@dataclass(frozen=True, kw_only=True)
class LateUntil:
    """The last instants of reception that are late by now: to be opened, and to be registered."""

    unopened: datetime
    unregistered: datetime
    urgent_unopened: datetime
    urgent_unregistered: datetime


@dataclass(frozen=True, kw_only=True)
class Lateness:
    """When mail is late: of every unit, and of those that have terms of their own."""

    default: LateUntil
    of_unit: Mapping[UnitId, LateUntil] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class QueueSearch:
    """What is in a queue, and what it is narrowed by; a criterion that is None is not applied."""

    lateness: Lateness
    states: tuple[MessageState, ...] = ()
    """In any of these; empty: in whatever state."""
    held: bool | None = None
    """On hold now, or not."""
    receipt_failed: bool | None = None
    """True: its receipt did not reach the sender, and nobody has accepted that."""
    late: bool | None = None
    """True: past its deadline."""
    sender: OrgNumber | None = None
    senders: tuple[OrgNumber, ...] | None = None
    """Any of these: a group."""
    channel: str | None = None
    unit: UnitId | None = None
    whose: Whose | None = None


def _parameter(name: str) -> TextParameter:
    return text_parameter(f"queue_{name}")


_CUTOFFS: Final = ("unopened", "unregistered", "urgent_unopened", "urgent_unregistered")
_IS_HELD: Final[SqlCondition] = col(Message.held_until) > NOW
_WHOSE: Final[dict[str, SqlCondition]] = {
    each.value: FACTS[each.value].sql_by_subject[OfMessage]
    for each in Whose
    if each is not Whose.MINE
}
_WHOSE[Whose.MINE] = sa.or_(*(form for name, form in _WHOSE.items() if name != Whose.NOBODY))
_FILTERS: Final[Mapping[str, SqlCondition]] = {
    **_WHOSE,
    "held": _IS_HELD,
    "not_held": sa.or_(col(Message.held_until).is_(None), col(Message.held_until) <= NOW),
    "receipt_failed": receipt_failed(),
    "sender": col(Message.sender) == _parameter("sender"),
    # Numbers have nine digits each: one of them is in the text of all where it is one of them.
    "senders": _parameter("senders").like("%" + col(Message.sender) + "%"),
    "channel": col(Message.channel) == _parameter("channel"),
    "unit": col(Message.unit) == _parameter("unit"),
}
_STATE_FILTERS: Final[Mapping[str, SqlCondition]] = {
    f"state_{number}": col(Message.state)
    == bindparam(f"queue_state_{number}", type_=EnumValue(MessageState))
    for number in range(len(MessageState))
}


def _slots(lateness: Lateness) -> int:
    """For how many units the statement has room: a power of two, so that few texts are needed."""
    return 1 << (len(lateness.of_unit) - 1).bit_length() if lateness.of_unit else 0


def queue_parameter_values(query: QueueSearch) -> dict[str, object]:
    """The bind values of a queue's filters; their names shape the text of its statement.

    Raises `ValueError` for more units with terms than a statement has room for.
    """
    lateness = query.lateness
    slots = _slots(lateness)
    if slots > MAX_UNITS_WITH_TERMS:
        raise ValueError("too many units with terms of their own")
    values: dict[str, object] = {
        f"state_{number}": state for number, state in enumerate(sorted(set(query.states)))
    }
    if query.held is not None:
        values["held" if query.held else "not_held"] = True
    for name in ("receipt_failed", "late"):
        if getattr(query, name):
            values[name] = True
    for name in ("sender", "channel", "unit"):
        if getattr(query, name) is not None:
            values[name] = getattr(query, name)
    if query.whose is not None:
        values[query.whose.value] = True
    if query.senders is not None:
        values["senders"] = " ".join(query.senders)
    units: list[tuple[str, LateUntil]] = [*lateness.of_unit.items()]
    units += [("", lateness.default)] * (slots - len(units))  # the id of no unit
    for number, (unit, until) in enumerate(units):
        values[f"late_unit_{number}"] = unit
        values |= {f"late_{number}_{name}": getattr(until, name) for name in _CUTOFFS}
    values |= {f"late_{name}": getattr(lateness.default, name) for name in _CUTOFFS}
    return {f"queue_{name}": value for name, value in values.items()}


QueueFields = frozenset[str]
"""What a queue is searched by, without the values: so much is in the text of a statement."""


def state_filters(fields: QueueFields) -> list[SqlCondition]:
    """One filter for each state that is sought: an index gives the rows of one state in order."""
    return [form for name, form in _STATE_FILTERS.items() if f"queue_{name}" in fields]


def other_filters(fields: QueueFields) -> list[SqlCondition]:
    """The filters beside that of the state."""
    found = [form for name, form in _FILTERS.items() if f"queue_{name}" in fields]
    return [*found, is_late(fields)] if "queue_late" in fields else found


_OF_FEW: Final = frozenset(f"queue_{name}" for name in ("held", *Whose) if name != Whose.NOBODY)


def finds_few(fields: QueueFields) -> bool:
    """Whether the filters find so little that it is sorted afterwards, by an index of their own."""
    return not fields.isdisjoint(_OF_FEW)


def is_late(fields: QueueFields) -> SqlCondition:
    """The message has reached its deadline; never NULL."""
    slots = sum(name.startswith("queue_late_unit_") for name in fields)
    return _late_condition(slots)


@lru_cache(maxsize=12)
def _late_condition(slots: int) -> SqlCondition:
    own = {
        bindparam(f"queue_late_unit_{number}", type_=sa.String()): _cutoff(f"late_{number}")
        for number in range(slots)
    }
    unit = sa.func.coalesce(col(Message.unit), "")
    cutoff = _cutoff("late")
    if own:
        cutoff = sa.case(*((unit == each, then) for each, then in own.items()), else_=cutoff)
    return sa.and_(~is_in_state(*DONE_STATES), col(Message.received_at) <= cutoff)


def _cutoff(prefix: str) -> sa.ColumnElement[datetime]:
    def at(name: str) -> sa.BindParameter[datetime]:
        return bindparam(f"queue_{prefix}_{name}", type_=UtcDateTime())

    is_unopened = sa.and_(~is_in_state(*ON_ITS_WAY_STATES), col(Message.worked_at).is_(None))
    return sa.case(
        (sa.and_(col(Message.urgent).is_(True), is_unopened), at("urgent_unopened")),
        (col(Message.urgent).is_(True), at("urgent_unregistered")),
        (is_unopened, at("unopened")),
        else_=at("unregistered"),
    )


def group_expressions(fields: QueueFields, names: Sequence[str]) -> list[sa.ColumnElement[object]]:
    """What a count is made by: columns of the message, and facts about it as 0 or 1."""
    facts: Mapping[str, SqlCondition] = {
        **_WHOSE,
        "held": sa.func.coalesce(_IS_HELD, sa.false()),
        # Asked only where there can be one.
        "receipt_failed": sa.and_(is_in_state(_M.REGISTERED, _M.REFUSED), receipt_failed()),
        "late": is_late(fields),
    }
    # Looked up for each message: they are no columns of it.
    assigned = (
        sa.select(col(Assignment.person))
        .where(col(Assignment.message_id) == col(Message.id), active_on(Assignment, NOW))
        .limit(1)
    )
    looked_up: Mapping[str, sa.ColumnElement[Any]] = {
        "unit_name": sa.select(col(Unit.name))
        .where(col(Unit.id) == col(Message.unit))
        .scalar_subquery(),
        "assigned_to": assigned.scalar_subquery(),
    }
    return [
        sa.case((facts[name], 1), else_=0).label(name)
        if name in facts
        else looked_up.get(name, getattr(Message, name, sa.null())).label(name)
        for name in names
    ]
