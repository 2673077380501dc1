"""What this process itself needs: database, vault, keys, rules, trust and a steady clock."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Final

import sqlalchemy as sa
from sqlmodel import col, select

from inbox.domain import new_id
from inbox.errors import InboxError, Unavailable
from inbox.health.condition import HealthCondition, Level
from inbox.line import Line
from inbox.line.active_rule_books import organisations_with_rule_book
from inbox.line.pulses import all_neighbours_away
from inbox.line.queue import overdue_kinds
from inbox.package.inputs import STALE_LIST
from inbox.package.signature.revocation import (
    authorities_without_fresh_list,
    nobody_is_shown_good,
    subject_of,
)
from inbox.store import SteadyClock, Store
from inbox.tables import Installation, Message
from inbox.trust.trust_store import TrustStore

_KEY_BYTES: Final = 32
_BACKWARD: Final = timedelta(seconds=1)
_AHEAD: Final = timedelta(minutes=1)

NEEDS: Final = (
    "database",
    "vault",
    "keys",
    "audit",
    "policies",
    "routing",
    "trust",
    "lists",
    "work",
)
"""What `ready` names beside the gateways; each is the kind of the conditions that it has."""


def process_conditions(line: Line) -> Iterator[HealthCondition]:
    """What keeps this process from its work. Safe to call at any frequency."""
    checks: Mapping[str, Callable[[], None]] = {
        "database": line.store.check_schema,
        "vault": partial(_check_vault, line),
        "keys": partial(_check_keys, line),
        "audit": line.standstill.check,
        "policies": partial(_check_policies, line),
        "routing": partial(_check_books, line),
        "lists": line.recheck.check_trusted,
        "work": partial(_check_work, line),
    }
    for subject, check in checks.items():
        try:
            check()
        except InboxError as error:
            yield _unready(subject, error)
    try:
        yield from trust_conditions(line.store, line.trust)
    except InboxError as error:
        yield _unready("trust", error)
    yield from _clock(line)


def _unready(subject: str, error: InboxError) -> HealthCondition:
    return HealthCondition(
        subject=subject, code=error.code, level=Level.UNREADY, reason=error.reason
    )


def _check_vault(line: Line) -> None:
    """Room enough, and something can be written, synced and removed."""
    if not line.has_free_space():
        raise Unavailable("vault.full")
    name = f"ready-{new_id()}"
    line.vault.store(name, [b"ready"], secrets.token_bytes(_KEY_BYTES))
    line.vault.remove(name)


def _check_keys(line: Line) -> None:
    """The keys at hand open the proof that is stored with the data."""
    with line.store.reading() as tx:
        proof = tx.exec(select(Installation.key_proof)).first()
    if proof is None or not line.keyring.matches_proof(proof):
        raise Unavailable("keys.not_these")


def _check_policies(line: Line) -> None:
    """The policy that the database names is loaded, and is not the one that denies everything."""
    with line.store.reading() as tx:
        policy = line.policies.current(tx)
    if not policy.rules:
        raise Unavailable("policy.nobody", str(line.policies.problem or ""))


def _check_books(line: Line) -> None:
    """Every rule book that the database names is loaded: mail without one waits for people."""
    with line.store.reading() as tx:
        for organisation in organisations_with_rule_book(tx):
            if line.rule_books.current(tx, organisation) is None:
                raise Unavailable("route.book_unread", organisation)


def _check_work(line: Line) -> None:
    """What is due is taken within minutes, unless its neighbour is known to be away.

    While this process holds still nothing is taken, and `audit` says so.
    """
    if line.standstill.gap is None and (kinds := overdue_work(line.store)):
        raise Unavailable("work.overdue", kinds)


def overdue_work(store: Store) -> str:
    """The kinds of rows that have been due for too long in nobody's hands; "" if there are none."""
    with store.reading() as tx:
        overdue = overdue_kinds(tx, all_neighbours_away(tx))
    return ", ".join(sorted(kind.__name__.lower() for kind in overdue))


def trust_conditions(store: Store, trust: TrustStore) -> Iterator[HealthCondition]:
    """Somebody is believed, and of each of them a revocation list is fresh.

    Where some are without one, their mail waits and the other goes on; the process is unready when
    nobody's certificate can be shown to be good. Raises `Unavailable` where nobody is believed.
    """
    with store.reading() as tx:
        believed = trust.current_trust(tx)
    if not believed.anchors:
        raise Unavailable("trust.nobody")
    for authority in sorted(map(subject_of, believed.without_lists)):
        yield HealthCondition(
            subject=f"trust:{authority}", code="trust.without_lists", level=Level.WARNING
        )
    missing = authorities_without_fresh_list(believed, tx.now)
    if not missing:
        return
    with store.reading() as tx:
        waits: int = tx.execute(
            sa.select(sa.func.count()).where(col(Message.code) == STALE_LIST)
        ).scalar_one()
    level = Level.UNREADY if nobody_is_shown_good(believed, tx.now) else Level.WRONG
    for number, name in enumerate(missing):
        count = waits if number == 0 else None  # It is not known for which of them one waits.
        yield HealthCondition(subject=f"trust:{name}", code=STALE_LIST, level=level, count=count)


def _clock(line: Line) -> Iterator[HealthCondition]:
    clock = line.store.clock
    if not isinstance(clock, SteadyClock):
        return
    for code, by, least in (
        ("clock.backward", clock.backward, _BACKWARD),
        ("clock.ahead", clock.ahead, _AHEAD),
    ):
        if by > least:
            seconds = int(by.total_seconds())
            yield HealthCondition(subject="clock", code=code, level=Level.WARNING, count=seconds)
