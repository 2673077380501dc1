"""`inbox access ask`, `requests`, `accept`, `decline`: a person asks a leader for access."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from inbox.access.policy.vocabulary import Role
from inbox.cli.common.context import line_of
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage, StaffTexts
from inbox.cli.common.output import print_json, print_line, print_table, printable
from inbox.cli.common.sign_in import (
    As,
    By,
    CodeFromStdin,
    MessageIdArgument,
    read_code,
    read_code_and_reason,
    sign_in_as,
)
from inbox.line.access import requests as asking

_SAID: Final = StaffTexts(Path(__file__).with_name("temporary_access_texts.toml"))
_COLUMNS: Final = ("id", "person", "state", "asked_at", "reason")
RequestArgument = Annotated[
    str, typer.Argument(metavar="REQUEST", help="The id, as `requests` shows it.")
]


def register(access: typer.Typer) -> None:
    """Add the commands to the group."""
    access.command()(ask)
    access.command()(requests)
    access.command()(accept)
    access.command()(decline)


def ask(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = Role.HANDLER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Ask the leaders of its unit for access to a message that you may list and not open."""
    line = line_of(ctx)
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    request = asking.ask_access(line, sign_in_as(line, by, code, as_), message_id, reason=reason)
    if as_json:
        print_json({"request": request})
    else:
        print_line(_SAID("done.asked", language, request=request))


def requests(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    by: By,
    message_id: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="A message; without one, your own that wait."),
    ] = None,
    as_: As = Role.LEADER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """List the requests for access to a message, for its leaders and who asked; or your own."""
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    capacity = sign_in_as(line, by, code, as_)
    with line.store.reading() as tx:
        if message_id is None:
            found = asking.own_open_requests(line, tx, capacity)
        else:
            found = asking.requests_of(line, tx, capacity, message_id)
    rows: list[dict[str, object]] = [
        {
            "id": each.id,
            "person": each.person,
            "state": each.state.value,
            "asked_at": each.asked_at.isoformat(timespec="seconds"),
            "reason": printable(each.reason) or None,
        }
        for each in found
    ]
    if as_json:
        print_json(rows)
    else:
        worded = [row | {"state": _SAID(f"request.{row['state']}", language)} for row in rows]
        print_table(*_SAID.rows(worded, _COLUMNS, language))


def accept(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    request_id: RequestArgument,
    by: By,
    days: Annotated[
        int, typer.Option(min=1, max=90, help="The number of days that the access lasts.")
    ],
    as_: As = Role.LEADER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Give the access that somebody asked for, for some days, as the leader of its unit."""
    line = line_of(ctx)
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    capacity = sign_in_as(line, by, code, as_)
    with line.store.reading() as tx:
        until = tx.now + timedelta(days=days, seconds=1)
    asking.accept_request(line, capacity, request_id, until=until, reason=reason)
    print_line(_SAID("done.accepted", language))


def decline(
    ctx: typer.Context,
    request_id: RequestArgument,
    by: By,
    as_: As = Role.LEADER.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Decline to give the access that somebody asked for; they see that you have."""
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    asking.decline_request(line, sign_in_as(line, by, code, as_), request_id)
    print_line(_SAID("done.declined", language))
