"""`inbox message erasures`: which messages will be erased, and when, before it happens."""

from datetime import timedelta
from typing import Annotated

import typer
from sqlmodel import col, select

from inbox.cli.common.context import settings_of, store_of
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage, for_operators
from inbox.cli.common.output import print_json, print_line, print_table
from inbox.cli.message.message_words import SAID
from inbox.domain import MessageState
from inbox.tables import Message
from inbox.wiring import terms_of


def register(app: typer.Typer) -> None:
    """Add the command to `inbox message`."""
    app.command("erasures")(list_erasures)


def list_erasures(
    ctx: typer.Context,
    days: Annotated[
        int, typer.Option(min=0, max=3650, help="What is due within so many days from now.")
    ] = 7,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """List the messages whose content is erased next, the first one first: a preview.

    Erased is what was answered and kept for `terms.keep_content_days`, at most
    `terms.erasures_per_hour` by each worker, and only while a gateway confirms the clock. Nothing
    is changed by asking.
    """
    settings = settings_of(ctx)
    terms = terms_of(settings)
    with store_of(settings).reading() as tx:
        answered_before = tx.now + timedelta(days=days) - terms.keep_content
        found = tx.exec(
            select(Message)
            .where(
                col(Message.state) == MessageState.ANSWERED,
                col(Message.answered_at) <= answered_before,
            )
            .order_by(col(Message.answered_at), col(Message.id))
        ).all()
    rows = [
        {
            "id": row.id,
            "answered_at": row.answered_at.isoformat(),
            "erased_from": (row.answered_at + terms.keep_content).isoformat(),
            "code": row.code,
        }
        for row in found
        if row.answered_at is not None
    ]
    if as_json:
        print_json(rows)
        return
    spoken, most = for_operators(language), terms.erasures_per_hour
    print_table(*SAID.rows(rows, ("id", "answered_at", "erased_from", "code"), spoken))
    print_line(SAID("erasures.total", spoken, messages=len(rows), days=days, most=most))
