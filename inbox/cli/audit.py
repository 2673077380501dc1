"""`inbox audit`: verify and export the audit, prove one message's entries, print the log's key."""

import base64
import json
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlmodel import col, select

from inbox.audit.accepted_gap import AcceptedGap
from inbox.audit.outside import unvouched_findings
from inbox.audit.proof import prove_message
from inbox.audit.state import StateReport, verify_state
from inbox.audit.verify import AuditFinding, AuditReport, verify
from inbox.cli.common.context import keyring_of, settings_of, store_of
from inbox.cli.common.formats import Json
from inbox.cli.common.output import EXIT_FAILED, print_json, print_line
from inbox.cli.keys import audit_key
from inbox.errors import Invalid
from inbox.keys import Keyring
from inbox.tables import AuditEntry

audit: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The audit log: what happened, and whether it is intact.",
)

_TEXT_OF_CODE: Final = {
    "audit.gap": "an entry is missing, or stands in another's place",
    "audit.fork": "the entries up to here are not those that a signed checkpoint speaks of",
    "audit.cut": "a signed checkpoint speaks of so many entries, and there are fewer",
    "audit.gap_accepted": "the entry says that people accepted a gap, and its numbers, its"
    " signature or the checkpoints outside do not bear that out",
    "audit.checkpoint": "a checkpoint is torn, forged, or of another log",
    "audit.node": "the tree over the entries from here on has been changed",
    "audit.nodes": "the tree has more or fewer parts than its entries give",
    "audit.index": "the entry stands under another message than it speaks of",
    "audit.salt": "a salt of the entry is not the one it was made with: what it committed to can"
    " no longer be shown",
    "audit.head": "the head of the tree is not what its entries give",
    "audit.no_checkpoint": "no checkpoint that was kept outside the database vouches for any entry:"
    " who can change the database could have written all of it; a worker signs the first"
    " checkpoint soon after its start",
    "audit.checkpoint_missing": "newer checkpoints were signed than the newest that is kept"
    " outside: the file was cut or is an old copy; a running worker completes its file in minutes",
    "audit.unvouched": "the entries from here on are older than fifteen minutes, and no checkpoint"
    " kept outside vouches for them: no worker signs, or the file is an old copy",
}
_TEXT_OF_STATE_CODE: Final = {
    "state.differs": "the row is not what the newest entry about it says",
    "state.unexplained": "no entry says that there is such a row",
    "state.not_taken": "no entry vouches for any row yet: the next start of `serve` or `work` has"
    " all of them vouched for as they are found",
    "state.missing": "the entries say that there is such a row, and there is none",
}
_WHAT_A_PROOF_SHOWS: Final = """\
It shows: these entries stood in the log, byte for byte, when the checkpoint was signed, and the log
had only grown since the checkpoints that you gave.
It does not show: that no other entry names the message (for that, verify an export of the whole
log), that what an entry says is true, or which text a commitment stands for."""
_BATCH: Final = 1000


@audit.command("verify")
def verify_all(
    ctx: typer.Context,
    checkpoints: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A copy of the checkpoints that was kept elsewhere; may be repeated.",
        ),
    ] = None,
    state: Annotated[
        bool,
        typer.Option(
            "--state",
            help="Compare every row that decides with the entries, too; names those that differ.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check every entry against the tree and every checkpoint; ends with 1 if anything is wrong.

    The checkpoint file in the settings is used too. The strongest evidence is a copy that was kept
    on another machine: a person who can change the database can also change a file next to it.
    A gap that two people accepted is printed first, for ever.
    That no checkpoint outside vouches for the entries, or for those older than minutes, is wrong
    too: then nothing shows that they are the ones that were written.

    With --state every row that decides is compared with what the entries say of it last: states,
    tasks, receipts, people, units, capacities, grants, the keys of case systems, the rules in
    force. A row that no entry explains is named by its table and id. What stood before the entries
    vouched for rows is counted as found: all that can be said of it is that it is so since then.
    """
    settings = settings_of(ctx)
    store = store_of(settings)
    keyring = keyring_of(settings, store)
    files = [settings.checkpoints, *(checkpoints or [])]
    there = [path for path in files if path.is_file()]
    with store.snapshot() as tx:
        texts = [_read_text(path) for path in there]
        report = verify(tx, keyring, texts)
        unvouched = unvouched_findings(tx, keyring, texts, report.left_behind)
        rows = verify_state(tx, keyring.row_key()) if state else None
    said: list[dict[str, str | int]] = [
        {"code": f.code, "at": f.at, "text": _explain(f)} for f in [*report.findings, *unvouched]
    ]
    said += [_missing_file_finding(path, report) for path in files if path not in there]
    holds = not said and not (rows and rows.findings)
    if as_json:
        print_json(
            {
                "holds": holds,
                "size": report.size,
                "root": report.root,
                "checkpoints": report.checkpoints,
                "accepted_gaps": [_gap_json(gap) for gap in report.accepted],
                "findings": said,
                **({} if rows is None else {"state": _state_as_json(rows)}),
            }
        )
    else:
        for gap in report.accepted:
            print_line(_gap_text(gap))
        for finding in said:
            print_line(f"WRONG {finding['code']} at {finding['at']}: {finding['text']}")
        print_line(f"{report.size} entries, {report.checkpoints} checkpoints, root {report.root}")
        if rows is not None:
            _print_state(rows)
        if holds:
            print_line("everything holds")
    if not holds:
        raise typer.Exit(EXIT_FAILED)


@audit.command()
def export(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="The file to create; an existing file is never overwritten.")
    ],
) -> None:
    """Write all entries as JSON lines for `verify_audit.py`, which runs without this program.

    Give the file to the verifier together with the checkpoints. Send the line that `audit key`
    prints by another channel.
    """
    store = store_of(settings_of(ctx))
    try:
        with file.open("x", encoding="ascii") as out, store.snapshot() as tx:
            query = select(AuditEntry.seq, AuditEntry.leaf).order_by(col(AuditEntry.seq))
            count = 0
            for seq, leaf in tx.exec(query.execution_options(yield_per=_BATCH)):
                out.write(json.dumps({"seq": seq, "leaf": base64.b64encode(leaf).decode()}) + "\n")
                count += 1
    except OSError as error:
        raise Invalid("audit.file", f"{file.name}: {error.strerror}") from error
    print_line(f"{count} entries")


@audit.command()
def prove(
    ctx: typer.Context,
    message: Annotated[str, typer.Argument(help="The id of the message.")],
    file: Annotated[
        Path, typer.Argument(help="The file to create; an existing file is never overwritten.")
    ],
    checkpoints: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A copy of the checkpoints that the receiver kept; may be repeated. The proof then"
            " shows that the log grew from its newest one.",
        ),
    ] = None,
) -> None:
    """Write a proof that the audit has the entries that name one message.

    `verify_audit.py` checks the file without this program and without the database. It holds those
    entries (ids, codes, times and commitments), hashes, and signed checkpoints; nothing of other
    messages, and no title, name or text.
    """
    settings = settings_of(ctx)
    store = store_of(settings)
    keyring = keyring_of(settings, store)
    copies = [_read_text(path) for path in checkpoints or []]
    with store.snapshot() as tx:
        proof = prove_message(tx, keyring, message, copies)
    try:
        with file.open("x", encoding="ascii") as out:
            json.dump(proof.as_json(), out, indent=1)
            out.write("\n")
    except OSError as error:
        raise Invalid("audit.file", f"{file.name}: {error.strerror}") from error
    print_line(f"{len(proof.entries)} entries, in the {proof.size} that the checkpoint signs")
    if proof.later:
        print_line(f"!! {proof.later} more are younger than the checkpoint: prove them later")
    print_line(_WHAT_A_PROOF_SHOWS)


@audit.command()
def key(ctx: typer.Context) -> None:
    """Print the key that verifies the checkpoints; hand it out when the log begins."""
    settings = settings_of(ctx)
    print_line(audit_key(settings, Keyring.load(settings.keys)))


def _gap_text(gap: AcceptedGap) -> str:
    """What is said first, for ever, of a break that people accepted."""
    return (
        f"GAP accepted at entry {gap.at}: {gap.who} accepted at {gap.when} that entries are lost;"
        f" {gap.old.size} were signed, root {gap.old.root.hex()}"
    )


def _gap_json(gap: AcceptedGap) -> dict[str, str | int]:
    return {
        "at": gap.at,
        "when": gap.when,
        "who": gap.who,
        "old_size": gap.old.size,
        "old_root": gap.old.root.hex(),
    }


def _state_as_json(rows: StateReport) -> dict[str, object]:
    return {
        "compared": rows.compared,
        "as_found": dict(rows.as_found),
        "findings": [{"code": f.code, "table": f.table, "row": f.row} for f in rows.findings],
    }


def _print_state(rows: StateReport) -> None:
    for finding in rows.findings:
        text = _TEXT_OF_STATE_CODE[finding.code]
        print_line(f"WRONG {finding.code} {finding.table} {finding.row}: {text}")
    for table, count in rows.as_found.items():
        print_line(f"as found: {count} of {table}")
    print_line(f"{rows.compared} rows compared with the entries")


def _explain(finding: AuditFinding) -> str:
    return _TEXT_OF_CODE.get(finding.code, "something does not fit")


def _missing_file_finding(path: Path, report: AuditReport) -> dict[str, str | int]:
    """The finding that a checkpoint file is not there, at the size of the audit."""
    text = f"{path.name} is not there, so nothing outside the database vouches for it"
    if not report.checkpoints:
        text += "; a worker signs the first checkpoint soon after its start"
    return {"code": "audit.no_file", "at": report.size, "text": text}


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError as error:
        raise Invalid("audit.file", f"{path.name}: {error.strerror}") from error
