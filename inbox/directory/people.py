"""Identity of people: enrolment of the first two, personal codes, sign-in with one capacity."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import replace
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
from inbox.store import Transaction
from inbox.tables import CapacityRow, Installation, Person, Unit
from inbox.tables.periods import is_active_on

_SALT_BYTES: Final = 16
_NUMBER_OF_FIRST_PEOPLE: Final = 2
_MAX_APPROVED_BY: Final = 32


def enrol_first_people(
    tx: Transaction,
    *,
    organisation: OrgNumber,
    people: Mapping[str, str],
    desk: tuple[str, str],
    digest: str,
    codes: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Enrol the first two people, and return their personal codes.

    The codes are new ones, or those that the people have been shown already.

    Both are at the archive desk, and they approve the first policy.

    Both distribute mail; the first also edits policies, the second reviews them, so that a change
    of policy takes both. Never runs again: `Conflict` (`init.done`).
    """
    installation = check_nobody_is_enrolled(tx)
    if len(people) != _NUMBER_OF_FIRST_PEOPLE:
        raise Invalid("init.people", "name exactly two different people")
    unit, unit_name = desk
    if tx.get(Unit, unit) is None:
        tx.add(Unit(id=unit, organisation=organisation, name=unit_name, active_from=tx.now))
    tx.add_all(Person(id=person, name=name, active_from=tx.now) for person, name in people.items())
    tx.flush()
    editor, reviewer = people
    roles = [
        *((person, Role.ARCHIVIST) for person in people),
        (editor, Role.POLICY_EDITOR),
        (reviewer, Role.SECURITY_REVIEWER),
    ]
    tx.add_all(
        CapacityRow(id=new_id(), person=person, unit=unit, role=role.value, active_from=tx.now)
        for person, role in roles
    )
    codes = codes or {person: new_code() for person in people}
    for person in people:
        issue_code(tx, person, code=codes[person])
    approved_by = "+".join(people)
    activate_policy(tx, digest, approved_by[:_MAX_APPROVED_BY])
    installation.people_enrolled_at = tx.now
    audit.record(
        tx,
        audit.Entry(
            event="installation:people_enrolled",
            who=approved_by,
            subject=organisation,
            policy=digest,
        ),
    )
    return dict(codes)


def check_nobody_is_enrolled(session: Session) -> Installation:
    """The installation, which must have no first people yet. Raises `Conflict` (`init.done`)."""
    installation = session.get_one(Installation, 1)
    if installation.people_enrolled_at is not None:
        raise Conflict("init.done", "the first people have been enrolled already")
    return installation


def new_code() -> str:
    """A new personal code: 80 random bits, in groups that can be copied by hand."""
    return "-".join(secrets.token_hex(2) for _ in range(5))


def replace_code(tx: Transaction, person_id: str, old: str, *, code: str | None = None) -> str:
    """Replace the personal code of somebody who has it; the old one ends, and the audit says so.

    Raises `Conflict` if the person or the old code is wrong, and `Unavailable` while no code of the
    person is looked at.
    """
    check_code(tx, person_id, old)
    return issue_code(tx, person_id, code=code, event="person:code_replaced", by=person_id)


def check_code(tx: Transaction, person_id: str, code: str) -> None:
    """Raise `Conflict` unless this is the personal code of that person."""
    if not _prove(tx, person_id, code):
        raise Conflict("code.wrong", "a person or a code is wrong")


def issue_code(
    tx: Transaction,
    person_id: str,
    *,
    code: str | None = None,
    event: str = "person:code_given",
    by: str = "directory",
) -> str:
    """Give a person a personal code, a new one or the given one; it replaces the old one.

    It is shown once, and stored as scrypt of it.
    """
    person = tx.get(Person, person_id)
    if person is None:
        raise NotFound
    code = code or new_code()
    person.code_hash = stored_form(code)
    forget_now(tx, person_id)
    audit.record(tx, audit.Entry(event=event, who=by, subject=person_id))
    return code


def stored_form(code: str) -> bytes:
    """What is stored of a code: a salt, and scrypt of the code under it."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return salt + _hash(code, salt)


def is_code_of(stored: bytes, code: str) -> bool:
    """Whether this was stored of the code."""
    salt, hashed = stored[:_SALT_BYTES], stored[_SALT_BYTES:]
    return hmac.compare_digest(_hash(code, salt), hashed)


def _hash(code: str, salt: bytes) -> bytes:
    return hashlib.scrypt(code.encode(), salt=salt, n=2**14, r=8, p=1)


def is_code_valid(tx: Transaction, person_id: str, code: str) -> bool:
    """Whether this is the personal code of that person, and the person is active now."""
    person = tx.get(Person, person_id)
    if person is None or person.code_hash is None or not is_active_on(person, tx.now):
        return False
    return is_code_of(person.code_hash, code)


def _prove(tx: Transaction, person_id: str, code: str) -> bool:
    """Whether the code is the person's; a wrong one is audited, and slows the next ones down."""
    check_not_paused(tx, person_id)
    if not is_code_valid(tx, person_id, code):
        note_refused(tx, person_id)
        return False
    forget_refused(tx, person_id)
    return True


def sign_in_as(
    tx: Transaction, person_id: str, *, role: Role, unit: str, code: str = ""
) -> Capacity:
    """Sign in with one capacity of a person.

    With a valid personal code, the sign-in counts as strong.

    Raises `NotFound` if the person has no such capacity today, or if the code is wrong, and
    `Unavailable` while no code of the person is looked at.
    """
    if code and not _prove(tx, person_id, code):
        raise NotFound
    stands = active_capacities_of(tx, tx.now, person_id)
    found = next((each for each in stands if each.role is role and each.unit == unit), None)
    if found is None:
        raise NotFound
    return replace(found, strong_auth=bool(code))


def verified_capacities(tx: Transaction, person_id: str, code: str) -> tuple[Capacity, ...]:
    """All active capacities of a person who proves their identity.

    The proof is a personal code, and each capacity has strong sign-in.

    Raises `Conflict` if the person or the code is wrong, and `Unavailable` while no code of the
    person is looked at.
    """
    check_code(tx, person_id, code)
    return active_capacities_of(tx, tx.now, person_id)
