"""Explaining: one decision in full, who can do something to a message, and what somebody can do.

It is made of what decides and lists, nothing else: an explanation of its own would be a second
policy. Whether the asker may have it is the caller's to find out first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inbox.access import permit
from inbox.access.finding import facts_about
from inbox.access.listing import count, visible
from inbox.access.policy import Policy
from inbox.access.recheck import Recheck
from inbox.access.subject import Capacity, Given, OfInstallation, Subject
from inbox.access.words import Action, Decision, Role, Told
from inbox.message import MessageId, OrgNumber, PersonId, UnitId
from inbox.tables import Capacity as CapacityRow
from inbox.tables import Person, Unit, table_of

EVERYTHING_GIVEN: Final = Given(
    reason_given=True,
    reference_given=True,
    period_given=True,
    waivable=True,
    same_documents=True,
)
"""All that a request can bring, but nobody that something is given to."""
_NOT_SHOWN: Final = Recheck(0)
"""For a number about somebody else: no list is shown, so none is decided again."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A decision, every fact that its rules use, and each rule by itself."""

    decision: Decision
    facts: Mapping[str, bool]
    rules: tuple[Told, ...]


def explain(  # noqa: PLR0913 - a question has these parts
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    action: Action,
    subject: Subject,
    given: Given = EVERYTHING_GIVEN,
) -> Explanation:
    """The decision that `permit` gives, with all that it came from; no fact holds of nothing."""
    decision = permit(
        session, policy, now, capacity=capacity, action=action, subject=subject, given=given
    )
    asked = policy.asks(action, capacity.role)
    found = facts_about(session, now, capacity, subject, given, asked)
    facts = dict.fromkeys(asked, False) if found is None else found
    return Explanation(
        decision=decision, facts=facts, rules=policy.tell(capacity.role, facts, action)
    )


def capacities_of(session: Session, on: datetime, person: PersonId) -> tuple[Capacity, ...]:
    """What the person can act as at that time, each as after a strong sign-in."""
    row, unit, who = table_of(CapacityRow), table_of(Unit), table_of(Person)
    lasting = [
        (table.c.active_from <= on) & (table.c.active_until.is_(None) | (table.c.active_until > on))
        for table in (row, unit, who)
    ]
    found = session.execute(
        sa.select(row.c.id, row.c.role, row.c.unit, unit.c.organisation)
        .join(unit, unit.c.id == row.c.unit)
        .join(who, who.c.id == row.c.person)
        .where(row.c.person == person, *lasting)
        .order_by(row.c.role, row.c.unit, row.c.id)
    )
    return tuple(
        Capacity(
            id=capacity_id,
            role=Role(role),
            organisation=OrgNumber(organisation),
            person=person,
            unit=UnitId(unit_id),
            strong_auth=True,
        )
        for capacity_id, role, unit_id, organisation in found
    )


@dataclass(frozen=True, kw_only=True)
class Reach:
    """One capacity and one action: on how many messages, and on which of those that are shown."""

    capacity: Capacity
    action: Action
    messages: int
    shown: tuple[MessageId, ...]
    installation: bool
    """It may do this to what belongs to no message."""


def what_can(
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    person: PersonId,
    asker: Capacity,
    on: datetime | None = None,
) -> tuple[Reach, ...]:
    """What a person may do, capacity by capacity; ids only of what the asker may list today.

    `on` is the time of everything with a period; messages are in the state that they are in now.
    """
    seen = frozenset(session.execute(visible(policy, asker, now, Action.LIST)).scalars())
    at = on or now
    reaches = (
        _reach(session, policy, at, capacity, action, seen)
        for capacity in capacities_of(session, at, person)
        for action in Action
    )
    return tuple(reach for reach in reaches if reach.messages or reach.installation)


def _reach(
    session: Session,
    policy: Policy,
    at: datetime,
    capacity: Capacity,
    action: Action,
    seen: frozenset[str],
) -> Reach:
    number = count(
        session,
        policy,
        at,
        capacity=capacity,
        action=action,
        recheck=_NOT_SHOWN,
        given=EVERYTHING_GIVEN,
    )
    shown: frozenset[str] = frozenset()
    if seen and number:
        ids = visible(policy, capacity, at, action, EVERYTHING_GIVEN)
        shown = seen.intersection(session.execute(ids).scalars())
    decision = permit(
        session,
        policy,
        at,
        capacity=capacity,
        action=action,
        subject=OfInstallation(),
        given=EVERYTHING_GIVEN,
    )
    return Reach(
        capacity=capacity,
        action=action,
        messages=number,
        shown=tuple(MessageId(message_id) for message_id in sorted(shown)),
        installation=decision.allowed,
    )
