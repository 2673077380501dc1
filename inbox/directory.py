"""Units, people and what they may stand for: taking in, enrolment, and who somebody is.

Nothing is deleted: what is no longer in the file stays until its period is ended on purpose.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, or_, select

from inbox import audit
from inbox.access.active import activate
from inbox.access.subject import Capacity
from inbox.access.words import Role
from inbox.directory_file import (
    Directory,
    ListedCapacity,
    ListedClearance,
    ListedReference,
    ListedUnit,
)
from inbox.errors import Conflict, Invalid, NotFound
from inbox.line import Line
from inbox.line.systems import enrol_system
from inbox.message import OrgNumber, PersonId, UnitId, new_id
from inbox.tables import Capacity as CapacityRow
from inbox.tables import CaseSystem, Clearance, Installation, KnownReference, Person, Unit

_SALT_BYTES: Final = 16
_FIRST_PEOPLE: Final = 2
_APPROVED_BY: Final = 32


def take_in(
    line: Line, session: Session, now: datetime, directory: Directory, *, approved_by: str
) -> dict[str, tuple[str, bytes]]:
    """Add what is new; what is there already stays. Gives the keys of new case systems.

    The keys, and the secrets that events are signed with, are given here and never again.
    """
    keys = {}
    for system in directory.case_systems:
        if session.get(CaseSystem, system.id) is None:
            keys[system.id] = enrol_system(
                session,
                now,
                line,
                system_id=system.id,
                organisation=OrgNumber(directory.organisation),
                name=system.name,
                mode=system.mode,
                webhook_url=system.webhook_url,
            )
    session.flush()
    for unit in directory.units:
        _take_unit(session, now, directory.organisation, unit)
    for person in directory.people:
        if session.get(Person, person.id) is None:
            session.add(Person(id=person.id, name=person.name, active_from=now))
    session.flush()
    for capacity in directory.capacities:
        _take_capacity(session, now, capacity)
    for clearance in directory.clearances:
        _take_clearance(session, now, clearance)
    for reference in directory.references:
        _take_reference(line, session, now, directory.organisation, reference)
    audit.record(
        session,
        audit.Entry(event="directory:imported", who=approved_by, subject=directory.organisation),
    )
    return keys


def _take_unit(session: Session, now: datetime, organisation: str, unit: ListedUnit) -> None:
    known = session.get(Unit, unit.id)
    if known is None:
        known = Unit(id=unit.id, organisation=organisation, name=unit.name, active_from=now)
    known.case_system = unit.case_system
    known.shares_unassigned = unit.shares_unassigned
    session.add(known)


def _take_capacity(session: Session, now: datetime, capacity: ListedCapacity) -> None:
    known = session.exec(
        select(CapacityRow.id).where(
            col(CapacityRow.person) == capacity.person,
            col(CapacityRow.unit) == capacity.unit,
            col(CapacityRow.role) == capacity.role.value,
            col(CapacityRow.active_until).is_(None),
        )
    ).first()
    if known is None:
        session.add(
            CapacityRow(
                id=new_id(),
                person=capacity.person,
                unit=capacity.unit,
                role=capacity.role.value,
                active_from=now,
            )
        )


def _take_clearance(session: Session, now: datetime, clearance: ListedClearance) -> None:
    known = session.exec(
        select(Clearance.id).where(
            col(Clearance.person) == clearance.person,
            col(Clearance.shielding) == clearance.shielding,
            col(Clearance.active_until).is_(None),
        )
    ).first()
    if known is None:
        session.add(
            Clearance(
                id=new_id(),
                person=clearance.person,
                shielding=clearance.shielding,
                active_from=now,
            )
        )


def _take_reference(
    line: Line, session: Session, now: datetime, organisation: str, reference: ListedReference
) -> None:
    hashed = line.keyring.lookup_hash("reference", reference.reference).hex()
    known = session.exec(
        select(KnownReference).where(
            col(KnownReference.organisation) == organisation,
            col(KnownReference.counterparty) == reference.counterparty,
            col(KnownReference.reference_hash) == hashed,
        )
    ).first()
    if known is None:
        session.add(
            KnownReference(
                id=new_id(),
                organisation=organisation,
                counterparty=reference.counterparty,
                reference_hash=hashed,
                unit=reference.unit,
                source="import",
                recorded_at=now,
            )
        )


def enrol_first_people(
    session: Session,
    now: datetime,
    *,
    organisation: OrgNumber,
    people: Mapping[str, str],
    desk: tuple[str, str],
    digest: str,
) -> dict[str, str]:
    """The beginning: two named people at the desk, who approve the policy; their personal codes.

    Both distribute mail; the first also edits policies, the second reviews them, so that a change
    of policy takes both. Never runs again: `Conflict` (`init.done`).
    """
    installation = session.get_one(Installation, 1)
    if installation.people_enrolled_at is not None:
        raise Conflict("init.done", "the first people have been enrolled already")
    if len(people) != _FIRST_PEOPLE:
        raise Invalid("init.people", "name exactly two different people")
    unit, unit_name = desk
    if session.get(Unit, unit) is None:
        session.add(Unit(id=unit, organisation=organisation, name=unit_name, active_from=now))
    session.add_all(
        Person(id=person, name=name, active_from=now) for person, name in people.items()
    )
    session.flush()
    editor, reviewer = people
    roles = [
        *((person, Role.ARCHIVIST) for person in people),
        (editor, Role.POLICY_EDITOR),
        (reviewer, Role.SECURITY_REVIEWER),
    ]
    for person, role in roles:
        _take_capacity(session, now, ListedCapacity(person=person, unit=unit, role=role))
    codes = {person: give_code(session, person) for person in people}
    approved_by = "+".join(people)
    activate(session, now, digest, approved_by[:_APPROVED_BY])
    installation.people_enrolled_at = now
    audit.record(
        session,
        audit.Entry(
            event="installation:people_enrolled",
            who=approved_by,
            subject=organisation,
            policy=digest,
        ),
    )
    return codes


def give_code(session: Session, person_id: str) -> str:
    """A new personal code, shown once; the old one ends. Stored as scrypt of it."""
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound
    code = "-".join(secrets.token_hex(2) for _ in range(5))
    salt = secrets.token_bytes(_SALT_BYTES)
    person.code_hash = salt + _hash(code, salt)
    audit.record(
        session, audit.Entry(event="person:code_given", who="directory", subject=person_id)
    )
    return code


def _hash(code: str, salt: bytes) -> bytes:
    return hashlib.scrypt(code.encode(), salt=salt, n=2**14, r=8, p=1)


def proves(session: Session, now: datetime, person_id: str, code: str) -> bool:
    """Whether this is the personal code of that person, who is active today."""
    person = session.get(Person, person_id)
    if person is None or person.code_hash is None or person.active_from > now:
        return False
    if person.active_until is not None and person.active_until <= now:
        return False
    salt, hashed = person.code_hash[:_SALT_BYTES], person.code_hash[_SALT_BYTES:]
    return hmac.compare_digest(_hash(code, salt), hashed)


def act_as(
    session: Session, now: datetime, person_id: str, *, role: Role, unit: str, code: str = ""
) -> Capacity:
    """One capacity of a person; a personal code proved in the same request is strong sign-in.

    Raises `NotFound` if the person has no such capacity today, or if the code is wrong.
    """
    row = session.exec(
        select(CapacityRow).where(
            col(CapacityRow.person) == person_id,
            col(CapacityRow.role) == role.value,
            col(CapacityRow.unit) == unit,
            col(CapacityRow.active_from) <= now,
            or_(col(CapacityRow.active_until).is_(None), col(CapacityRow.active_until) > now),
        )
    ).first()
    if row is None or (code and not proves(session, now, person_id, code)):
        raise NotFound
    return Capacity(
        id=row.id,
        role=role,
        organisation=OrgNumber(session.get_one(Unit, unit).organisation),
        person=PersonId(person_id),
        unit=UnitId(unit),
        strong_auth=bool(code),
    )


def two_agree(
    session: Session, now: datetime, first: tuple[str, str], second: tuple[str, str]
) -> str:
    """Two different people, each with the own code; raises `Conflict` otherwise."""
    if first[0] == second[0]:
        raise Conflict("two_persons", "it takes two different persons")
    for person, code in (first, second):
        if not proves(session, now, person, code):
            raise Conflict("code.wrong", "a person or a code is wrong")
    return f"{first[0]}+{second[0]}"
