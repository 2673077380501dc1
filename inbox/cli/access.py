"""`inbox access`: who has access for a time; give it, take it, end it, review it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Final

import typer
from sqlmodel import Session, col, or_, select

from inbox.access.subject import Capacity
from inbox.access.words import Role
from inbox.cli.opening import line_of
from inbox.cli.telling import say, say_json, say_table
from inbox.directory import act_as, proves
from inbox.errors import Conflict, Invalid, NotFound
from inbox.line import Line
from inbox.line.moves import access as moves
from inbox.line.moves import review as reviews
from inbox.line.moves import standing
from inbox.line.moves.review import Outcome
from inbox.line.moves.standing import Standing
from inbox.message import PersonId, UnitId
from inbox.package.times import OSLO
from inbox.tables import Capacity as CapacityRow

access: Final = typer.Typer(
    no_args_is_help=True,
    help="Access for a time: grants, standing in, emergency access, and their review. Each command"
    " is one person's, with the own personal code; reasons are typed, never given as options.",
)

By = Annotated[str, typer.Option("--by", metavar="ID", help="The person who does it.")]
InUnit = Annotated[
    str | None, typer.Option("--unit", help="The unit to act in, if there are several.")
]
FromStdin = Annotated[
    bool,
    typer.Option(
        "--from-stdin",
        help="Read the personal code and, on the next line, the reason from standard input.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
MessageIdArgument = Annotated[str, typer.Argument(metavar="MESSAGE", help="The id of a message.")]
AccessIdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")]
_COLUMNS: Final = ("id", "kind", "person", "instead_of", "message_id", "given_by", "since", "until")


class _Looking(StrEnum):
    """As what somebody looks."""

    LEADER = Role.LEADER.value
    SECURITY_REVIEWER = Role.SECURITY_REVIEWER.value


class _Taking(StrEnum):
    """As what somebody takes emergency access."""

    HANDLER = Role.HANDLER.value
    LEADER = Role.LEADER.value


@access.command("list")
def list_access(
    ctx: typer.Context,
    by: By,
    role: Annotated[_Looking, typer.Option("--as", help="The role to look in.")] = _Looking.LEADER,
    unit: InUnit = None,
    from_stdin: FromStdin = False,
    as_json: Json = False,
) -> None:
    """List the access that stands in a leader's unit, or that a reviewer is to review."""
    line = line_of(ctx)
    code, _ = _typed(by, reason=False, from_stdin=from_stdin)
    capacity = _acting(line, by, Role(role), unit, code)
    look = standing.of_unit if role is _Looking.LEADER else standing.to_review
    _show(look(line, capacity), as_json=as_json)


@access.command()
def grant(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    to: Annotated[str, typer.Option("--to", metavar="ID", help="Who gets it: a case handler.")],
    days: Annotated[int, typer.Option(min=1, max=90, help="For how many days.")],
    unit: InUnit = None,
    from_stdin: FromStdin = False,
    as_json: Json = False,
) -> None:
    """Give a case handler access to one message for some days, as its unit's leader."""
    line = line_of(ctx)
    code, reason = _typed(by, from_stdin=from_stdin)
    row = moves.grant(
        line,
        _acting(line, by, Role.LEADER, unit, code),
        message_id,
        to=PersonId(to),
        lasts=timedelta(days=days),
        reason=reason,
    )
    _tell_until(row.id, row.active_until, as_json=as_json)


@access.command()
def delegate(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    absent: Annotated[str, typer.Argument(metavar="ABSENT", help="Who is away.")],
    substitute: Annotated[str, typer.Argument(metavar="SUBSTITUTE", help="Who stands in.")],
    by: By,
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="The last day.")],
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="The first day; now if not given.")
    ] = None,
    unit: InUnit = None,
    from_stdin: FromStdin = False,
    as_json: Json = False,
) -> None:
    """Let one case handler stand in for another in the leader's unit."""
    since, until = None if first is None else _midnight(first), _midnight(last, days=1)
    line = line_of(ctx)
    code, _ = _typed(by, reason=False, from_stdin=from_stdin)
    capacity = _acting(line, by, Role.LEADER, unit, code)
    row = moves.delegate(
        line,
        capacity,
        unit=UnitId(capacity.unit or ""),
        absent=PersonId(absent),
        substitute=PersonId(substitute),
        since=since,
        until=until,
    )
    _tell_until(row.id, row.active_until, as_json=as_json)


@access.command()
def breakglass(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    role: Annotated[_Taking, typer.Option("--as", help="The role to act in.")] = _Taking.HANDLER,
    unit: InUnit = None,
    from_stdin: FromStdin = False,
    as_json: Json = False,
) -> None:
    """Take emergency access to a message: the leader is told, and it will be reviewed."""
    line = line_of(ctx)
    code, reason = _typed(by, from_stdin=from_stdin)
    capacity = _acting(line, by, Role(role), unit, code)
    row = moves.breakglass(line, capacity, message_id, reason=reason)
    _tell_until(row.id, row.active_until, as_json=as_json)


@access.command()
def end(
    ctx: typer.Context,
    access_id: AccessIdArgument,
    by: By,
    unit: InUnit = None,
    from_stdin: FromStdin = False,
    as_json: Json = False,
) -> None:
    """End an assignment, a grant, an emergency access or a standing in, at once."""
    line = line_of(ctx)
    code, reason = _typed(by, from_stdin=from_stdin)
    capacity = _acting(line, by, Role.LEADER, unit, code)
    moves.end_access(line, capacity, access_id, reason=reason)
    _tell("ended", {"ended": access_id}, as_json=as_json)


@access.command()
def review(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    access_id: AccessIdArgument,
    by: By,
    outcome: Annotated[Outcome, typer.Option(help="What it came to.")],
    unit: InUnit = None,
    from_stdin: FromStdin = False,
    as_json: Json = False,
) -> None:
    """Say what a grant or an emergency access came to, as a reviewer who had no part in it."""
    line = line_of(ctx)
    code, reason = _typed(by, from_stdin=from_stdin)
    capacity = _acting(line, by, Role.SECURITY_REVIEWER, unit, code)
    reviews.review(line, capacity, access_id, outcome=outcome, reason=reason)
    _tell("reviewed", {"reviewed": access_id, "outcome": outcome.value}, as_json=as_json)


def _typed(by: str, *, from_stdin: bool, reason: bool = True) -> tuple[str, str]:
    """The personal code, typed unseen, and the reason; or both from standard input."""
    if not from_stdin:
        code = typer.prompt(f"Personal code of {by}", hide_input=True, err=True)
        return code, typer.prompt("Reason", err=True) if reason else ""
    lines = [text.strip() for text in sys.stdin.read().splitlines() if text.strip()]
    if len(lines) != 1 + reason:
        raise Invalid("access.lines", "standard input has a code and, where one is due, a reason")
    return lines[0], lines[1] if reason else ""


def _acting(line: Line, by: str, role: Role, unit: str | None, code: str) -> Capacity:
    """The person in this role, proved by the code; in the unit that was named, or the only one."""
    with line.store.reading() as (session, now):
        if not proves(session, now, by, code):
            raise Conflict("code.wrong", "the person or the code is wrong")
        units = [unit] if unit is not None else _units(session, now, by, role)
        if not units:
            raise NotFound("access.no_role", f"the person is no {role.value} here")
        if len(units) > 1:
            raise Invalid("access.which_unit", "name one of the person's units with --unit")
        return act_as(session, now, by, role=role, unit=units[0], code=code)


def _units(session: Session, now: datetime, by: str, role: Role) -> Sequence[str]:
    return session.exec(
        select(CapacityRow.unit)
        .distinct()
        .where(
            col(CapacityRow.person) == by,
            col(CapacityRow.role) == role.value,
            col(CapacityRow.active_from) <= now,
            or_(col(CapacityRow.active_until).is_(None), col(CapacityRow.active_until) > now),
        )
    ).all()


def _midnight(text: str, *, days: int = 0) -> datetime:
    """When that day begins in Norway, or so many days later."""
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise Invalid("access.date", "a day is written as 2026-12-31") from None
    return datetime.combine(day, time(), OSLO)


def _tell_until(access_id: str, until: datetime, *, as_json: bool) -> None:
    ends = until.isoformat(timespec="seconds")
    _tell(f"{access_id} until {ends}", {"id": access_id, "until": ends}, as_json=as_json)


def _tell(text: str, value: Mapping[str, str], *, as_json: bool) -> None:
    if as_json:
        say_json(value)
    else:
        say(text)


def _show(found: Sequence[Standing], *, as_json: bool) -> None:
    rows = [
        {
            name: value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
            for name, value in asdict(each).items()
        }
        for each in found
    ]
    if as_json:
        say_json(rows)
    else:
        say_table(rows, _COLUMNS)
