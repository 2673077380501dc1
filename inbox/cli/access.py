"""`inbox access`: list, grant, delegate, use emergency access, end and review access."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from inbox.access.policy.vocabulary import Role
from inbox.cli import access_requests
from inbox.cli.backlog.row_words import RowWords
from inbox.cli.common.context import line_of
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage, StaffTexts
from inbox.cli.common.output import print_json, print_line, print_table
from inbox.cli.common.sign_in import (
    As,
    By,
    CodeFromStdin,
    MessageIdArgument,
    read_code,
    read_code_and_reason,
    sign_in_as,
)
from inbox.days import in_norway, read_day, start_of_day
from inbox.domain import PersonId, UnitId
from inbox.errors import Invalid
from inbox.language import TextLanguage
from inbox.line.access import grants as moves
from inbox.line.access import open_access
from inbox.line.access import review as reviews
from inbox.line.access.figures import unit_figures
from inbox.line.access.open_access import OpenAccess
from inbox.line.access.review import ReviewOutcome
from inbox.line.proposals import conflict_end

access: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Temporary access: grants, substitutes, emergency access, and their review. One person"
    " performs each command, with their own personal code; reasons are typed, never given as"
    " options.",
)

access_requests.register(access)

AccessIdArgument = Annotated[str, typer.Argument(metavar="ID", help="The id, as `list` shows it.")]
_SAID: Final = StaffTexts(Path(__file__).with_name("temporary_access_texts.toml"))
_COLUMNS: Final = ("id", "kind", "person", "instead_of", "message_id", "given_by", "since", "until")


@access.command("list")
def list_access(
    ctx: typer.Context,
    by: By,
    as_: As = Role.LEADER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """List the access in force in a leader's unit, or the access that a reviewer must review."""
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    capacity = sign_in_as(line, by, code, as_)
    reviews_it = capacity.role is Role.SECURITY_REVIEWER
    look = open_access.access_to_review if reviews_it else open_access.open_access_in_unit
    _print_access(look(line, capacity), language, as_json=as_json)


@access.command()
def grant(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    to: Annotated[
        str, typer.Option("--to", metavar="ID", help="The case handler who gets access.")
    ],
    days: Annotated[
        int, typer.Option(min=1, max=90, help="The number of days that the access lasts.")
    ],
    as_: As = Role.LEADER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Give a case handler access to one message for some days, as the leader of its unit."""
    line = line_of(ctx)
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    row = moves.grant(
        line,
        sign_in_as(line, by, code, as_),
        message_id,
        to=PersonId(to),
        duration=timedelta(days=days),
        reason=reason,
    )
    _print_period(row.id, row.active_until, language, as_json=as_json)


@access.command()
def delegate(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    absent: Annotated[str, typer.Argument(metavar="ABSENT", help="The person who is away.")],
    substitute: Annotated[str, typer.Argument(metavar="SUBSTITUTE", help="The substitute.")],
    by: By,
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="The last day.")],
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="The first day; the default is now."),
    ] = None,
    as_: As = Role.LEADER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Let one case handler substitute for another in the leader's unit."""
    since, until = None if first is None else _midnight(first), _midnight(last, days=1)
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    capacity = sign_in_as(line, by, code, as_)
    row = moves.delegate(
        line,
        capacity,
        unit=UnitId(capacity.unit or ""),
        absent=PersonId(absent),
        substitute=PersonId(substitute),
        since=since,
        until=until,
    )
    _print_period(row.id, row.active_until, language, as_json=as_json)


@access.command()
def breakglass(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = Role.HANDLER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Take emergency access to a message; the leader is notified, and the access is reviewed."""
    line = line_of(ctx)
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    capacity = sign_in_as(line, by, code, as_)
    row = moves.breakglass(line, capacity, message_id, reason=reason)
    _print_period(row.id, row.active_until, language, as_json=as_json)


@access.command()
def end(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    access_id: AccessIdArgument,
    by: By,
    as_: As = Role.LEADER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """End an assignment, a grant, an emergency access or a substitution immediately."""
    line = line_of(ctx)
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    capacity = sign_in_as(line, by, code, as_)
    moves.end_access(line, capacity, access_id, reason=reason)
    _print_result(_SAID("done.ended", language), {"ended": access_id}, as_json=as_json)


@access.command()
def review(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    access_id: AccessIdArgument,
    by: By,
    outcome: Annotated[ReviewOutcome, typer.Option(help="The result of the review.")],
    as_: As = Role.SECURITY_REVIEWER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Record the result of reviewing a grant or an emergency access that you had no part in."""
    line = line_of(ctx)
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    capacity = sign_in_as(line, by, code, as_)
    reviews.review(line, capacity, access_id, outcome=outcome, reason=reason)
    _print_result(
        _SAID("done.reviewed", language),
        {"reviewed": access_id, "outcome": outcome.value},
        as_json=as_json,
    )


@access.command()
def figures(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="The id of the unit.")],
    by: By,
    as_: As = Role.RECORDS_MANAGER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Count the messages of a unit by state, and those that were placed three times or more.

    For the records manager; the audit says that the figures were shown.
    """
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    found = unit_figures(line, sign_in_as(line, by, code, as_), UnitId(unit))
    counts = {state.value: number for state, number in sorted(found.states.items())}
    if as_json:
        print_json({"unit": unit, "states": counts, "escalated": found.escalated})
        return
    said = RowWords.for_staff(language)
    rows: list[dict[str, object]] = [
        {"state": state, "messages": number} for state, number in counts.items()
    ]
    rows.append({"state": said.text("figures.escalated"), "messages": found.escalated})
    said.print_rows("message", rows, ("state", "messages"))


@access.command()
def conflicts(
    ctx: typer.Context,
    by: By,
    as_: As = Role.LEADER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """List the conflicts of interest of the people whom you lead; not with whom they are."""
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    found = conflict_end.staff_conflicts(line, sign_in_as(line, by, code, as_))
    rows: list[dict[str, object]] = [
        asdict(each) | {"since": each.since.isoformat(timespec="seconds")} for each in found
    ]
    if as_json:
        print_json(rows)
    else:
        worded = [row | {"about": _SAID(f"about.{row['about']}", language)} for row in rows]
        print_table(*_SAID.rows(worded, ("id", "person", "about", "since"), language))


@access.command("propose-conflict-end")
def propose_conflict_end(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    conflict_id: Annotated[
        str, typer.Argument(metavar="CONFLICT", help="The id, as `conflicts` shows it.")
    ],
    by: By,
    as_: As = Role.LEADER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Propose that a conflict of interest ends; a security reviewer approves it."""
    line = line_of(ctx)
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    capacity = sign_in_as(line, by, code, as_)
    proposal = conflict_end.propose_end(line, capacity, conflict_id, reason=reason)
    text = _SAID("done.proposed", language, proposal=proposal)
    _print_result(text, {"proposal": proposal}, as_json=as_json)


def _midnight(text: str, *, days: int = 0) -> datetime:
    """When that day begins in Norway, or so many days later."""
    try:
        return start_of_day(read_day(text) + timedelta(days=days))
    except (ValueError, OverflowError):
        raise Invalid("access.date", "a day is written as 2026-12-31") from None


def _print_period(
    access_id: str, until: datetime, language: TextLanguage | None, *, as_json: bool
) -> None:
    ends = in_norway(until).isoformat(timespec="seconds")
    text = _SAID("done.until", language, access=access_id, until=ends)
    _print_result(text, {"id": access_id, "until": ends}, as_json=as_json)


def _print_result(text: str, value: Mapping[str, str], *, as_json: bool) -> None:
    if as_json:
        print_json(value)
    else:
        print_line(text)


def _print_access(
    found: Sequence[OpenAccess], language: TextLanguage | None, *, as_json: bool
) -> None:
    rows = [
        {
            name: value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
            for name, value in asdict(each).items()
        }
        for each in found
    ]
    if as_json:
        print_json(rows)
    else:
        worded = [row | {"kind": _SAID.word("kind", str(row["kind"]), language)} for row in rows]
        print_table(*_SAID.rows(worded, _COLUMNS, language))
