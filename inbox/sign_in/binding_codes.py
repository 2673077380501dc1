"""Codes that bind an identity to a person: two people issue one, the person types it once.

Nobody types a national id or finds a GUID: the person signs in at the provider, and the code says
whose identity it is that has just been shown.
"""

import secrets
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import col, select

from inbox import audit
from inbox.access.policy.vocabulary import Action
from inbox.access.question import OfInstallation, OfProposal
from inbox.directory.apply import lock_directory
from inbox.directory.identity_rows import bind_identity
from inbox.directory.proposal import Credentials, authorize_person
from inbox.domain import new_id
from inbox.errors import NotFound
from inbox.keys import Keyring
from inbox.line import Line
from inbox.line.proposals.sealed_proposal import close_approved, open_sealed_proposal, proposal_of
from inbox.sign_in.refusal import SignInRefused
from inbox.store import Transaction
from inbox.tables import BindingCode, Identity, Person, table_of
from inbox.tables.periods import is_active_on

LIFE: Final = timedelta(days=7)
PROPOSAL_KIND: Final = "binding_code"
_GROUPS: Final = 5
_CODES: Final = table_of(BindingCode)


def issue_binding_code(line: Line, by: Credentials, approver: Credentials, person: str) -> str:
    """Issue a code to a person; one that was issued before and is not used ends.

    It takes the same two decisions as a change of the directory that widens access: the person who
    types the code counts as that one. It is shown once, and stored as a keyed hash. Raises
    `NotFound` and `NotPermitted`.
    """
    with line.store.transaction() as tx:
        authorized = authorize_person(line, tx, by, Action.DIRECTORY_EDIT, OfInstallation())
        proposal_id = new_id()
        open_sealed_proposal(
            line,
            authorized,
            kind=PROPOSAL_KIND,
            subject_id=str(authorized.capacity.organisation),
            payload={"person": person},
            proposal_id=proposal_id,
        )
        tx.flush()
        subject = OfProposal(proposal_id=proposal_id)
        authorized = authorize_person(line, tx, approver, Action.DIRECTORY_APPROVE, subject)
        close_approved(authorized, proposal_of(tx, proposal_id, PROPOSAL_KIND))
        lock_directory(tx)
        return _add_code(tx, line.keyring, person, by=by.person, approver=approver.person)


def _add_code(tx: Transaction, keyring: Keyring, person: str, *, by: str, approver: str) -> str:
    row = tx.get(Person, person)
    if row is None or not is_active_on(row, tx.now):
        raise NotFound
    _end_codes_of(tx, person)
    code, code_id = new_binding_code(), new_id()
    tx.add(
        BindingCode(
            id=code_id,
            person=person,
            code_hash=_code_hash(keyring, code),
            issued_by=by,
            approved_by=approver,
            issued_at=tx.now,
            expires_at=tx.now + LIFE,
        )
    )
    entry = audit.Entry(
        event="binding_code:issued", who=by, subject=code_id, by=approver, became=person
    )
    audit.record(tx, entry)
    return code


def _end_codes_of(tx: Transaction, person: str) -> None:
    tx.execute(
        sa.update(_CODES)
        .where(_CODES.c.person == person, _CODES.c.ended_at.is_(None))
        .values(ended_at=tx.now)
    )


def bind_by_code(
    tx: Transaction, keyring: Keyring, code: str, *, issuer: str, subject_hash: str
) -> Identity:
    """Bind the identity to the person that the code was issued to; the code ends.

    Raises `SignInRefused` for a code that is wrong, used or expired, and `Conflict`
    (`identity.taken`) for an identity that is another person's.
    """
    lock_directory(tx)
    row = tx.exec(
        select(BindingCode).where(
            col(BindingCode.code_hash) == _code_hash(keyring, code),
            col(BindingCode.ended_at).is_(None),
            col(BindingCode.expires_at) > tx.now,
        )
    ).first()
    person = None if row is None else tx.get(Person, row.person)
    if row is None or person is None or not is_active_on(person, tx.now):
        raise SignInRefused("binding_code.wrong")
    identity = bind_identity(
        tx, row.person, issuer=issuer, subject_hash=subject_hash, bound_by=f"code:{row.id}"
    )
    row.ended_at, row.identity = tx.now, identity.id
    return identity


def new_binding_code() -> str:
    """80 random bits, in groups that can be copied by hand."""
    return "-".join(secrets.token_hex(2) for _ in range(_GROUPS))


def _code_hash(keyring: Keyring, code: str) -> str:
    """Of the code as it is meant: however it was grouped, and in capital letters or not."""
    meant = "".join(code.split()).replace("-", "").lower()
    return keyring.lookup_hash("binding_code", meant).hex()
