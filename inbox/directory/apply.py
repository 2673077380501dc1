"""Takes a directory into the database: the changes, the tree of units, and what follows from them.

Everything in the caller's transaction. Nothing is deleted: what ends keeps its row and gets an end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from inbox import audit
from inbox.directory.diff import Change, What, changes_of, wanted_of
from inbox.directory.format.rows import BY_ID, Directory, Key, Kind, Row, hashed
from inbox.directory.leavers import settle_closed_units, settle_leavers
from inbox.directory.rules import check
from inbox.directory.snapshot import COLUMNS, TABLES, standing
from inbox.directory.unit_closure import keep_tree
from inbox.domain import Mode, OrgNumber, new_id
from inbox.errors import Invalid
from inbox.line import Line
from inbox.line.case_systems import enrol_system
from inbox.routing.rule_book import SAME_UNIT
from inbox.tables import Installation, Message

_OF_ORGANISATION: Final = (Kind.CASE_SYSTEM, Kind.UNIT, Kind.REFERENCE)
_UNITS_OF_UNIT: Final = ("parent", "successor")
Keys = Mapping[str, tuple[str, bytes]]
"""The key and the webhook secret of each new case system: shown once, never stored."""


@dataclass(frozen=True, kw_only=True)
class Authority:
    """Who approved a change, and the policy rule that allowed it; for the audit log."""

    who: str
    rule: str | None = None
    policy: str | None = None


def keyed(line: Line, directory: Directory) -> Directory:
    """The directory with each case reference replaced by a keyed hash."""
    return hashed(directory, lambda text: line.keyring.lookup_hash("reference", text).hex())


def plan(line: Line, session: Session, now: datetime, directory: Directory) -> tuple[Change, ...]:
    """The changes that an import would make; this only reads. The references are hashed already.

    Raises `Invalid` where it does not fit what stands, or what must hold.
    """
    stands = standing(session, now, directory)
    changes = changes_of(stands, directory, now)
    book = line.books.current(session, OrgNumber(directory.organisation))
    named = frozenset[str]()
    if book is not None:
        rules = {str(rule.to) for rule in book.rules if rule.to is not SAME_UNIT}
        named = frozenset({str(book.desk), *rules})
    wanted = wanted_of(stands, directory, now)
    check(stands, wanted, changes, listed=directory.rows, named_by_rules=named, now=now)
    for change in changes:
        _check_message(session, directory.organisation, change.after)
    return changes


def take_in(
    line: Line, session: Session, now: datetime, directory: Directory, *, approved_by: str
) -> dict[str, tuple[str, bytes]]:
    """Import a directory that two people have agreed on outside the program.

    Gives the keys of new case systems.

    The keys, and the secrets that events are signed with, are given here and never again.
    """
    hold(session)
    directory = keyed(line, directory)
    changes = plan(line, session, now, directory)
    authority = Authority(who=approved_by)
    return carry_out(line, session, now, directory.organisation, changes, authority)


def hold(session: Session) -> None:
    """One change of the directory at a time: whoever comes second sees what the first has made."""
    session.get(Installation, 1, with_for_update=True)


def carry_out(
    line: Line,
    session: Session,
    now: datetime,
    organisation: OrgNumber,
    changes: Sequence[Change],
    authority: Authority,
) -> dict[str, tuple[str, bytes]]:
    """Make the changes, keep the tree, end what leavers had; without changes nothing happens."""
    if not changes:
        return {}
    keys = {}
    for kind in Kind:
        if kind is Kind.DELEGATION:
            _see_to_what_ended(session, now, organisation)
        of_kind = [change for change in changes if change.kind is kind]
        added = [change.after for change in of_kind if change.what is What.ADDED]
        if kind is Kind.CASE_SYSTEM:
            keys = {row.key[0]: _enrol(line, session, now, organisation, row) for row in added}
            session.flush()
        ids = _insert(session, now, organisation, kind, added)
        for change in of_kind:
            if change.what is not What.ADDED:
                _update(session, now, change.after)
        _record(session, of_kind, ids, authority)
    audit.record(session, _entry("directory:imported", organisation, authority))
    return keys


def _see_to_what_ended(session: Session, now: datetime, organisation: OrgNumber) -> None:
    """Before delegations end by the file: those of leavers become tasks."""
    session.expire_all()
    keep_tree(session, now, organisation)
    settle_closed_units(session, now)
    settle_leavers(session, now)


def _entry(event: str, subject: str, authority: Authority) -> audit.Entry:
    return audit.Entry(
        event=event,
        who=authority.who,
        subject=subject,
        by="directory",
        rule=authority.rule,
        policy=authority.policy,
    )


def _enrol(
    line: Line, session: Session, now: datetime, organisation: OrgNumber, row: Row
) -> tuple[str, bytes]:
    return enrol_system(
        session,
        now,
        line,
        system_id=row.key[0],
        organisation=organisation,
        name=str(row.cells["name"]),
        mode=Mode(str(row.cells["mode"])),
        webhook_url=row.text("webhook_url"),
    )


def _insert(
    session: Session, now: datetime, organisation: OrgNumber, kind: Kind, rows: Sequence[Row]
) -> dict[Key, str]:
    """The ids of the new rows. Units come without the units that they name, and get them then."""
    ids = {row.key: row.key[0] if kind in BY_ID else new_id() for row in rows}
    values = []
    for row in rows:
        of = {"organisation": organisation} if kind in _OF_ORGANISATION else {}
        source = {"source": "import", "recorded_at": now} if kind is Kind.REFERENCE else {}
        values.append(_values(row, now) | of | source | {"id": ids[row.key]})
    if kind is Kind.UNIT:
        bare = [each | dict.fromkeys(_UNITS_OF_UNIT) for each in values]
        _execute(session, sa.insert(TABLES[kind]), bare)
    if kind in (Kind.UNIT, Kind.CASE_SYSTEM):
        for row in rows:
            _update(session, now, replace(row, row_id=ids[row.key]))
    else:
        _execute(session, sa.insert(TABLES[kind]), values)
    return ids


def _execute(session: Session, statement: sa.Insert, values: list[dict[str, object]]) -> None:
    if values:
        session.execute(statement, values)


def _check_message(session: Session, organisation: OrgNumber, row: Row) -> None:
    named = row.text("message")
    message = None if named is None else session.get(Message, named)
    if named is not None and (message is None or message.organisation != organisation):
        raise Invalid("directory.reference", f"{row.place}: there is no such message")


def _values(row: Row, now: datetime) -> dict[str, object]:
    values: dict[str, object] = {
        column: row.cells.get(name) for name, column in COLUMNS[row.kind].items() if name != "id"
    }
    if row.kind is Kind.UNIT:
        values["shares_unassigned"] = "shares_unassigned" in row.cells
    if row.kind is Kind.REFERENCE:
        return values
    return values | {"active_from": row.since or now, "active_until": row.until}


def _update(session: Session, now: datetime, row: Row) -> None:
    table = TABLES[row.kind]
    again = {"recorded_at": now} if row.kind is Kind.REFERENCE else {}
    session.execute(
        sa.update(table).where(table.c.id == row.row_id).values(_values(row, now) | again)
    )


def _record(
    session: Session, changes: Sequence[Change], ids: Mapping[Key, str], authority: Authority
) -> None:
    """One entry a row, by its id in the database: neither names nor what a conflict is with."""
    for change in changes:
        subject = change.after.row_id or ids[change.after.key]
        event = f"{change.kind.value}:{change.what.value}"
        audit.record(session, _entry(event, subject, authority))
