"""`inbox directory`: units, people and case systems.

A change that widens access needs two people.
"""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Action
from inbox.access.question import OfInstallation
from inbox.cli.common.access_reader import Caller, check_may_read_access
from inbox.cli.common.context import line_of, settings_of, store_of
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage, for_operators, for_staff
from inbox.cli.common.output import print_json, print_line, print_table
from inbox.cli.common.private_screen import is_private_screen, show_privately
from inbox.cli.common.sign_in import As, CodeFromStdin, read_code, read_two_codes
from inbox.cli.directory.change_words import SAID, role_word
from inbox.cli.directory.view import changes_json, print_changes, print_impact, print_result
from inbox.days import read_day, start_of_day
from inbox.directory import check_code, new_code, replace_code
from inbox.directory.apply import hash_references, plan_changes
from inbox.directory.format.csv_folder import read_folder, write_folder
from inbox.directory.format.rows import Directory
from inbox.directory.format.toml_file import directory_text, read_directory
from inbox.directory.impact import directory_impact
from inbox.directory.proposal import (
    Credentials,
    authorize_person,
    issue_code_with_approver,
    preview,
    submit,
    submit_with_approver,
)
from inbox.directory.proposal import approve as approve_change
from inbox.directory.snapshot import directory_now, directory_on
from inbox.errors import Invalid
from inbox.language import TextLanguage
from inbox.sign_in.binding_codes import issue_binding_code
from inbox.store import Transaction
from inbox.tables import CapacityRow, Unit
from inbox.tables.periods import active_on

directory: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Units, people, case systems and personal codes. A change that widens access requires two"
    " people, each with their own personal code.",
)

Source = Annotated[Path, typer.Argument(exists=True, help="A TOML file, or a folder of CSV files.")]
By = Annotated[str, typer.Option("--by", metavar="ID", help="The person who proposes the change.")]
_UNIT_COLUMNS: Final = ("unit", "name", "organisation", "parent", "case_system", "people")
OwnId = Annotated[str, typer.Option("--by", metavar="ID", help="Your own id.")]
With = Annotated[str, typer.Option("--with", metavar="ID", help="Another person, who approves it.")]


@directory.command("import")
def import_file(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    source: Source,
    by: By,
    with_: Annotated[
        str | None,
        typer.Option(
            "--with", metavar="ID", help="Another person, who approves it in the same command."
        ),
    ] = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Import a directory: apply it at once if it only narrows access, otherwise propose it.

    With --with, two people are present, and the import is proposed and approved in one command.
    Prints the changes and the keys of new case systems, with the secrets (Standard Webhooks form)
    that their events are signed with. Keys and secrets are shown when they are created and never
    again.
    """
    read, line = _read_source(source), line_of(ctx)
    if with_ is None:
        first = Credentials(person=by, code=read_code(by, language, from_stdin=code_from_stdin))
        result = submit(line, first, read)
    else:
        first, second = _two_signatures(by, with_, language, from_stdin=code_from_stdin)
        result = submit_with_approver(line, first, second, read)
    print_result(result, for_staff(language), as_json=as_json)


@directory.command()
def approve(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    proposal: Annotated[
        str, typer.Argument(help="The id of the proposal, as `import` printed it.")
    ],
    by: OwnId,
    acknowledge: Annotated[
        str | None,
        typer.Option(metavar="DIGEST", help="The digest of the changes that you were shown."),
    ] = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Show what another person proposed; with --acknowledge, apply it exactly as shown."""
    line = line_of(ctx)
    me = Credentials(person=by, code=read_code(by, language, from_stdin=code_from_stdin))
    if acknowledge is None:
        print_result(preview(line, me, proposal), for_staff(language), as_json=as_json)
        return
    result = approve_change(line, me, proposal, acknowledged=acknowledge)
    print_result(result, for_staff(language), as_json=as_json)


@directory.command()
def diff(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    source: Source,
    people: Annotated[
        bool, typer.Option("--people", help="Also count the messages that people gain and lose.")
    ] = False,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="ID", help="Your own id, for --people; you must have `access_read`."
        ),
    ] = None,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Show what an import would change, without changing anything.

    A row with `(widens)` gives somebody more access, so the import requires two people. --people
    is only for a person who may know who has access, as for a change of policy.
    """
    read, line = _read_source(source), line_of(ctx)
    if people is not bool(by):
        raise Invalid("directory.by", "--people shows who can see what: say who you are with --by")
    differences = None
    if by:
        who = Caller.with_typed_code(by, as_, language, from_stdin=code_from_stdin)
        check_may_read_access(settings_of(ctx), who, "directory:impact_read", read.organisation)
        differences = directory_impact(line, read)
    with line.store.reading() as tx:
        changes = plan_changes(line, tx, hash_references(line, read))
    if as_json:
        print_json(changes_json(changes, differences))
        return
    print_changes(changes, for_staff(language))
    if differences is not None:
        print_impact(differences, for_staff(language))


@directory.command()
def export(
    ctx: typer.Context,
    by: OwnId,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FOLDER", help="Write CSV files to this folder; do not print TOML."
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="The directory as it was at the beginning of this day."),
    ] = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Write the organisation's directory, with people's names, as `import` reads it; audited.

    Case references are not included.
    """
    line = line_of(ctx)
    moment = None if on is None else _day(on)
    me = Credentials(person=by, code=read_code(by, language, from_stdin=code_from_stdin))
    with line.store.transaction() as tx:
        authorized = authorize_person(line, tx, me, Action.DIRECTORY_EDIT, OfInstallation())
        organisation = authorized.capacity.organisation
        if moment is None:
            found = directory_now(tx, organisation)
        else:
            found = directory_on(tx, organisation, moment)
        authorized.record(event="directory:exported", subject=organisation, message_id=None)
    if csv is None:
        print_line(directory_text(found).rstrip("\n"))
    else:
        write_folder(csv, found)


def _day(text: str) -> datetime:
    try:
        return start_of_day(read_day(text))
    except (ValueError, OverflowError):
        raise Invalid("directory.day", "a day is written as 2026-01-31") from None


@directory.command()
def show(ctx: typer.Context, language: InLanguage = None, as_json: Json = False) -> None:
    """Show the active units, their case systems, and how many people have each role."""
    spoken = TextLanguage.EN if as_json else for_operators(language)
    with store_of(settings_of(ctx)).reading() as tx:
        living = select(Unit).where(
            active_on(Unit, tx.now),
        )
        rows = [
            {
                "unit": unit.id,
                "name": unit.name,
                "organisation": unit.organisation,
                "parent": unit.parent,
                "case_system": unit.case_system,
                "people": _roles(tx, unit.id, spoken),
            }
            for unit in tx.exec(living.order_by(col(Unit.id)))
        ]
    if as_json:
        print_json(rows)
    else:
        heads = {name: SAID(f"units.{name}", spoken) for name in _UNIT_COLUMNS}
        worded = [{heads[name]: row[name] for name in _UNIT_COLUMNS} for row in rows]
        print_table(worded, [*heads.values()])


@directory.command()
def code(
    ctx: typer.Context,
    person: Annotated[str, typer.Argument(help="The person who gets the code.")],
    by: By,
    with_: With,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Give a person a new personal code, shown only once; the old code stops working.

    This requires a person who may propose a change of the directory, and another person who may
    approve it.
    """
    line = line_of(ctx)
    first, second = _two_signatures(by, with_, language, from_stdin=code_from_stdin)
    _show_code(person, issue_code_with_approver(line, first, second, person), language)


@directory.command("binding-code")
def binding_code(
    ctx: typer.Context,
    person: Annotated[str, typer.Argument(help="The person who gets the code.")],
    by: By,
    with_: With,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Give a person a code to type once, after the first sign-in on the pages.

    It says whose identity it is that has just signed in at the provider. It is shown only once,
    works once and for seven days; one that was given before stops working. This requires the same
    two people as `code`.
    """
    line = line_of(ctx)
    first, second = _two_signatures(by, with_, language, from_stdin=code_from_stdin)
    _show_code(person, issue_binding_code(line, first, second, person), language)


@directory.command("own-code")
def own_code(
    ctx: typer.Context,
    by: OwnId,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Replace your own personal code: type the one you have, and see a new one.

    The old code stops working, and the audit says so. On a terminal nothing is changed before you
    have seen the new one. Nobody else is needed; a person who has lost the code asks two others.
    """
    store = store_of(settings_of(ctx))
    old = read_code(by, language, from_stdin=code_from_stdin)
    with store.transaction() as tx:
        check_code(tx, by, old)
    fresh = new_code()
    if is_private_screen():
        show_privately(by, fresh, language)
    with store.transaction() as tx:
        replace_code(tx, by, old, code=fresh)
    print_line(SAID("done.old_code_ended", language) if is_private_screen() else fresh)


def _show_code(person: str, code: str, language: TextLanguage | None) -> None:
    """On a terminal to that person alone; elsewhere as a line."""
    if is_private_screen():
        show_privately(person, code, language)
    else:
        print_line(code)


def _two_signatures(
    by: str, with_: str, language: TextLanguage | None, *, from_stdin: bool
) -> tuple[Credentials, Credentials]:
    first, second = read_two_codes(by, with_, language, from_stdin=from_stdin)
    return Credentials(person=by, code=first), Credentials(person=with_, code=second)


def _read_source(source: Path) -> Directory:
    return (
        read_folder(source)
        if source.is_dir()
        else read_directory(source.read_bytes(), file=source.name)
    )


def _roles(tx: Transaction, unit: str, language: TextLanguage) -> str:
    """How many capacities of each role live in a unit."""
    roles = tx.exec(
        select(CapacityRow.role).where(
            col(CapacityRow.unit) == unit,
            active_on(CapacityRow, tx.now),
        )
    )
    return ", ".join(
        f"{count} {role_word(role, language)}" for role, count in sorted(Counter(roles).items())
    )
