"""`inbox restore`: what an older database lacks, and two people who accept that it goes on."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlmodel import Session, col, func, select

from inbox.access.files.folder import read_policy_files
from inbox.access.files.versions import FilesByName, FilesOfVersion
from inbox.audit.entries_copy import EntriesCopy, read_copy
from inbox.audit.gap import gap_from, unfit_runs
from inbox.cli.common.context import line_of, settings_of
from inbox.cli.common.output import EXIT_FAILED, print_line
from inbox.cli.common.sign_in import CodeFromStdin, read_two_codes
from inbox.cli.directory.change_words import describe_change
from inbox.config import Settings, environment
from inbox.directory.apply import hash_references
from inbox.directory.diff import changes_of
from inbox.directory.format.csv_folder import read_folder
from inbox.directory.format.rows import Directory
from inbox.directory.format.toml_file import read_directory
from inbox.directory.restore import CODE_LIFE, TwoPeople, accept_gap, issue_restore_code
from inbox.directory.snapshot import directory_snapshot
from inbox.domain import WireId
from inbox.errors import Conflict, Invalid, PolicyError, Unavailable
from inbox.gateway import Gateway
from inbox.language import TextLanguage
from inbox.line import Line
from inbox.line.active_rule_books import read_rule_book_files
from inbox.line.intake import poll_gateway
from inbox.line.proposals.policy_or_rule_book import (
    POLICY_RULES,
    VersionedRules,
    compare,
    routing_rules_of,
)
from inbox.line.pulses import GATEWAY
from inbox.tables import Arrival, AuditGapRow, Pulse
from inbox.wiring import neighbour_tls, open_gateway

_LOUD: Final = "!!"
_OVERLAP: Final = timedelta(days=1)
"""What of the gateway's statuses is read from before: its clock is not ours."""


def restore(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    accept: Annotated[
        bool,
        typer.Option("--accept-gap", help="Accept that what is missing is lost; needs two people."),
    ] = False,
    issue_code: Annotated[
        str | None,
        typer.Option(
            "--issue-code",
            metavar="PERSON",
            help="Give a person a code for accepting this gap, shown only once.",
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="ID", help="One of the two who accept.")
    ] = None,
    with_: Annotated[str | None, typer.Option("--with", metavar="ID", help="The other.")] = None,
    directory_export: Annotated[
        Path | None,
        typer.Option(exists=True, help="The newest export of the directory: a file or a folder."),
    ] = None,
    policy_export: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="The newest policy folder."),
    ] = None,
    audit_export: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="An export of the audit, as of a standby; the default is `audit_copy`.",
        ),
    ] = None,
    checkpoints: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Another checkpoint file, of another machine; may be repeated.",
        ),
    ] = None,
    code_from_stdin: CodeFromStdin = False,
) -> None:
    """See what an older database lacks, and let two people accept that it goes on.

    Without options it shows what the checkpoints outside prove to be missing, what an export of the
    audit says of it, what the gateways still have, and how directory and policies differ from their
    newest exports; it ends with 1 while the gap is not accepted.

    --accept-gap shows the same and needs two people, both active in the newest directory export and
    one of them a security reviewer, each with a code of their own. An operator, who must have the
    key folder, gives each of them that code with --issue-code; it holds for two hours and for this
    gap only.
    """
    settings, line = settings_of(ctx), line_of(ctx)
    texts = [_text_of(path) for path in (settings.checkpoints, *(checkpoints or []))]
    if issue_code is not None:
        code = issue_restore_code(line, texts, issue_code)
        hours = CODE_LIFE.total_seconds() / 3600
        print_line(f"{issue_code}  {code}  (for {hours:.0f} hours and this gap, shown once)")
        return
    directory = None if directory_export is None else _read_directory(directory_export)
    if not _show_gap(line, texts):
        return
    _show_audit_copy(line, texts, _copy_path(settings, audit_export), demanded=accept)
    _show_gateways(line, settings, _last_known(line, texts))
    _show_directory(line, directory)
    _show_policies(line, policy_export)
    if not accept:
        print_line("nothing is accepted yet: see `inbox restore --help` for --accept-gap")
        raise typer.Exit(EXIT_FAILED)
    if by is None or with_ is None:
        raise Invalid("restore.people", "say who accepts: --by ID --with ID")
    first, second = read_two_codes(by, with_, TextLanguage.EN, from_stdin=code_from_stdin)
    people = TwoPeople(first=by, first_code=first, second=with_, second_code=second)
    entry = accept_gap(line, texts, people, directory=directory, checkpoints=settings.checkpoints)
    _show_accepted(entry, directory_export, policy_export)


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace") if path.exists() else ""
    except OSError as error:
        raise Invalid("audit.file", f"{path.name}: {error.strerror}") from error


def _read_directory(source: Path) -> Directory:
    return (
        read_folder(source)
        if source.is_dir()
        else read_directory(source.read_bytes(), file=source.name)
    )


def _show_gap(line: Line, texts: list[str]) -> bool:
    """What is missing; whether anything is."""
    with line.store.reading() as tx:
        runs = unfit_runs(tx, line.keyring, texts)
        gaps = [gap_from(tx, run[-1]) for run in runs]
        standing = tx.exec(select(AuditGapRow).where(col(AuditGapRow.accepted_at).is_(None))).all()
    for gap in gaps:
        print_line(f"{gap.code}: {gap.in_words()}")
        print_line(
            f"  the last checkpoint of what is lost: {gap.signed.size} entries, root"
            f" {gap.signed.root.hex()}"
        )
    for row in standing:
        print_line(
            f"  holds still since {row.found_at:%Y-%m-%d %H:%M} UTC, from {row.size} entries on"
        )
    if not gaps and standing:
        raise Conflict(
            "restore.no_checkpoint",
            "a gap was found, and none of the checkpoint files has the checkpoint that showed it:"
            " put the file back, or name the one that has it with --checkpoints",
        )
    if not gaps:
        print_line("the database is what was signed: nothing is missing")
    return bool(gaps)


def _copy_path(settings: Settings, given: Path | None) -> Path | None:
    return given or settings.audit_copy


def _show_audit_copy(line: Line, texts: list[str], path: Path | None, *, demanded: bool) -> None:
    """What an export has beyond this log. Raises `Invalid` where one is demanded and not there."""
    if path is None:
        print_line(
            f"{_LOUD} no export of the audit was given, and the settings name none"
            " (audit_copy): what happened in between is not known here"
        )
        return
    if not path.is_file():
        if demanded:
            raise Invalid(
                "restore.audit_copy",
                f"the settings demand an export of the audit, and {path.name} is not there: put it"
                " there, or give another with --audit-export",
            )
        print_line(f"{_LOUD} the settings demand an export of the audit: {path.name} is not there")
        return
    with line.store.reading() as tx:
        signed = unfit_runs(tx, line.keyring, texts)[0][-1]
        found = read_copy(tx, path, signed)
    for text in _copy_lines(found):
        print_line(text)


def _copy_lines(found: EntriesCopy) -> Iterator[str]:
    vouched = (
        "it has all that was signed"
        if found.signed
        else (
            f"{_LOUD} it ends before the last checkpoint: the newest of what is lost is not in it"
        )
    )
    beyond = found.size - found.common
    yield f"the export of the audit has {beyond} entries that are not here; {vouched}"
    yield from (f"  {number:>6} {event}" for event, number in found.events.items())
    yield f"they are about {len(found.messages)} messages"
    yield from (f"  {message_id}" for message_id in found.messages)


def _show_gateways(line: Line, settings: Settings, since: datetime) -> None:
    """Ask every gateway what waits, which is taken into custody, and what was taken meanwhile."""
    for each in settings.gateways:
        channel = each.channel
        with open_gateway(each, environment(), tls=neighbour_tls(settings)) as gateway:
            new = poll_gateway(line, gateway)
            taken = _taken_meanwhile(line, gateway, since)
        with line.store.reading() as tx:
            waiting = _unconfirmed(tx, channel)
            pulse = tx.get(Pulse, GATEWAY + channel)
        if pulse is not None and pulse.code is not None:
            print_line(f"{_LOUD} gateway {channel} does not answer ({pulse.code}): ask again later")
            continue
        print_line(
            f"gateway {channel}: {new} messages wait that were not known,"
            f" {waiting} are or will be in custody and wait for the gap to be accepted"
        )
        print_line(
            f"  {len(taken)} were taken from it since {since:%Y-%m-%d %H:%M} UTC and are not here"
            + (": ask their senders, by these ids of theirs, to send them again" if taken else "")
        )
        for wire_id in taken:
            print_line(f"    {wire_id}")


def _taken_meanwhile(line: Line, gateway: Gateway, since: datetime) -> list[WireId]:
    """What was taken from the gateway since then, was for us, and has no arrival here."""
    missing = []
    try:
        for page in gateway.taken(since - _OVERLAP):
            with line.store.reading() as tx:
                known = select(Arrival.wire_id).where(
                    col(Arrival.channel) == gateway.channel, col(Arrival.wire_id).in_(page)
                )
                here = {*tx.exec(known)}
            unknown = (each for each in dict.fromkeys(page) if each not in here)
            missing += [each for each in unknown if gateway.taken_notice(each) is not None]
    except Unavailable as error:
        print_line(
            f"{_LOUD} gateway {gateway.channel} does not say what was taken from it ({error.code}):"
            " compare its own pages with `inbox message list`"
        )
    return missing


def _last_known(line: Line, texts: list[str]) -> datetime:
    """When the newest entry was written that the database had as the gap was found."""
    with line.store.reading() as tx:
        found = tx.exec(
            select(AuditGapRow.newest_at).where(col(AuditGapRow.accepted_at).is_(None))
        ).first()
        runs = unfit_runs(tx, line.keyring, texts)
        newest = found or (gap_from(tx, runs[0][-1]).newest_at if runs else None)
        return tx.now if newest is None else datetime.fromisoformat(newest)


def _unconfirmed(session: Session, channel: str) -> int:
    return session.exec(
        select(func.count())
        .select_from(Arrival)
        .where(col(Arrival.channel) == channel, col(Arrival.confirmed_at).is_(None))
    ).one()


def _show_directory(line: Line, directory: Directory | None) -> None:
    if directory is None:
        print_line(
            f"{_LOUD} NO DIRECTORY EXPORT IS GIVEN (--directory-export): people who have left"
            " since are active here, and are believed to be"
        )
        return
    with line.store.reading() as tx:
        wanted = hash_references(line, directory)
        changes = changes_of(directory_snapshot(tx, wanted), wanted, tx.now)
    print_line(f"the directory differs from its export in {len(changes)} rows")
    for change in changes:
        print_line(f"  {describe_change(change)}")


def _show_policies(line: Line, folder: Path | None) -> None:
    if folder is None:
        print_line(
            f"{_LOUD} NO POLICY EXPORT IS GIVEN (--policy-export): rules that were narrowed since"
            " are wide here"
        )
        return
    _show_rules(line, POLICY_RULES, partial(read_policy_files, folder), "the policies")
    for organisation in sorted(line.organisations()):
        rules = routing_rules_of(organisation)
        files = partial(read_rule_book_files, folder, organisation)
        _show_rules(line, rules, files, f"the routing rules of {organisation}")


def _show_rules(
    line: Line, rules: VersionedRules, files_of: Callable[[], FilesByName], what: str
) -> None:
    """The difference; a folder that cannot be read keeps nobody from seeing the rest."""
    try:
        version = FilesOfVersion(files=files_of())
        with line.store.reading() as tx:
            compared = compare(tx, rules, version, new_digest=rules.read(version).digest)
    except (Invalid, PolicyError) as error:
        print_line(f"{_LOUD} {what} in the export cannot be compared: {error.code}")
        return
    print_line(f"{what}, from what is active here to the export:")
    for text in compared.text.splitlines():
        print_line(f"  {text}")


def _show_accepted(entry: int, directory: Path | None, policies: Path | None) -> None:
    print_line(f"accepted: entry {entry} says so for ever, and the log is signed as it is")
    print_line(
        "running processes go on at their next comparison, within five minutes; now, at once:"
    )
    source = "the newest export" if directory is None else directory.name
    print_line(f"  inbox directory import {source}   (two people: leavers lose their access again)")
    source = "the newest folder" if policies is None else f"--policies {policies.name}"
    print_line(f"  inbox policy propose {source}   if the policies differ")
    print_line("  inbox audit verify, and keep a copy of the checkpoints file on another machine")
