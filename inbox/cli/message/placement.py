"""`inbox message place`, `undo`, `release`, `withdraw`, `hand-back`, `duplicate`, `recheck`.

They say where it goes.

A reason is typed, or is the second line of standard input; it is never an option.
"""

from typing import Annotated

import typer

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
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
    read_code_and_reason,
    sign_in_as,
)
from inbox.cli.message.message_words import SAID
from inbox.line import Line
from inbox.line.moves import archive_staff, unit
from inbox.tables import Message


def register(message: typer.Typer) -> None:
    """Add the commands to the group."""
    message.command()(place)
    message.command()(undo)
    message.command()(release)
    message.command()(withdraw)
    message.command("hand-back")(hand_back)
    message.command()(duplicate)
    message.command()(recheck)


def seen_version(line: Line, message_id: str) -> int:
    """The version that the message has now; whether it may be moved is asked of the rules."""
    with line.store.reading() as tx:
        row = tx.get(Message, message_id)
    return 0 if row is None else row.version


def place(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    to: Annotated[str, typer.Option("--to", metavar="UNIT", help="The id of the unit.")],
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Release it to the unit's case system, too.")
    ] = False,
    as_: As = Role.ARCHIVIST.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Give a message to a unit (fordele), which then decides whether to release it."""
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    capacity, version = sign_in_as(line, by, code, as_), seen_version(line, message_id)
    move = archive_staff.place_and_release if at_once else archive_staff.place
    move(line, capacity, message_id, unit=to, expected_version=version)
    with line.store.reading() as tx:
        print_line(SAID(f"done.{tx.get_one(Message, message_id).state.lower()}", language))


def undo(
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Undo your own placing, or your own release before the case system is offered it (angre)."""
    code = read_code(by, language, from_stdin=code_from_stdin)

    def move(line: Line, capacity: Capacity) -> None:
        version = seen_version(line, message_id)
        archive_staff.undo(line, capacity, message_id, expected_version=version)

    perform_as(ctx, by, code, as_, move)
    print_line(SAID("done.undone", language))


def release(
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Release a message to its unit's case system; it can be withdrawn in the first minutes."""
    code = read_code(by, language, from_stdin=code_from_stdin)

    def move(line: Line, capacity: Capacity) -> None:
        version = seen_version(line, message_id)
        unit.release(line, capacity, message_id, expected_version=version)

    perform_as(ctx, by, code, as_, move)
    print_line(SAID("done.released", language))


def withdraw(
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Withdraw a message before its case system has collected it; after that two people must.

    See `propose-withdrawal`.
    """
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)

    def move(line: Line, capacity: Capacity) -> None:
        version = seen_version(line, message_id)
        unit.withdraw(line, capacity, message_id, expected_version=version, reason=reason)

    perform_as(ctx, by, code, as_, move)
    print_line(SAID("done.withdrawn", language))


def hand_back(
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Hand a message back to archive staff, because it is not for this unit (ikke vår)."""
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)

    def move(line: Line, capacity: Capacity) -> None:
        version = seen_version(line, message_id)
        unit.hand_back(line, capacity, message_id, expected_version=version, reason=reason)

    perform_as(ctx, by, code, as_, move)
    print_line(SAID("done.handed_back", language))


def duplicate(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    original: Annotated[
        str, typer.Option("--of", metavar="MESSAGE", help="The message that was registered.")
    ],
    as_: As = Role.ARCHIVIST.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Register a message as a duplicate of one with the same documents from the same sender."""
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    capacity, version = sign_in_as(line, by, code, as_), seen_version(line, message_id)
    archive_staff.mark_duplicate(
        line, capacity, message_id, original_id=original, expected_version=version
    )
    print_line(SAID("done.registered", language))


def recheck(
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = Role.ARCHIVIST.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Check a message in quarantine again: a certificate or a list may have come since."""
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    capacity, version = sign_in_as(line, by, code, as_), seen_version(line, message_id)
    archive_staff.recheck(line, capacity, message_id, expected_version=version)
    print_line(SAID("done.rechecked", language))
