"""Whether this process is ready to work: each need by name, with a code if it is not met."""

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from sqlmodel import select

from inbox.domain import new_id
from inbox.errors import InboxError, Unavailable
from inbox.line import Line
from inbox.line.active_rule_books import organisations_with_rule_book
from inbox.line.pulses import all_neighbours_away
from inbox.line.queue import overdue_kinds
from inbox.package.inputs import STALE_LIST
from inbox.package.signature.revocation import authorities_without_fresh_list
from inbox.tables import Installation
from inbox.web.operator_totals import GATEWAY, contacts_of

OK: Final = "ok"
_KEY_BYTES: Final = 32


def readiness_of(line: Line, *, gateway_silence: timedelta) -> Mapping[str, str]:
    """Every need by name: `ok`, or the code of what is wrong. Safe to call at any frequency."""
    needs: Mapping[str, Callable[[], None]] = {
        "database": line.store.check_schema,
        "vault": lambda: _check_vault(line),
        "keys": lambda: _check_keys(line),
        "audit": line.standstill.check,
        "policies": lambda: _check_policies(line),
        "routing": lambda: _check_books(line),
        "trust": lambda: _check_trust(line),
        "lists": line.recheck.check_trusted,
        "work": lambda: _check_work(line),
    }
    found = {}
    for name, check in needs.items():
        try:
            check()
        except InboxError as error:
            found[name] = error.code
        else:
            found[name] = OK
    return {**found, **_gateways(line, gateway_silence)}


def _check_vault(line: Line) -> None:
    """Room enough, and something can be written, synced and removed."""
    if not line.has_free_space():
        raise Unavailable("vault.full")
    name = f"ready-{new_id()}"
    line.vault.store(name, [b"ready"], secrets.token_bytes(_KEY_BYTES))
    line.vault.remove(name)


def _check_keys(line: Line) -> None:
    """The keys at hand open the proof that is stored with the data."""
    with line.store.reading() as (session, _):
        proof = session.exec(select(Installation.key_proof)).first()
    if proof is None or not line.keyring.matches_proof(proof):
        raise Unavailable("keys.not_these")


def _check_policies(line: Line) -> None:
    """The policy that the database names is loaded, and is not the one that denies everything."""
    with line.store.reading() as (session, _):
        policy = line.policies.current(session)
    if not policy.rules:
        raise Unavailable("policy.nobody")


def _check_books(line: Line) -> None:
    """Every rule book that the database names is loaded: mail without one waits for people."""
    with line.store.reading() as (session, _):
        for organisation in organisations_with_rule_book(session):
            if line.rule_books.current(session, organisation) is None:
                raise Unavailable("route.book_unread")


def _check_trust(line: Line) -> None:
    """Somebody is believed, and of each of them a revocation list is fresh."""
    with line.store.reading() as (session, now):
        believed = line.trust.current_trust(session)
    if not believed.anchors:
        raise Unavailable("trust.nobody")
    if authorities_without_fresh_list(believed, now):
        raise Unavailable(STALE_LIST)


def _check_work(line: Line) -> None:
    """What is due is taken within minutes, unless its neighbour is known to be away.

    While this process holds still nothing is taken, and `audit` says so.
    """
    if line.standstill.gap is not None:
        return
    with line.store.reading() as (session, now):
        if overdue_kinds(session, now, all_neighbours_away(session)):
            raise Unavailable("work.overdue")


def _gateways(line: Line, silence: timedelta) -> Mapping[str, str]:
    """A gateway that is silent for longer than `silence`, or was never heard, is a need unmet."""
    try:
        with line.store.reading() as (session, now):
            contacts = contacts_of(session, now, line)
    except InboxError as error:
        return {GATEWAY + channel: error.code for channel in line.gateways}
    return {
        GATEWAY + each.channel: OK
        if each.ago is not None and each.ago <= silence
        else each.code or "gateway.silent"
        for each in contacts
    }
