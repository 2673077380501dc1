"""Two people accept that an older database goes on, each with a code that an operator issued.

The directory of an older database says who was active then, so it is not asked where the newest
export of the directory is given. Nor are its personal codes: a person who has left may know one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from inbox import audit
from inbox.access.policy.vocabulary import Role
from inbox.audit import verify
from inbox.audit.accepted_gap import EVENT, gap_subject
from inbox.audit.checkpoint import ParsedCheckpoint
from inbox.audit.gap import CUT, FORK, fits, unfit_runs
from inbox.directory.format.rows import COLUMNS_BY_KIND, Directory, RowKind
from inbox.directory.people import is_code_of, new_code, stored_form
from inbox.domain import new_id
from inbox.errors import Conflict, Invalid
from inbox.line import Line
from inbox.line.queue import QUEUE_ROW_TYPES
from inbox.line.settle import close_tasks
from inbox.line.task_kinds import TaskKind
from inbox.store import Transaction
from inbox.tables import AuditGapRow, CapacityRow, Person, RestoreCode, table_of
from inbox.tables.periods import active_on, is_active_on

CODE_LIFE: Final = timedelta(hours=2)
_ID: Final = COLUMNS_BY_KIND[RowKind.PERSON][0]
_Runs = Sequence[Sequence[ParsedCheckpoint]]


@dataclass(frozen=True, kw_only=True)
class TwoPeople:
    """Who accepts: two ids, and the code that each was given for this."""

    first: str
    first_code: str
    second: str
    second_code: str

    @property
    def names(self) -> str:
        """Both ids, as the audit has them."""
        return f"{self.first}+{self.second}"


def issue_restore_code(line: Line, files: Sequence[str], person: str) -> str:
    """A code with which this person accepts the gap that there is now; an earlier one is void.

    The caller has the keys of the database. The code holds for `CODE_LIFE`, for this gap,
    and while the log goes on from where it is now. Raises `Conflict` where there is no gap.
    """
    if not _ID.accepts(person):
        raise Invalid("restore.person", "the id of a person, as the directory has it")
    with line.store.transaction() as tx:
        size, root = audit.head(tx, lock=True)
        gap = _runs_of(tx, line, files)[0][-1]
        code = new_code()
        tx.merge(
            RestoreCode(
                person=person,
                code_hash=stored_form(code),
                signed_root=gap.root.hex(),
                size=size,
                root=root.hex(),
                expires_at=tx.now + CODE_LIFE,
            )
        )
        entry = audit.Entry(event="log:restore_code_given", who="operator", subject=person)
        audit.record(tx, entry)
    return code


def accept_gap(
    line: Line,
    files: Sequence[str],
    people: TwoPeople,
    *,
    directory: Directory | None,
    checkpoints: Path,
) -> int:
    """Accept that what the checkpoints speak of is lost, and sign the log as it is.

    Returns the number of the entry that says so for ever. Raises `Conflict` where a code is not
    right, or the two are not who they must be.
    """
    with line.store.transaction() as tx:
        size, _ = audit.head(tx, lock=True)
        runs = _runs_of(tx, line, files)
        _check_codes(tx, people, runs[0][-1])
        _check_people(tx, people, directory)
        for number, run in enumerate(runs, size):
            audit.record(tx, _acceptance(line, people, run[-1], number, size, directory))
        _close_gaps(tx, runs, size, people)
        tx.execute(sa.delete(table_of(RestoreCode)))
        _make_due(tx)
    with line.store.transaction() as tx:
        note = verify.new_checkpoint(tx, line.keyring)
    if note is not None:
        verify.append_to_checkpoint_file(checkpoints, note)
    return size


def _runs_of(session: Session, line: Line, files: Sequence[str]) -> _Runs:
    runs = unfit_runs(session, line.keyring, files)
    if runs:
        return runs
    if session.exec(_standing().limit(1)).first() is not None:
        raise Conflict(
            "restore.no_checkpoint",
            "a gap was found, and none of the checkpoint files has the checkpoint that showed it:"
            " put the file back, or name the one that has it with --checkpoints",
        )
    raise Conflict("restore.no_gap", "the database is what was signed: there is nothing to accept")


def _standing() -> SelectOfScalar[AuditGapRow]:
    return select(AuditGapRow).where(col(AuditGapRow.accepted_at).is_(None))


def _check_codes(tx: Transaction, people: TwoPeople, gap: ParsedCheckpoint) -> None:
    """Both codes are right, of now, for this gap, and of this log as far as it was then."""
    if people.first == people.second:
        raise Conflict("restore.one_person", "two different people are needed")
    for person, code in (
        (people.first, people.first_code),
        (people.second, people.second_code),
    ):
        row = tx.get(RestoreCode, person)
        if row is None or not _holds(tx, row, code, gap):
            tx.write_afterwards(partial(_note_refused, person))
            raise Conflict(
                "restore.code",
                f"the code is not one that was issued to {person} for this gap, or its two hours"
                " have passed: see `inbox restore --issue-code`",
            )


def _holds(tx: Transaction, row: RestoreCode, code: str, gap: ParsedCheckpoint) -> bool:
    then = ParsedCheckpoint(origin=gap.origin, size=row.size, root=bytes.fromhex(row.root))
    return (
        tx.now < row.expires_at
        and row.signed_root == gap.root.hex()
        and fits(tx, then)
        and is_code_of(row.code_hash, code)
    )


def _note_refused(person: str, tx: Transaction) -> None:
    entry = audit.Entry(event="log:restore_code_refused", who="stranger", subject=person)
    audit.record(tx, entry)


def _check_people(tx: Transaction, people: TwoPeople, directory: Directory | None) -> None:
    """Both are active, and one of them is a security reviewer, by the newest directory given."""
    reviewers = 0
    for person in (people.first, people.second):
        active, reviews = (
            _in_database(tx, person) if directory is None else _in_export(directory, tx.now, person)
        )
        if not active:
            raise Conflict("restore.person", f"{person} is not active in the directory")
        reviewers += reviews
    if reviewers == 0:
        raise Conflict("restore.no_reviewer", "one of the two is a security reviewer")


def _in_export(directory: Directory, now: datetime, person: str) -> tuple[bool, bool]:
    active = {
        kind: [row for row in directory.rows.get(kind, {}).values() if row.is_active_on(now, now)]
        for kind in (RowKind.PERSON, RowKind.CAPACITY)
    }
    roles = {row.text("role") for row in active[RowKind.CAPACITY] if row.text("person") == person}
    known = any(row.text("id") == person for row in active[RowKind.PERSON])
    return known and bool(roles), Role.SECURITY_REVIEWER.value in roles


def _in_database(tx: Transaction, person: str) -> tuple[bool, bool]:
    row = tx.get(Person, person)
    roles = tx.exec(
        select(CapacityRow.role).where(
            col(CapacityRow.person) == person, active_on(CapacityRow, tx.now)
        )
    ).all()
    active = row is not None and is_active_on(row, tx.now) and bool(roles)
    return active, Role.SECURITY_REVIEWER.value in roles


def _acceptance(
    line: Line,
    people: TwoPeople,
    old: ParsedCheckpoint,
    number: int,
    size: int,
    directory: Directory | None,
) -> audit.Entry:
    return audit.Entry(
        event=EVENT,
        who=people.names,
        subject=gap_subject(line.keyring.signer(), old, number),
        by="no_directory_export" if directory is None else "directory_export",
        code=CUT if old.size > size else FORK,
    )


def _close_gaps(tx: Transaction, runs: _Runs, size: int, people: TwoPeople) -> None:
    """The rows of these gaps are accepted and name their entries; their tasks are closed.

    A gap that no process has reported yet gets its row now.
    """
    numbers = {run[-1].root.hex(): number for number, run in enumerate(runs, size)}
    accepted = {note.root.hex() for run in runs for note in run}
    standing = {row.signed_root: row for row in tx.exec(_standing())}
    for run in runs:
        if run[-1].root.hex() not in standing:
            row = _new_row(tx.now, run[-1], size)
            tx.add(row)
            standing[row.signed_root] = row
    for root, row in standing.items():
        if root in accepted:
            row.accepted_at, row.entry = tx.now, numbers.get(root)
            close_tasks(tx, subject=row.id, kinds=[TaskKind.AUDIT_GAP], who=people.names)


def _new_row(now: datetime, old: ParsedCheckpoint, size: int) -> AuditGapRow:
    return AuditGapRow(
        id=new_id(),
        code=CUT if old.size > size else FORK,
        size=size,
        signed_size=old.size,
        signed_root=old.root.hex(),
        found_at=now,
    )


def _make_due(tx: Transaction) -> None:
    """What was put off because of the gap goes on at once."""
    for kind in QUEUE_ROW_TYPES:
        table = table_of(kind)
        tx.execute(sa.update(table).where(table.c.code.in_((CUT, FORK))).values(due_at=tx.now))
