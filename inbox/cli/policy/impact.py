"""Whom a change of policy affects, for a caller who may read about access.

Audited before it is read.
"""

from typing import Final

from sqlmodel import select

from inbox.access.policy.engine import Policy
from inbox.access.review.impact import PolicyImpact, policy_impact
from inbox.cli.common.access_reader import Caller, check_may_read_access
from inbox.cli.common.context import store_of
from inbox.config import Settings
from inbox.tables import Person

COUNTS: Final = ("action", "unit", "role", "gaining", "gains", "losing", "loses")
PEOPLE: Final = ("action", "person", "unit", "role", "gains", "loses")
ImpactRow = dict[str, object]


def read_policy_impact(settings: Settings, who: Caller, old: Policy, new: Policy) -> PolicyImpact:
    """Whom the change affects in the caller's organisation.

    Raises as `check_may_read_access`.
    """
    organisation = check_may_read_access(settings, who, "access:reach_read")
    with store_of(settings).snapshot() as tx:
        return policy_impact(tx, tx.now, old, new, organisation=organisation)


def count_rows(found: PolicyImpact) -> list[ImpactRow]:
    """How many people and messages are affected, by action, unit and role."""
    return [{name: getattr(each, name) for name in COUNTS} for each in found.by_unit]


def person_rows(found: PolicyImpact, names: dict[str, str]) -> list[ImpactRow]:
    """Each affected person with the number of messages, and the name where it is known."""
    return [
        {
            "action": each.action.value,
            "person": each.holder.person,
            "unit": each.holder.unit,
            "role": each.holder.role,
            "gains": each.gains,
            "loses": each.loses,
            "gained": each.gained,
            "lost": each.lost,
            "name": names.get(each.holder.person),
        }
        for each in found.by_capacity
    ]


def names_of(settings: Settings, found: PolicyImpact) -> dict[str, str]:
    """The names of the affected people."""
    wanted = {each.holder.person for each in found.by_capacity}
    with store_of(settings).reading() as tx:
        rows = tx.exec(select(Person.id, Person.name)).all()
    return {person: name for person, name in rows if person in wanted}
