"""Whom a change of policy affects, for a caller who may read about access.

Audited before it is read.
"""

from typing import Final

from sqlmodel import select

from inbox.access.policy.engine import Policy
from inbox.access.review.impact import Reach, reach
from inbox.cli.common.access_reader import Who, check_may_know
from inbox.cli.common.context import store_of
from inbox.config import Settings
from inbox.tables import Person

COUNTS: Final = ("action", "unit", "role", "gaining", "gains", "losing", "loses")
PEOPLE: Final = ("action", "person", "unit", "role", "gains", "loses")
Row = dict[str, object]


def reached(settings: Settings, who: Who, old: Policy, new: Policy) -> Reach:
    """Whom the change affects in the caller's organisation.

    Raises as `check_may_know`.
    """
    organisation = check_may_know(settings, who, "access:reach_read")
    with store_of(settings).snapshot() as (session, now):
        return reach(session, now, old, new, organisation=organisation)


def counts_of(found: Reach) -> list[Row]:
    """How many people and messages are affected, by action, unit and role."""
    return [{name: getattr(each, name) for name in COUNTS} for each in found.counted]


def people_of(found: Reach, names: dict[str, str]) -> list[Row]:
    """Each affected person with the number of messages, and the name where it is known."""
    return [
        {
            "action": each.action.value,
            "person": each.asker.person,
            "unit": each.asker.unit,
            "role": each.asker.role,
            "gains": each.gains,
            "loses": each.loses,
            "gained": each.gained,
            "lost": each.lost,
            "name": names.get(each.asker.person),
        }
        for each in found.reached
    ]


def names_of(settings: Settings, found: Reach) -> dict[str, str]:
    """The names of the affected people."""
    wanted = {each.asker.person for each in found.reached}
    with store_of(settings).reading() as (session, _):
        rows = session.exec(select(Person.id, Person.name)).all()
    return {person: name for person, name in rows if person in wanted}
