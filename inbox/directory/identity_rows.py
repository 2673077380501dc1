"""Identities of people at providers: how one is named, found, bound, and never two people's.

A subject is written with the claim that it is from: `pid:…`, `oid:<tid>/<oid>` or `sub:…`. Only a
keyed hash of it is stored. A national id gives the same hash at every issuer, so that somebody who
stands in the directory twice is found.
"""

import json
from typing import Final

from sqlmodel import Session, col, or_, select

from inbox import audit
from inbox.domain import new_id
from inbox.errors import Conflict
from inbox.keys import Keyring
from inbox.line.settle import open_task
from inbox.line.task_kinds import TaskKind
from inbox.line.upkeep.session_ends import end_sessions_of
from inbox.store import Transaction
from inbox.tables import Identity
from inbox.tables.periods import active_on

_KIND: Final = "identity"


def identity_hash(keyring: Keyring, issuer: str, subject: str) -> str:
    """The keyed hash of a subject, 64 hexadecimal digits."""
    claim, _, value = subject.partition(":")
    named = [issuer, value] if claim == "sub" else [value.lower()]
    return keyring.lookup_hash(f"{_KIND}.{claim}", json.dumps(named)).hex()


def find_identity(tx: Transaction, issuer: str, subject_hash: str) -> Identity | None:
    """The identity that counts now, if anybody has it."""
    return tx.exec(
        select(Identity).where(
            col(Identity.issuer) == issuer,
            col(Identity.subject_hash) == subject_hash,
            active_on(Identity, tx.now),
        )
    ).first()


def is_another_persons(session: Session, person: str, subject_hash: str, now: object) -> bool:
    """Whether somebody else has it, now or later, at this issuer or at another."""
    until = col(Identity.active_until)
    others = select(Identity.id).where(
        col(Identity.subject_hash) == subject_hash,
        col(Identity.person) != person,
        or_(until.is_(None), until > now),
    )
    return session.exec(others).first() is not None


def bind_identity(
    tx: Transaction, person: str, *, issuer: str, subject_hash: str, bound_by: str
) -> Identity:
    """Make it this person's from now on, and tell people of it.

    The caller holds the lock of the directory, and two people have decided. Raises `Conflict`
    (`identity.taken`) if it is, or will be, somebody else's.
    """
    if is_another_persons(tx, person, subject_hash, tx.now):
        raise Conflict("identity.taken", "one identity is one person")
    identity = find_identity(tx, issuer, subject_hash)
    if identity is not None:
        return identity
    identity = Identity(
        id=new_id(),
        person=person,
        issuer=issuer,
        subject_hash=subject_hash,
        bound_by=bound_by,
        active_from=tx.now,
    )
    tx.add(identity)
    tx.flush()
    audit.record(
        tx, audit.Entry(event="identity:bound", who=person, subject=identity.id, by=bound_by)
    )
    tell_of_identity(tx, person)
    return identity


def tell_of_identity(tx: Transaction, person: str) -> None:
    """An identity of the person is new or another: the sessions end, and people have a task."""
    end_sessions_of(tx, person, why="identity")
    open_task(tx, kind=TaskKind.IDENTITY, subject=person)
