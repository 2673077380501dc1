"""`inbox message take`, `assign`, `declare-conflict`, `register`: who works on a message."""

from typing import Annotated

import typer

from inbox.access.policy.vocabulary import Role
from inbox.cli.common.context import line_of
from inbox.cli.common.language import InLanguage
from inbox.cli.common.output import print_line
from inbox.cli.common.sign_in import (
    As,
    By,
    CodeFromStdin,
    MessageIdArgument,
    perform_as,
    read_code,
    read_code_and_reference,
    sign_in_as,
)
from inbox.cli.message.message_words import SAID
from inbox.cli.message.placement import seen_version
from inbox.domain import PersonId
from inbox.line.moves import conflicts, unit
from inbox.line.moves.conflicts import ConflictAbout


def register(message: typer.Typer) -> None:
    """Add the commands to the group."""
    message.command()(take)
    message.command()(assign)
    message.command("declare-conflict")(declare_conflict)
    message.command("register")(register_by_hand)


def take(
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = Role.HANDLER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Take a message that is assigned to nobody, in a unit that shares such messages."""
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    unit.take(line, sign_in_as(line, by, code, as_), message_id)
    print_line(SAID("done.taken", language))


def assign(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    to: Annotated[str, typer.Option("--to", metavar="ID", help="The case handler who gets it.")],
    as_: As = Role.LEADER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Assign a message to a case handler of its unit (tildele), as the unit's leader."""
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    unit.assign(line, sign_in_as(line, by, code, as_), message_id, to=PersonId(to))
    print_line(SAID("done.assigned", language))


def declare_conflict(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    about: Annotated[
        ConflictAbout,
        typer.Option(help="The message alone, all mail of its sender, or all mail of its case."),
    ],
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Declare your own conflict of interest (melde inhabilitet) with a message that you may list.

    Your assignments and access end at once, and a leader gets a task. Two others can end it.
    """
    code = read_code(by, language, from_stdin=code_from_stdin)
    perform_as(
        ctx,
        by,
        code,
        as_,
        lambda line, who: conflicts.declare_conflict(line, who, message_id, about=about),
    )
    print_line(SAID("done.conflict_declared", language))


def register_by_hand(
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = Role.HANDLER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Register a message by hand (journalført): its sender gets the receipt.

    The archive's reference is typed, or is the second line of standard input.
    """
    line = line_of(ctx)
    code, reference = read_code_and_reference(by, language, from_stdin=code_from_stdin)
    capacity, version = sign_in_as(line, by, code, as_), seen_version(line, message_id)
    unit.register(line, capacity, message_id, reference=reference, expected_version=version)
    print_line(SAID("done.registered", language))
