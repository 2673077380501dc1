"""`inbox message hold`, `end-hold`, `note`, `notes`: what people do with waiting messages."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from inbox.cli.backlog.row_words import RowWords
from inbox.cli.common.context import line_of
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage
from inbox.cli.common.output import print_json, print_line, print_table, printable
from inbox.cli.common.sign_in import (
    As,
    By,
    CodeFromStdin,
    MessageIdArgument,
    read_code,
    read_code_and_text,
    sign_in_as,
)
from inbox.cli.message.message_words import SAID
from inbox.days import in_norway, typed_day
from inbox.domain import HoldCause
from inbox.errors import Invalid
from inbox.line.moves import holds
from inbox.line.moves import notes as noting
from inbox.line.moves.notes import NoteView

_COLUMNS: Final = ("written_at", "person", "role", "unit", "shielding", "text")


def register(message: typer.Typer) -> None:
    """Add the commands to the group."""
    message.command()(hold)
    message.command("end-hold")(end_hold)
    message.command()(note)
    message.command()(notes)


def hold(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    because: Annotated[HoldCause, typer.Option(help="What the message waits for.")],
    last: Annotated[
        datetime,
        typer.Option(
            "--to",
            metavar="DATE",
            formats=["%Y-%m-%d"],
            help="The last day of the hold, at most 60 days ahead.",
        ),
    ],
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Put a message on hold for some days: lists show why it waits, but processing continues."""
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    capacity = sign_in_as(line, by, code, as_)
    until = holds.hold(line, capacity, message_id, cause=because, last_day=typed_day(last))
    ends = in_norway(until).isoformat(timespec="seconds")
    if as_json:
        print_json({"held_for": because.value, "held_until": ends})
    else:
        cause = SAID(f"hold_cause.{because}", language)
        print_line(SAID("hold.until", language, cause=cause, until=ends))


def end_hold(
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """End a hold before its last day, no matter who set it."""
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    holds.end_hold(line, sign_in_as(line, by, code, as_), message_id)
    print_line(SAID("done.hold_ended", language))


def note(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    file: Annotated[
        Path | None,
        typer.Option(help="The file with the text; the default is all of standard input."),
    ] = None,
    shielding: Annotated[
        str | None,
        typer.Option(help="Show the note only to people who are also cleared for this shielding."),
    ] = None,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Write a note for the people who handle a message; a note is never changed or deleted.

    With --code-from-stdin, the first line of standard input is the personal code.
    """
    line = line_of(ctx)
    if file is None:
        code, text = read_code_and_text(by, language, from_stdin=code_from_stdin)
    else:
        code, text = read_code(by, language, from_stdin=code_from_stdin), _text_of(file)
    capacity = sign_in_as(line, by, code, as_)
    note_id = noting.write_note(line, capacity, message_id, text=text.strip(), shielding=shielding)
    if as_json:
        print_json({"id": note_id})
    else:
        print_line(note_id)


def notes(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Show the notes on a message, oldest first, to a person who may write notes on it."""
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    found = noting.read_notes(line, sign_in_as(line, by, code, as_), message_id)
    rows = [_note_row(each) for each in found]
    if as_json:
        print_json(rows)
    else:
        words = RowWords.for_staff(language)
        worded = [row | {"role": words.cell("note", "role", row["role"])} for row in rows]
        print_table(*SAID.rows(worded, _COLUMNS, language))


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise Invalid("note.file", "the file cannot be read as text in UTF-8") from None


def _note_row(found: NoteView) -> dict[str, object]:
    return {
        "id": found.id,
        "written_at": found.written_at.isoformat(timespec="seconds"),
        "person": found.person,
        "role": found.role.value,
        "unit": found.unit,
        "shielding": found.shielding,
        "text": None if found.text is None else "\n".join(map(printable, found.text.split("\n"))),
    }
