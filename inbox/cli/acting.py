"""Who asks: one person, proved with the personal code, in exactly one capacity."""

import sys
from datetime import datetime
from typing import Annotated, Final

import typer
from sqlmodel import Session, col, or_, select

from inbox.access.subject import Capacity
from inbox.access.words import Role
from inbox.directory import act_as, proves
from inbox.errors import Conflict, Invalid
from inbox.tables import Capacity as CapacityRow

CodeFromStdin = Annotated[
    bool,
    typer.Option("--code-from-stdin", help="Read the personal code from standard input, a line."),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="ROLE@UNIT",
        help="The capacity to ask in; needed where the person has more than one.",
    ),
]
_SEPARATOR: Final = "@"


def one_code(by: str, *, from_stdin: bool) -> str:
    """The personal code, typed unseen, or the next line of standard input."""
    if not from_stdin:
        typed: str = typer.prompt(f"Personal code of {by}", hide_input=True, err=True)
        return typed
    code = sys.stdin.readline().strip()
    if not code:
        raise Invalid("codes.lines", "standard input has a line with the code")
    return code


def acting(session: Session, now: datetime, person: str, code: str, chosen: str | None) -> Capacity:
    """The capacity that was chosen, or the only one. Nothing is told before the code is proved.

    Raises `Conflict` for a wrong person or code, `Invalid` where a choice is to be made.
    """
    if not proves(session, now, person, code):
        raise Conflict("code.wrong", "a person or a code is wrong")
    rows = session.exec(
        select(CapacityRow.role, CapacityRow.unit).where(
            col(CapacityRow.person) == person,
            col(CapacityRow.active_from) <= now,
            or_(col(CapacityRow.active_until).is_(None), col(CapacityRow.active_until) > now),
        )
    )
    has = {f"{role}{_SEPARATOR}{unit}": (role, unit) for role, unit in rows}
    if chosen is None and len(has) == 1:
        chosen = next(iter(has))
    if chosen not in has:
        raise Invalid("capacity.choose", f"say --as, one of: {', '.join(sorted(has)) or 'none'}")
    role, unit = has[chosen]
    return act_as(session, now, person, role=Role(role), unit=unit, code=code)
