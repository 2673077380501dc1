"""`inbox message missed`: mail that could not be fetched from a gateway."""

from typing import Final

import typer
from sqlmodel import col, select

from inbox.cli.backlog.row_words import RowWords
from inbox.cli.common.context import settings_of, store_of
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage, for_operators
from inbox.cli.common.output import print_json
from inbox.domain import ArrivalState, TaskState
from inbox.tables import Arrival, Task

_COLUMNS: Final = (
    *("id", "channel", "service", "organisation", "wire_id", "code"),
    *("announced_at", "expires_at", "task"),
)


def register(app: typer.Typer) -> None:
    """Add the command to `inbox message`."""
    app.command("missed")(list_missed)


def list_missed(ctx: typer.Context, language: InLanguage = None, as_json: Json = False) -> None:
    """List the mail that could not be fetched from a gateway, newest first, with its task.

    The wire id is that of the sender: by it the integrasjonspunkt's own conversations say who sent
    the message and when. Nothing that it is about is shown.
    """
    query = (
        select(Arrival, Task.id)
        .join(
            Task,
            (col(Task.subject_id) == col(Arrival.id)) & (col(Task.state) == TaskState.OPEN),
            isouter=True,
        )
        .where(col(Arrival.state) == ArrivalState.MISSED)
        .order_by(col(Arrival.announced_at).desc(), col(Arrival.id))
    )
    with store_of(settings_of(ctx)).reading() as tx:
        rows = [
            {
                "id": arrival.id,
                "channel": arrival.channel,
                "service": arrival.service.value,
                "organisation": arrival.organisation,
                "wire_id": arrival.wire_id,
                "code": arrival.code,
                "announced_at": arrival.announced_at.isoformat(timespec="seconds"),
                "expires_at": None
                if arrival.expires_at is None
                else arrival.expires_at.isoformat(timespec="seconds"),
                "task": task,
            }
            for arrival, task in tx.exec(query)
        ]
    if as_json:
        print_json(rows)
    else:
        RowWords(language=for_operators(language)).print_rows("arrival", rows, _COLUMNS)
