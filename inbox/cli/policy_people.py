"""Whom a change of policy touches, for somebody who may know: asked, audited, then read."""

from typing import Final

from sqlmodel import select

from inbox.access.policy import Policy
from inbox.access.reach import Reach, reach
from inbox.access.subject import OfInstallation
from inbox.access.words import Action
from inbox.cli.knowing import Who, asking
from inbox.cli.opening import store_of
from inbox.config import Settings
from inbox.errors import NotFound, NotPermitted
from inbox.tables import Person

COUNTS: Final = ("action", "unit", "role", "gaining", "gains", "losing", "loses")
PEOPLE: Final = ("action", "person", "unit", "role", "gains", "loses")
Row = dict[str, object]


def reached(settings: Settings, who: Who, old: Policy, new: Policy) -> Reach:
    """Whom the change touches in the organisation of who asks.

    That it was asked is in the audit before anything is read. Raises as `asking`, and
    `NotPermitted` for a capacity that may not `access_read`.
    """
    with asking(settings, who) as it:
        organisation = it.capacity.organisation
        wanted = (Action.ACCESS_READ, OfInstallation())
        try:
            it.check_allowed("access:reach_read", wanted, about=organisation)
        except NotFound:
            raise NotPermitted(
                "not_permitted", "it takes a capacity that may access_read"
            ) from None
    with store_of(settings).snapshot() as (session, now):
        return reach(session, now, old, new, organisation=organisation)


def counts_of(found: Reach) -> list[Row]:
    """How many people and messages, by action, unit and role."""
    return [{name: getattr(each, name) for name in COUNTS} for each in found.counted]


def people_of(found: Reach, names: dict[str, str]) -> list[Row]:
    """Who, and how many messages; the name of those whose names there are."""
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
    """The names of the people that are touched."""
    wanted = {each.asker.person for each in found.reached}
    with store_of(settings).reading() as (session, _):
        rows = session.exec(select(Person.id, Person.name)).all()
    return {person: name for person, name in rows if person in wanted}
