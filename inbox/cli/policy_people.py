"""Whom a change of policy touches, for somebody who may know: asked, audited, then read."""

from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from inbox import audit
from inbox.access import permit
from inbox.access.active import ActivePolicies
from inbox.access.policy import Policy
from inbox.access.reach import Reach, reach
from inbox.access.subject import Capacity, OfInstallation
from inbox.access.words import Action, Duty, Role
from inbox.cli.opening import snapshot_of, store_of
from inbox.config import Settings
from inbox.directory import act_as, proves
from inbox.errors import Conflict, NotFound, NotPermitted
from inbox.tables import Capacity as CapacityRow
from inbox.tables import Person

COUNTS: Final = ("action", "unit", "role", "gaining", "gains", "losing", "loses")
PEOPLE: Final = ("action", "person", "unit", "role", "gains", "loses")
Row = dict[str, object]


def reached(settings: Settings, by: str, code: str, old: Policy, new: Policy) -> Reach:
    """Whom the change touches in the organisation of who asks.

    That it was asked is in the audit before anything is read.

    Raises:
        Conflict: the person or the code is wrong.
        NotPermitted: no capacity of the person may `access_read`.
    """
    policies = ActivePolicies()
    with store_of(settings).transaction() as (session, now):
        reader = _reader(session, now, policies.current(session), by, code)
    with snapshot_of(settings).reading() as (session, now):
        return reach(session, now, old, new, organisation=reader.organisation)


def _reader(session: Session, now: datetime, policy: Policy, by: str, code: str) -> Capacity:
    """The capacity in which the person may know, after a note of it in the audit."""
    if not code or not proves(session, now, by, code):
        raise Conflict("code.wrong", "a person or a code is wrong")
    rows = session.exec(select(CapacityRow).where(col(CapacityRow.person) == by)).all()
    for row in rows:
        try:
            capacity = act_as(session, now, by, role=Role(row.role), unit=row.unit, code=code)
        except NotFound:
            continue
        decision = permit(
            session,
            policy,
            now,
            capacity=capacity,
            action=Action.ACCESS_READ,
            subject=OfInstallation(),
        ).fulfilled_by({Duty.LOG})
        if decision.allowed:
            entry = audit.Entry(
                event="access:reach_read",
                who=capacity.id,
                subject=capacity.organisation,
                rule=decision.rule,
                policy=decision.digest,
            )
            audit.record(session, entry)
            return capacity
    raise NotPermitted("not_permitted", "it takes a capacity that may access_read")


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
