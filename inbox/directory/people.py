"""Identity of people: enrolment of the first two, personal codes, sign-in with one capacity."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlmodel import Session

from inbox import audit
from inbox.access.facts.capacities import active_capacities_of
from inbox.access.files.active import activate_policy
from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.directory.refused_codes import (
    check_not_paused,
    forget_now,
    forget_refused,
    note_refused,
)
from inbox.domain import OrgNumber, new_id
from inbox.errors import Conflict, Invalid, NotFound
from inbox.tables import CapacityRow, Installation, Person, Unit
from inbox.tables.periods import is_active_on

_SALT_BYTES: Final = 16
_NUMBER_OF_FIRST_PEOPLE: Final = 2
_MAX_APPROVED_BY: Final = 32


def enrol_first_people(
    session: Session,
    now: datetime,
    *,
    organisation: OrgNumber,
    people: Mapping[str, str],
    desk: tuple[str, str],
    digest: str,
) -> dict[str, str]:
    """Enrol the first two people, and return their personal codes.

    Both are at the archive desk, and they approve the first policy.

    Both distribute mail; the first also edits policies, the second reviews them, so that a change
    of policy takes both. Never runs again: `Conflict` (`init.done`).
    """
    installation = session.get_one(Installation, 1)
    if installation.people_enrolled_at is not None:
        raise Conflict("init.done", "the first people have been enrolled already")
    if len(people) != _NUMBER_OF_FIRST_PEOPLE:
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
    session.add_all(
        CapacityRow(id=new_id(), person=person, unit=unit, role=role.value, active_from=now)
        for person, role in roles
    )
    codes = {person: issue_code(session, person) for person in people}
    approved_by = "+".join(people)
    activate_policy(session, now, digest, approved_by[:_MAX_APPROVED_BY])
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


def issue_code(session: Session, person_id: str) -> str:
    """Issue a new personal code, which is shown once and replaces the old one.

    Stored as scrypt of it.
    """
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound
    code, person.code_hash = new_code()
    forget_now(session, person_id)
    audit.record(
        session, audit.Entry(event="person:code_given", who="directory", subject=person_id)
    )
    return code


def new_code() -> tuple[str, bytes]:
    """A new code, and what is stored of it: a salt, and scrypt of the code under it."""
    code = "-".join(secrets.token_hex(2) for _ in range(5))
    salt = secrets.token_bytes(_SALT_BYTES)
    return code, salt + _hash(code, salt)


def is_code_of(stored: bytes, code: str) -> bool:
    """Whether this was stored of the code."""
    salt, hashed = stored[:_SALT_BYTES], stored[_SALT_BYTES:]
    return hmac.compare_digest(_hash(code, salt), hashed)


def _hash(code: str, salt: bytes) -> bytes:
    return hashlib.scrypt(code.encode(), salt=salt, n=2**14, r=8, p=1)


def is_code_valid(session: Session, now: datetime, person_id: str, code: str) -> bool:
    """Whether this is the personal code of that person, and the person is active now."""
    person = session.get(Person, person_id)
    if person is None or person.code_hash is None or not is_active_on(person, now):
        return False
    return is_code_of(person.code_hash, code)


def _prove(session: Session, now: datetime, person_id: str, code: str) -> bool:
    """Whether the code is the person's; a wrong one is audited, and slows the next ones down."""
    check_not_paused(session, now, person_id)
    if not is_code_valid(session, now, person_id, code):
        note_refused(session, person_id)
        return False
    forget_refused(session, person_id)
    return True


def sign_in_as(
    session: Session, now: datetime, person_id: str, *, role: Role, unit: str, code: str = ""
) -> Capacity:
    """Sign in with one capacity of a person.

    With a valid personal code, the sign-in counts as strong.

    Raises `NotFound` if the person has no such capacity today, or if the code is wrong, and
    `Unavailable` while no code of the person is looked at.
    """
    if code and not _prove(session, now, person_id, code):
        raise NotFound
    stands = active_capacities_of(session, now, person_id)
    found = next((each for each in stands if each.role is role and each.unit == unit), None)
    if found is None:
        raise NotFound
    return replace(found, strong_auth=bool(code))


def verified_capacities(
    session: Session, now: datetime, person_id: str, code: str
) -> tuple[Capacity, ...]:
    """All active capacities of a person who proves their identity.

    The proof is a personal code, and each capacity has strong sign-in.

    Raises `Conflict` if the person or the code is wrong, and `Unavailable` while no code of the
    person is looked at.
    """
    if not _prove(session, now, person_id, code):
        raise Conflict("code.wrong", "a person or a code is wrong")
    return active_capacities_of(session, now, person_id)
