"""Applies a directory to the database.

This covers the changes, the closure of the unit tree, and the consequences.

Everything in the caller's transaction. Nothing is deleted: what ends keeps its row and gets an end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from inbox import audit
from inbox.directory.diff import RowChange, RowChangeType, changes_of, target_rows
from inbox.directory.format.rows import (
    KINDS_WITH_ID,
    Directory,
    DirectoryRow,
    RowKey,
    RowKind,
    with_hashed_references,
)
from inbox.directory.identity_rows import identity_hash, is_another_persons, tell_of_identity
from inbox.directory.leavers import settle_closed_units, settle_leavers
from inbox.directory.rules import check_directory
from inbox.directory.snapshot import TABLE_COLUMNS, TABLES, directory_snapshot
from inbox.directory.unit_closure import update_unit_closure
from inbox.domain import Mode, OrgNumber, new_id
from inbox.errors import Invalid
from inbox.line import Line
from inbox.line.case_systems import enrol_case_system
from inbox.routing.rule_book import SAME_UNIT
from inbox.store import Transaction
from inbox.tables import Installation, Message

_KINDS_WITH_ORGANISATION: Final = (RowKind.CASE_SYSTEM, RowKind.UNIT, RowKind.REFERENCE)
_UNIT_REFERENCES: Final = ("parent", "successor")
NewSystemKeys = Mapping[str, tuple[str, bytes]]
"""The key and the webhook secret of each new case system: shown once, never stored."""


@dataclass(frozen=True, kw_only=True)
class Approval:
    """Who approved a change, and the policy rule that allowed it; for the audit log."""

    who: str
    rule: str | None = None
    policy: str | None = None


def hash_references(line: Line, directory: Directory) -> Directory:
    """The directory with each case reference and subject replaced by a keyed hash."""
    return with_hashed_references(
        directory,
        lambda text: line.keyring.lookup_hash("reference", text).hex(),
        lambda issuer, subject: identity_hash(line.keyring, issuer, subject),
    )


def plan_changes(line: Line, tx: Transaction, directory: Directory) -> tuple[RowChange, ...]:
    """The changes that an import would make; this only reads. The references are hashed already.

    Raises `Invalid` where it does not fit what stands, or what must hold.
    """
    stands = directory_snapshot(tx, directory)
    changes = changes_of(stands, directory, tx.now)
    book = line.rule_books.current(tx, OrgNumber(directory.organisation))
    named = frozenset[str]()
    if book is not None:
        rules = {str(rule.to) for rule in book.rules if rule.to is not SAME_UNIT}
        named = frozenset({str(book.desk), *rules})
    wanted = target_rows(stands, directory, tx.now)
    check_directory(
        stands, wanted, changes, listed=directory.rows, named_by_rules=named, now=tx.now
    )
    for change in changes:
        _check_message(tx, directory.organisation, change.after)
        _check_identity(tx, change)
    return changes


def import_agreed(
    line: Line, tx: Transaction, directory: Directory, *, approved_by: str
) -> dict[str, tuple[str, bytes]]:
    """Import a directory that two people have agreed on outside the program.

    Gives the keys of new case systems.

    The keys, and the secrets that events are signed with, are given here and never again.
    """
    lock_directory(tx)
    directory = hash_references(line, directory)
    changes = plan_changes(line, tx, directory)
    authority = Approval(who=approved_by)
    return apply_changes(line, tx, directory.organisation, changes, authority)


def lock_directory(session: Session) -> None:
    """Lock the directory, so that changes are made one at a time.

    A second change sees the result of the first.
    """
    session.get(Installation, 1, with_for_update=True)


def apply_changes(
    line: Line,
    tx: Transaction,
    organisation: OrgNumber,
    changes: Sequence[RowChange],
    authority: Approval,
) -> dict[str, tuple[str, bytes]]:
    """Apply the changes, update the unit closure, and settle leavers.

    Without changes nothing is written.
    """
    if not changes:
        return {}
    keys = {}
    for kind in RowKind:
        if kind is RowKind.DELEGATION:
            _settle_ended(tx, organisation)
        of_kind = [change for change in changes if change.kind is kind]
        added = [change.after for change in of_kind if change.change_type is RowChangeType.ADDED]
        if kind is RowKind.CASE_SYSTEM:
            keys = {row.key[0]: _enrol(line, tx, organisation, row) for row in added}
            tx.flush()
        ids = _insert(tx, organisation, kind, added)
        for change in of_kind:
            if change.change_type is not RowChangeType.ADDED:
                _update(tx, change.after)
        _audit_changes(tx, of_kind, ids, authority)
        if kind is RowKind.IDENTITY:
            _tell_of_identities(tx, of_kind)
    audit.record(tx, _audit_entry("directory:imported", organisation, authority))
    return keys


def _settle_ended(tx: Transaction, organisation: OrgNumber) -> None:
    """Settle closed units and leavers before the file ends delegations.

    The delegations of leavers thereby become tasks.
    """
    tx.expire_all()
    update_unit_closure(tx, organisation)
    settle_closed_units(tx)
    settle_leavers(tx)


def _audit_entry(event: str, subject: str, authority: Approval) -> audit.Entry:
    return audit.Entry(
        event=event,
        who=authority.who,
        subject=subject,
        by="directory",
        rule=authority.rule,
        policy=authority.policy,
    )


def _enrol(
    line: Line, tx: Transaction, organisation: OrgNumber, row: DirectoryRow
) -> tuple[str, bytes]:
    return enrol_case_system(
        tx,
        line,
        system_id=row.key[0],
        organisation=organisation,
        name=str(row.cells["name"]),
        mode=Mode(str(row.cells["mode"])),
        webhook_url=row.text("webhook_url"),
    )


def _insert(
    tx: Transaction,
    organisation: OrgNumber,
    kind: RowKind,
    rows: Sequence[DirectoryRow],
) -> dict[RowKey, str]:
    """Insert new rows and return their ids.

    Units are inserted without their parent and successor, which are set afterwards. Units come
    without the units that they name, and get them then.
    """
    ids = {row.key: row.key[0] if kind in KINDS_WITH_ID else new_id() for row in rows}
    values = []
    for row in rows:
        of = {"organisation": organisation} if kind in _KINDS_WITH_ORGANISATION else {}
        source = {"source": "import", "recorded_at": tx.now} if kind is RowKind.REFERENCE else {}
        if kind is RowKind.IDENTITY:
            source = {"bound_by": "import"}
        values.append(_column_values(row, tx.now) | of | source | {"id": ids[row.key]})
    if kind is RowKind.UNIT:
        bare = [each | dict.fromkeys(_UNIT_REFERENCES) for each in values]
        _execute(tx, sa.insert(TABLES[kind]), bare)
    if kind in (RowKind.UNIT, RowKind.CASE_SYSTEM):
        for row in rows:
            _update(tx, replace(row, row_id=ids[row.key]))
    else:
        _execute(tx, sa.insert(TABLES[kind]), values)
    return ids


def _execute(session: Session, statement: sa.Insert, values: list[dict[str, object]]) -> None:
    if values:
        session.execute(statement, values)


def _check_message(session: Session, organisation: OrgNumber, row: DirectoryRow) -> None:
    named = row.text("message")
    message = None if named is None else session.get(Message, named)
    if named is not None and (message is None or message.organisation != organisation):
        raise Invalid("directory.reference", f"{row.location}: there is no such message")


def _check_identity(tx: Transaction, change: RowChange) -> None:
    """It is nobody else's, in any organisation, and never becomes another's."""
    row, before = change.after, change.before
    if row.kind is not RowKind.IDENTITY or change.change_type is RowChangeType.ENDED:
        return
    person = str(row.cells["person"])
    moves = before is not None and before.cells["person"] != person
    if moves or is_another_persons(tx, person, str(row.cells["subject_hash"]), tx.now):
        raise Invalid("directory.identity_taken", f"{row.location}: it is another person's")


def _tell_of_identities(tx: Transaction, changes: Sequence[RowChange]) -> None:
    """Of each that is new or another; whose identity ends is out at the next request."""
    changed = {
        str(change.after.cells["person"])
        for change in changes
        if change.change_type is not RowChangeType.ENDED
    }
    for person in sorted(changed):
        tell_of_identity(tx, person)


def _column_values(row: DirectoryRow, now: datetime) -> dict[str, object]:
    values: dict[str, object] = {
        column: row.cells.get(name)
        for name, column in TABLE_COLUMNS[row.kind].items()
        if name != "id"
    }
    if row.kind is RowKind.UNIT:
        values["shares_unassigned"] = "shares_unassigned" in row.cells
    if row.kind is RowKind.REFERENCE:
        return values
    return values | {"active_from": row.since or now, "active_until": row.until}


def _update(tx: Transaction, row: DirectoryRow) -> None:
    table = TABLES[row.kind]
    again = {"recorded_at": tx.now} if row.kind is RowKind.REFERENCE else {}
    tx.execute(
        sa.update(table).where(table.c.id == row.row_id).values(_column_values(row, tx.now) | again)
    )


def _audit_changes(
    tx: Transaction, changes: Sequence[RowChange], ids: Mapping[RowKey, str], authority: Approval
) -> None:
    """Write one audit entry for each row.

    The entry has the row's database id. It contains neither names nor the object of a conflict of
    interest.
    """
    for change in changes:
        subject = change.after.row_id or ids[change.after.key]
        event = f"{change.kind.value}:{change.change_type.value}"
        audit.record(tx, _audit_entry(event, subject, authority))
