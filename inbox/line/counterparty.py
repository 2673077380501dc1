"""What we know about the sender: did it write before, and which unit has the case it refers to?"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Session, col, func, select

from inbox.domain import Metadata, UnitId
from inbox.keys import DataKey, Keyring
from inbox.line.sealed_content import metadata_of, reference_hashes, references_of
from inbox.tables import KnownReference, Message


def routing_metadata(
    keyring: Keyring, session: Session, row: Message, key: DataKey, *, as_of: datetime
) -> Metadata:
    """The part of a message that routing rules may see.

    The sender counts as known by what had been registered at that moment, a case by what is
    known now: a reference that is registered again keeps no earlier time.
    """
    unit = known_units(keyring, session, [(row, references_of(row, key))]).get(row.id)
    return metadata_of(
        row,
        key,
        sender_known=unit is not None or _is_known_sender(session, row, as_of),
        known_unit=unit,
    )


def known_units(
    keyring: Keyring, session: Session, rows: Sequence[tuple[Message, Sequence[str]]]
) -> Mapping[str, UnitId]:
    """For each message id, the unit that has a case with this sender under one of its references.

    The first of its references that is known decides.
    """
    hashes = {row.id: reference_hashes(keyring, references) for row, references in rows}
    asked = {hashed for each in hashes.values() for hashed in each}
    found = session.exec(
        select(KnownReference).where(
            col(KnownReference.organisation).in_({row.organisation for row, _ in rows}),
            col(KnownReference.reference_hash).in_(asked),
        )
    )
    known = {(r.organisation, r.counterparty, r.reference_hash): UnitId(r.unit) for r in found}
    units = {}
    for row, _ in rows:
        keys = ((row.organisation, row.sender or "", hashed) for hashed in hashes[row.id])
        unit = next((known[key] for key in keys if key in known), None)
        if unit is not None:
            units[row.id] = unit
    return units


def first_registered_by_sender(session: Session, organisation: str) -> Mapping[str, datetime]:
    """For every sender, when a message from it was first registered in this organisation."""
    query = (
        select(Message.sender, func.min(col(Message.registered_at)))
        .where(col(Message.organisation) == organisation, col(Message.registered_at).is_not(None))
        .group_by(col(Message.sender))
    )
    return {
        sender: at for sender, at in session.exec(query) if sender is not None and at is not None
    }


def _is_known_sender(session: Session, row: Message, as_of: datetime) -> bool:
    """Whether a message of this sender had been registered."""
    earlier = session.exec(
        select(Message.id)
        .where(
            col(Message.organisation) == row.organisation,
            col(Message.sender) == row.sender,
            col(Message.registered_at) <= as_of,
        )
        .limit(1)
    ).first()
    return earlier is not None
