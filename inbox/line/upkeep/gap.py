"""Compares the database with what was signed of it, and tells people when it is an older one."""

from pathlib import Path
from typing import Final

from sqlmodel import Session, col, select

from inbox import audit, log
from inbox.audit.gap import AuditGap, checkpoint_text
from inbox.domain import new_id
from inbox.line import Line
from inbox.line.settle import WORKER, open_task
from inbox.line.task_kinds import TaskKind
from inbox.line.upkeep.session_ends import end_sessions
from inbox.log import LogField
from inbox.tables import AuditGapRow

FOUND: Final = "log:gap_found"
"""What stands in the audit between this entry and the one that accepts the gap stands apart."""


def compare_and_report(line: Line, checkpoints: Path) -> AuditGap | None:
    """Compare size and root with the checkpoint file, and report a gap.

    While there is one, this process holds still; when it was accepted, it goes on.
    """
    text = checkpoint_text(checkpoints)
    with line.store.reading() as tx:
        gap = line.standstill.compare(tx, line.keyring, [text])
    if gap is not None:
        log.emit(log.LogEvent.STANDSTILL, {LogField.CODE: gap.code, LogField.COUNT: gap.size})
        report_gap(line, gap)
    return gap


def report_gap(line: Line, gap: AuditGap) -> None:
    """Open the task and record the gap, once for each: nothing is written if that was done."""
    with line.store.reading() as tx:
        if is_reported(tx, gap):
            return
    with line.store.transaction() as tx:
        audit.head(tx, lock=True)  # Of several processes one reports it.
        if is_reported(tx, gap):
            return
        row = AuditGapRow(
            id=new_id(),
            code=gap.code,
            size=gap.size,
            signed_size=gap.signed.size,
            signed_root=gap.signed.root.hex(),
            newest_at=gap.newest_at,
            found_at=tx.now,
        )
        tx.add(row)
        entry = audit.Entry(
            event=FOUND,
            who=WORKER,
            subject=f"{gap.size} entries; {gap.signed.size} signed, root {row.signed_root}",
            code=gap.code,
        )
        audit.record(tx, entry)
        end_sessions(tx, "gap")  # An older database may have sessions that were ended since.
        open_task(tx, kind=TaskKind.AUDIT_GAP, subject=row.id, code=gap.code)


def is_reported(session: Session, gap: AuditGap) -> bool:
    """Whether a gap to this checkpoint was found before, and waits to be accepted."""
    found = select(AuditGapRow.id).where(
        col(AuditGapRow.signed_root) == gap.signed.root.hex(),
        col(AuditGapRow.accepted_at).is_(None),
    )
    return session.exec(found).first() is not None
