"""Drafts: what somebody typed into a form that could not be taken, kept for half an hour.

They are sealed under a key of their session's own, which is destroyed with the session's row. So a
draft outlives the session for a while, and is found by the same person after signing in again.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, TypeAlias

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inbox.domain import new_id
from inbox.errors import Invalid, NotFound
from inbox.keys import DataKey
from inbox.line import Line
from inbox.line.queue import unwrap_stored_key
from inbox.sign_in.sessions import DraftOwner
from inbox.store import Transaction
from inbox.tables import Draft, WrappedKey, table_of

DraftFields: TypeAlias = Mapping[str, Sequence[str]]
LIFE: Final = timedelta(minutes=30)
_MOST: Final = 20
"""So many of one person are kept; the oldest go."""
_MAX_BYTES: Final = 128 * 1024
_PLACE: Final = {"table": "draft", "column": "sealed_fields"}
_DRAFTS: Final = table_of(Draft)


def keep_draft(
    line: Line,
    tx: Transaction,
    owner: DraftOwner,
    *,
    form: str,
    fields: Mapping[str, Sequence[str]],
) -> str:
    """Keep what was typed into the form at this address; returns the id of the draft."""
    text = json.dumps(dict(fields)).encode()
    if len(text) > _MAX_BYTES:
        raise Invalid("draft.too_large")
    draft_id, key = new_id(), _key_of(line, tx, owner.session) or _new_key(line, tx, owner.session)
    tx.add(
        Draft(
            id=draft_id,
            session=owner.session,
            person=owner.person,
            capacity=owner.capacity,
            form=form,
            sealed_fields=key.seal(text, **_PLACE, row=draft_id),
            expires_at=tx.now + LIFE,
        )
    )
    tx.flush()
    _drop_oldest(tx, owner.person)
    return draft_id


def read_draft(
    line: Line, tx: Transaction, draft_id: str, *, person: str, capacity: str | None, form: str
) -> DraftFields:
    """What was typed. Raises `NotFound` for another person, capacity or form, and an expired one.

    It stays until it expires, so that a page can be loaded twice.
    """
    draft = tx.get(Draft, draft_id)
    if draft is None or draft.expires_at <= tx.now:
        raise NotFound
    if (draft.person, draft.capacity, draft.form) != (person, capacity, form):
        raise NotFound
    key = _key_of(line, tx, draft.session)
    if key is None:
        raise NotFound
    found: Mapping[str, Sequence[str]] = json.loads(
        key.unseal(draft.sealed_fields, **_PLACE, row=draft.id)
    )
    return found


def session_key_id(session_id: str) -> str:
    """The id of the key of a session's drafts."""
    return f"session:{session_id}"


def _key_of(line: Line, session: Session, session_id: str) -> DataKey | None:
    stored = session.get(WrappedKey, session_key_id(session_id))
    return None if stored is None else unwrap_stored_key(line, stored)


def _new_key(line: Line, tx: Transaction, session_id: str) -> DataKey:
    key, wrapped = line.keyring.new_data_key()
    tx.add(
        WrappedKey(
            id=session_key_id(session_id),
            kek_id=wrapped.kek_id,
            wrapped=wrapped.wrapped,
            created_at=tx.now,
        )
    )
    return key


def _drop_oldest(tx: Transaction, person: str) -> None:
    newest_first = (
        select(Draft.id)
        .where(col(Draft.person) == person)
        .order_by(col(Draft.expires_at).desc(), col(Draft.id))
    )
    for draft_id in tx.exec(newest_first).all()[_MOST:]:
        tx.execute(sa.delete(_DRAFTS).where(_DRAFTS.c.id == draft_id))
