"""Case systems: which one an API key belongs to, and the secret that signs its webhook events."""

import hashlib
import secrets
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import CaseSystemId, Mode, OrgNumber
from inbox.line import Line
from inbox.line.queue import unwrap_stored_key
from inbox.store import Transaction
from inbox.tables import CaseSystem, WrappedKey
from inbox.tables.periods import active_on

_KEY_BYTES = 32
KEY_PREFIX: Final = "case_system:"
"""Before the id of a case system: the id of its data key."""


def hash_api_key(key: str) -> str:
    """The SHA-256 digest that is stored of an API key.

    Keys are 256 random bits, so an unsalted digest cannot be guessed.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def case_system_by_key(tx: Transaction, key: str) -> CaseSystem | None:
    """The active case system that this key belongs to, if any."""
    return tx.exec(
        select(CaseSystem).where(
            col(CaseSystem.key_hash) == hash_api_key(key),
            active_on(CaseSystem, tx.now),
        )
    ).first()


def case_system_of_key(session: Session, key: str) -> CaseSystem | None:
    """The case system that this key is or was of, whether or not it is active."""
    return session.exec(
        select(CaseSystem).where(col(CaseSystem.key_hash) == hash_api_key(key))
    ).first()


def capacity_of(system: CaseSystem) -> Capacity:
    """The capacity of a case system: it acts for itself and for nobody else."""
    return Capacity(
        id=system.id,
        role=Role.CASE_SYSTEM,
        organisation=OrgNumber(system.organisation),
        case_system=CaseSystemId(system.id),
    )


def webhook_secret_of(line: Line, system_id: str, found: sa.Row[Any]) -> bytes | None:
    """The webhook secret of a case system, if it has one, out of its row and that of its key."""
    key = unwrap_stored_key(line, found)
    if key is None or found.sealed_secret is None:
        return None
    return key.unseal(
        found.sealed_secret, table="case_system", column="sealed_secret", row=system_id
    )


def enrol_case_system(  # noqa: PLR0913 - the columns of a case system
    tx: Transaction,
    line: Line,
    *,
    system_id: str,
    organisation: OrgNumber,
    name: str,
    mode: Mode,
    webhook_url: str | None = None,
) -> tuple[str, bytes]:
    """Create a case system.

    Its API key and webhook secret are returned here and can never be read again.
    """
    key, secret = secrets.token_urlsafe(_KEY_BYTES), secrets.token_bytes(_KEY_BYTES)
    data_key, wrapped = line.keyring.new_data_key()
    tx.add(
        WrappedKey(
            id=KEY_PREFIX + system_id,
            kek_id=wrapped.kek_id,
            wrapped=wrapped.wrapped,
            created_at=tx.now,
        )
    )
    tx.add(
        CaseSystem(
            id=system_id,
            organisation=organisation,
            name=name,
            mode=mode,
            key_hash=None if mode is Mode.BY_HAND else hash_api_key(key),
            webhook_url=webhook_url,
            sealed_secret=data_key.seal(
                secret, table="case_system", column="sealed_secret", row=system_id
            ),
            active_from=tx.now,
        )
    )
    return key, secret
