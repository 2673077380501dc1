"""`inbox directory`: import units, people and case systems; two people agree with their codes."""

import base64
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlmodel import Session, col, or_, select

from inbox import audit
from inbox.cli.opening import line_of, settings_of, store_of
from inbox.cli.telling import say, say_json, say_table
from inbox.directory import give_code, take_in, two_agree
from inbox.directory_file import read_directory
from inbox.errors import Conflict, Invalid
from inbox.tables import Capacity, Unit

directory: Final = typer.Typer(
    no_args_is_help=True,
    help="Units, people, case systems and personal codes. A change takes two people, each with"
    " the own personal code.",
)

By = Annotated[str, typer.Option("--by", metavar="ID", help="The person who proposes it.")]
With = Annotated[str, typer.Option("--with", metavar="ID", help="Another person, who approves.")]
FromStdin = Annotated[
    bool,
    typer.Option(
        "--codes-from-stdin",
        help="Read the two codes from standard input, a line each, first that of --by.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@directory.command("import")
def import_file(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A TOML file.")],
    by: By,
    with_: With,
    codes_from_stdin: FromStdin = False,
    as_json: Json = False,
) -> None:
    """Add what is new in a directory file; what is there stays.

    Prints the keys of new case systems, and the secrets (Standard Webhooks form) that their events
    are signed with: shown now and never again.
    """
    read = read_directory(file.read_bytes())
    line = line_of(ctx)
    first, second = two_codes(by, with_, from_stdin=codes_from_stdin)
    try:
        with line.store.transaction() as (session, now):
            approved_by = two_agree(session, now, (by, first), (with_, second))
            made = take_in(line, session, now, read, approved_by=approved_by)
    except Conflict as error:
        if error.code != "database.taken":
            raise
        raise _does_not_fit() from error
    _show_keys(made, as_json=as_json)


@directory.command()
def show(ctx: typer.Context, as_json: Json = False) -> None:
    """Show the living units, their case systems, and how many people stand for each role."""
    with store_of(settings_of(ctx)).reading() as (session, now):
        living = select(Unit).where(
            col(Unit.active_from) <= now,
            or_(col(Unit.active_until).is_(None), col(Unit.active_until) > now),
        )
        rows = [
            {
                "unit": unit.id,
                "name": unit.name,
                "organisation": unit.organisation,
                "case_system": unit.case_system,
                "people": _roles(session, unit.id),
            }
            for unit in session.exec(living.order_by(col(Unit.id)))
        ]
    if as_json:
        say_json(rows)
    else:
        say_table(rows, ("unit", "name", "organisation", "case_system", "people"))


@directory.command()
def code(
    ctx: typer.Context,
    person: Annotated[str, typer.Argument(help="Whose code it is.")],
    by: By,
    with_: With,
    codes_from_stdin: FromStdin = False,
) -> None:
    """Give a person a new personal code, shown now and never again; the old one ends."""
    store = store_of(settings_of(ctx))
    first, second = two_codes(by, with_, from_stdin=codes_from_stdin)
    with store.transaction() as (session, now):
        approved_by = two_agree(session, now, (by, first), (with_, second))
        made = give_code(session, person)
        audit.record(
            session, audit.Entry(event="person:code_approved", who=approved_by, subject=person)
        )
    say(made)


def two_codes(by: str, with_: str, *, from_stdin: bool) -> tuple[str, str]:
    """The personal codes of the two, typed unseen, or from standard input."""
    if not from_stdin:
        return (
            typer.prompt(f"Personal code of {by}", hide_input=True, err=True),
            typer.prompt(f"Personal code of {with_}", hide_input=True, err=True),
        )
    lines = [text.strip() for text in sys.stdin.read().splitlines() if text.strip()]
    if len(lines) != 2:  # noqa: PLR2004 - a code each
        raise Invalid("codes.lines", "standard input has two lines, a code each")
    return lines[0], lines[1]


def _roles(session: Session, unit: str) -> str:
    """How many capacities of each role live in a unit."""
    roles = session.exec(
        select(Capacity.role).where(
            col(Capacity.unit) == unit, col(Capacity.active_until).is_(None)
        )
    )
    return ", ".join(f"{count} {role}" for role, count in sorted(Counter(roles).items()))


def _show_keys(made: Mapping[str, tuple[str, bytes]], *, as_json: bool) -> None:
    shown = {
        system: {"key": key, "secret": "whsec_" + base64.b64encode(secret).decode()}
        for system, (key, secret) in made.items()
    }
    if as_json:
        say_json(shown)
        return
    say("imported" if not shown else "imported; keys and secrets, shown now and never again:")
    for system, both in shown.items():
        say(f"  {system}  key {both['key']}")
        say(f"  {system}  secret {both['secret']}")


def _does_not_fit() -> Invalid:
    return Invalid(
        "directory.reference",
        "the file names a unit, a person or a case system that is neither in it nor known",
    )
