"""Sign-ins under way: what has to come back unchanged, kept for the browser that began.

What is kept is sealed under a key that is derived from a cookie of that browser. The database
alone opens none of it, and an answer that comes back in another browser finds nothing: nobody can
be made to sign in as somebody else by a link.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from inbox.errors import IntegrityError
from inbox.keys import DataKey
from inbox.sign_in.tokens import is_token, token_digest
from inbox.store import Transaction
from inbox.tables import SignInRow, table_of

LIFE: Final = timedelta(minutes=10)
MOST_TRIES: Final = 5
"""So many wrong codes, and the sign-in has to begin anew."""
_ROWS: Final = table_of(SignInRow)
_LABEL: Final = b"inbox/1 sign-in under way"


class SignInPurpose(StrEnum):
    """What a person was sent to the provider for."""

    SIGN_IN = "sign_in"
    STEP_UP = "step_up"
    QUESTION = "question"
    """Whether the person is still signed in there; without a dialogue."""


@dataclass(frozen=True, kw_only=True)
class SignInUnderWay:
    """What was begun at a provider."""

    provider: str
    purpose: SignInPurpose
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    return_to: str
    session: str | None = None
    """The session that it is about, of a step-up and of a question."""


@dataclass(frozen=True, kw_only=True)
class UnboundIdentity:
    """An identity that a provider has vouched for, and that is nobody's yet."""

    provider: str
    issuer: str
    subject_hash: str
    session_hash: str | None
    sub_hash: str
    strong: bool
    return_to: str


def remember(tx: Transaction, *, browser: str, state: str, under_way: SignInUnderWay) -> None:
    """Keep what was begun, under `state`."""
    _add(tx, token_digest(state), browser, asdict(under_way))


def take(tx: Transaction, *, browser: str, state: str) -> SignInUnderWay | None:
    """What was begun under this `state` in this browser; it can be taken once."""
    if not is_token(browser) or not is_token(state):
        return None
    found = _open(tx, token_digest(state), browser)
    if found is None or _delete(tx, token_digest(state)) == 0:
        return None
    return SignInUnderWay(**{**found, "purpose": SignInPurpose(found["purpose"])})


def remember_unbound(tx: Transaction, *, browser: str, identity: UnboundIdentity) -> None:
    """Keep an identity until its person has typed a code; one for a browser."""
    row_id = _unbound_id(browser)
    _delete(tx, row_id)
    _add(tx, row_id, browser, asdict(identity))


def read_unbound(tx: Transaction, browser: str) -> UnboundIdentity | None:
    """The identity that waits for a code in this browser."""
    if not is_token(browser):
        return None
    found = _open(tx, _unbound_id(browser), browser)
    return None if found is None else UnboundIdentity(**found)


def forget_unbound(tx: Transaction, browser: str) -> None:
    """It was bound, or may not be any more."""
    _delete(tx, _unbound_id(browser))


def count_try(tx: Transaction, browser: str) -> None:
    """A code was wrong: after some the identity has to be shown anew."""
    row_id = _unbound_id(browser)
    tx.execute(sa.update(_ROWS).where(_ROWS.c.id == row_id).values(tries=_ROWS.c.tries + 1))
    tx.execute(sa.delete(_ROWS).where(_ROWS.c.id == row_id, _ROWS.c.tries >= MOST_TRIES))


def _unbound_id(browser: str) -> str:
    return token_digest(f"unbound {browser}")


def _add(tx: Transaction, row_id: str, browser: str, values: Mapping[str, object]) -> None:
    tx.execute(
        sa.insert(_ROWS).values(
            id=row_id,
            browser=token_digest(browser),
            sealed=_key(browser).seal(
                json.dumps(values).encode(), table="sign_in", column="sealed", row=row_id
            ),
            tries=0,
            expires_at=tx.now + LIFE,
        )
    )


def _open(tx: Transaction, row_id: str, browser: str) -> dict[str, Any] | None:
    row = tx.execute(
        sa.select(_ROWS.c.sealed).where(
            _ROWS.c.id == row_id,
            _ROWS.c.browser == token_digest(browser),
            _ROWS.c.expires_at > tx.now,
        )
    ).one_or_none()
    if row is None:
        return None
    try:
        raw = _key(browser).unseal(row.sealed, table="sign_in", column="sealed", row=row_id)
    except IntegrityError:
        return None
    found: dict[str, Any] = json.loads(raw)
    return found


def _delete(tx: Transaction, row_id: str) -> int:
    """How many rows went: of two who take one, one gets it."""
    result = tx.execute(sa.delete(_ROWS).where(_ROWS.c.id == row_id))
    return int(getattr(result, "rowcount", 0))


def _key(browser: str) -> DataKey:
    return DataKey(hashlib.sha256(_LABEL + browser.encode()).digest())
