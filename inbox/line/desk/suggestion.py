"""The suggestion: where the last messages from a sender went, if that is worth following.

Only from messages that a case system has registered and nobody handed back, from ten on, and never
against a routing rule of the last 90 days. It is shown, and applied by nobody but the person.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

from inbox.access.facts.lookup import PARAMETER_NAMES, parameter_values, request_fact_values
from inbox.access.facts.parameters import NOW, ORGANISATION, text_parameter
from inbox.access.facts.prepared_select import PreparedSelect
from inbox.access.lists.filters import permit_filter
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity, RequestFacts
from inbox.domain import OrgNumber, UnitId
from inbox.line.desk.recent_rules import RecentRules
from inbox.store import Transaction
from inbox.tables import AuditEntry, Message, Unit, table_of
from inbox.tables.periods import active_on

LOOKED_AT: Final = 20
"""The newest messages from a sender that a suggestion is made from."""
_FEWEST: Final = 10
_SHOWN: Final = 3
_MESSAGE: Final = table_of(Message)
_UNIT: Final = table_of(Unit)
_HANDED_BACK: Final = b'"by":"hand_back"'
"""In the entry of a move by which a unit gave a message back."""
_NOTHING_GIVEN: Final = RequestFacts()


@dataclass(frozen=True, kw_only=True)
class SuggestedUnit:
    """One unit, and how many of the messages went there."""

    unit: UnitId
    unit_name: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """*Siste 20 fra denne avsenderen: 18 til X*."""

    sender: OrgNumber
    of: int
    """How many messages it is made from: ten to twenty."""
    units: tuple[SuggestedUnit, ...]
    """At most three, the likeliest first; only units that are active. Never empty."""


@dataclass(frozen=True, kw_only=True)
class PastPlacement:
    """Where a message of the sender's was when a case system registered it."""

    unit: UnitId
    unit_name: str
    is_active: bool


def past_placements(
    tx: Transaction, policy: Policy, capacity: Capacity, senders: Collection[OrgNumber | None]
) -> Mapping[OrgNumber, Sequence[PastPlacement]]:
    """For each of these senders, where its last messages were registered, the newest first.

    Of those messages alone that the capacity may distribute. One statement, whatever the senders.
    """
    asked = sorted({sender for sender in senders if sender is not None})
    slots = 1 << (len(asked) - 1).bit_length() if asked else 1
    given = request_fact_values(capacity, _NOTHING_GIVEN)
    statement = _statement(
        policy, capacity.role, frozenset(given.items()), tx.get_bind().dialect, slots
    )
    padded = [*asked, *[None] * (slots - len(asked))]
    bound = parameter_values(tx.now, capacity, _NOTHING_GIVEN)
    bound |= {f"sender_{number}": sender for number, sender in enumerate(padded)}
    found: defaultdict[OrgNumber, list[PastPlacement]] = defaultdict(list)
    for sender, unit, unit_name, is_active in statement.fetch(tx, bound):
        place = PastPlacement(unit=unit, unit_name=unit_name, is_active=bool(is_active))
        found[sender].append(place)
    return found


def suggestion_for(
    sender: OrgNumber | None, placements: Sequence[PastPlacement], rules: RecentRules
) -> Suggestion | None:
    """The suggestion that these placements make; None if there is none to follow."""
    if sender is None or len(placements) < _FEWEST:
        return None
    counted = Counter(placements)
    wanted = rules.units_for(sender)
    units = [
        SuggestedUnit(unit=place.unit, unit_name=place.unit_name, count=count)
        for place, count in counted.most_common()
        if place.is_active and (not wanted or place.unit in wanted)
    ]
    # Where the likeliest unit is one that a new rule is against, the history is of another time.
    if not units or units[0].count < max(counted.values()):
        return None
    return Suggestion(sender=sender, of=len(placements), units=tuple(units[:_SHOWN]))


@lru_cache(maxsize=100)
def _statement(
    policy: Policy,
    role: Role,
    requested: frozenset[tuple[str, bool]],
    dialect: Dialect,
    slots: int,
) -> PreparedSelect:
    # As a CASE it is asked row by row, of the few that are read.
    may = sa.case((permit_filter(policy, Action.ROUTE, role, dict(requested)), 1), else_=0) == 1
    handed_back = sa.exists(
        sa.select(sa.literal(1))
        .select_from(AuditEntry)
        .where(col(AuditEntry.message_id) == _MESSAGE.c.id, _Contains(col(AuditEntry.leaf)))
        .correlate_except(AuditEntry)
    )
    newest = [
        sa.select(
            sa.select(_MESSAGE.c.sender, _MESSAGE.c.unit, _MESSAGE.c.registered_at)
            .where(
                _MESSAGE.c.organisation == ORGANISATION,
                _MESSAGE.c.sender == text_parameter(f"sender_{number}"),
                _MESSAGE.c.registered_at.is_not(None),
                _MESSAGE.c.registered_by == "word",
                _MESSAGE.c.unit.is_not(None),
                # Only what a person has placed can have been handed back.
                sa.or_(_MESSAGE.c.transfers == 0, ~handed_back),
                may,
            )
            .order_by(_MESSAGE.c.registered_at.desc(), _MESSAGE.c.id.desc())
            .limit(LOOKED_AT)
            .subquery()
        )
        for number in range(slots)
    ]
    found = sa.union_all(*newest).subquery()
    statement = (
        sa.select(
            found.c.sender,
            found.c.unit,
            _UNIT.c.name,
            sa.case((active_on(Unit, NOW), 1), else_=0),
        )
        .join_from(found, _UNIT, _UNIT.c.id == found.c.unit)
        .order_by(found.c.sender, found.c.registered_at.desc())
    )
    names = PARAMETER_NAMES | {f"sender_{number}" for number in range(slots)}
    return PreparedSelect(statement, dialect, names)


class _Contains(FunctionElement[bool]):
    """Whether the bytes of an entry say that it was a handing back."""

    inherit_cache = True
    type = sa.Boolean()


@compiles(_Contains)
def _compile_position(element: _Contains, compiler: SQLCompiler, **more: Any) -> str:
    (leaf,) = element.clauses
    said = sa.literal(_HANDED_BACK, LargeBinary)
    return f"position({compiler.process(said, **more)} IN {compiler.process(leaf, **more)}) > 0"


@compiles(_Contains, "sqlite")
def _compile_instr(element: _Contains, compiler: SQLCompiler, **more: Any) -> str:
    (leaf,) = element.clauses
    said = sa.literal(_HANDED_BACK, LargeBinary)
    return f"instr({compiler.process(leaf, **more)}, {compiler.process(said, **more)}) > 0"
