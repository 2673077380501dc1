"""`inbox message take`, `assign`, `register`: who works on a message, and its reference."""

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
    read_code,
    read_code_and_reference,
    sign_in_as,
)
from inbox.cli.message.message_words import SAID
from inbox.cli.message.placement import seen_version
from inbox.domain import PersonId
from inbox.line.moves import unit


def register(message: typer.Typer) -> None:
    """Add the commands to the group."""
    message.command()(take)
    message.command()(assign)
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
