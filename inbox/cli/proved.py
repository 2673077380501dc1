"""Who acts on the command line: a person who proves it with the own personal code."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

import typer
from sqlmodel import col, select

from inbox.access.subject import Capacity
from inbox.access.words import Role
from inbox.cli.opening import line_of
from inbox.directory import act_as, proves
from inbox.errors import Conflict, NotFound, NotPermitted
from inbox.line import Line
from inbox.store import Store
from inbox.tables import Capacity as CapacityRow

T = TypeVar("T")

Actor = Annotated[str, typer.Option("--by", metavar="ID", help="Who does it: your own id.")]


@dataclass(frozen=True, kw_only=True)
class Acting:
    """A person who has proved it in this request, and all that they stand for today."""

    line: Line
    capacities: tuple[Capacity, ...]

    def do(self, move: Callable[[Line, Capacity], T]) -> T:
        """The move in the first capacity that may; each is asked about for itself."""
        refused: NotFound | None = None
        for capacity in self.capacities:
            try:
                return move(self.line, capacity)
            except NotFound as error:
                if refused is None or refused.code == NotFound().code:
                    refused = error
        if refused is not None and refused.code != NotFound().code:
            raise refused
        raise NotPermitted(
            "not_permitted", "it is not there, or nothing that you stand for today may do it"
        )


def acting(ctx: typer.Context, person: str, code: str, organisation: str | None = None) -> Acting:
    """Everything that the person stands for, in one organisation if it is named.

    Raises `Conflict` if the code is not theirs.
    """
    line = line_of(ctx)
    found = _capacities(line.store, person, code)
    if organisation is not None:
        found = tuple(each for each in found if each.organisation == organisation)
    return Acting(line=line, capacities=found)


def _capacities(store: Store, person: str, code: str) -> tuple[Capacity, ...]:
    with store.reading() as (session, now):
        if not proves(session, now, person, code):
            raise Conflict("code.wrong", "a person or a code is wrong")
        rows = session.exec(
            select(CapacityRow.role, CapacityRow.unit)
            .where(col(CapacityRow.person) == person)
            .order_by(col(CapacityRow.role), col(CapacityRow.unit))
            .distinct()
        ).all()
        found = []
        for role, unit in rows:
            try:
                found.append(act_as(session, now, person, role=Role(role), unit=unit, code=code))
            except NotFound:  # It is over, or has not begun.
                continue
    return tuple(found)


def reason_of(*, from_stdin: bool) -> str:
    """Why: typed, or the line of standard input after the code; never an option, which others see.

    Empty where nothing was said: the move refuses that.
    """
    if not from_stdin:
        typed: str = typer.prompt("Why", err=True)
        return typed
    return sys.stdin.readline().strip()
