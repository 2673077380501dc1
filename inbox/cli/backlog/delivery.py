"""`inbox delivery`: what was offered to case systems, and the events about it."""

from datetime import datetime
from typing import Annotated, Final

import typer
from sqlalchemy import ScalarSelect
from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Role
from inbox.cli.backlog.list_output import (
    DEFAULT_LIMIT,
    Limit,
    OlderThan,
    SentAs,
    age,
    listing,
    older_than,
    print_parts,
    sent_rows,
    store_for,
    word_of,
)
from inbox.cli.common.context import line_of
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage, for_operators
from inbox.cli.common.output import print_line
from inbox.cli.common.shown_rows import COLUMNS_OF, columns_of, shown_rows
from inbox.cli.common.sign_in import As, By, CodeFromStdin, read_code, sign_in_as
from inbox.domain import DeliveryState
from inbox.errors import NotFound
from inbox.language import TextLanguage
from inbox.line.moves import events
from inbox.line.moves.registration import ACTIVE_DELIVERY_STATES
from inbox.tables import Delivery, Outbox, Task

delivery: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="What was offered to case systems, by ids, states, codes and ages: never to which one. An"
    " operator can send a case system another event about a delivery.",
)

DeliveryArgument = Annotated[str, typer.Argument(metavar="DELIVERY", help="The id of a delivery.")]
_COLUMNS: Final = (
    *("delivery_id", "message_id", "state", "code"),
    *("event", "event_code", "attempts", "next_try", "age"),
)


@delivery.command("list")
def list_deliveries(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    state: Annotated[str | None, typer.Option(help="Only deliveries in this state.")] = None,
    code: Annotated[
        str | None, typer.Option(help="Only with this code, of the delivery or its last event.")
    ] = None,
    sent_as: SentAs = None,
    hours: OlderThan = None,
    limit: Limit = DEFAULT_LIMIT,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """List deliveries that stand open, oldest first, each with its newest event.

    With --state or --sent-as, also those that have ended.
    """
    wanted = word_of(DeliveryState, state, "delivery.state")
    store = store_for(ctx)
    with store.reading() as tx:
        query = (
            select(Delivery, Outbox)
            .join(Outbox, col(Outbox.id) == _newest_event(), isouter=True)
            .order_by(col(Delivery.offered_at), col(Delivery.id))
            .where(*older_than(col(Delivery.offered_at), tx.now, hours))
        )
        if wanted is not None:
            query = query.where(col(Delivery.state) == wanted)
        elif sent_as is None:
            query = query.where(col(Delivery.state).in_(ACTIVE_DELIVERY_STATES))
        if code is not None:
            query = query.where((col(Delivery.code) == code) | (col(Outbox.code) == code))
        found = sent_rows(ctx, store, tx, sent_as)
        if found is not None:
            query = query.where(col(Delivery.message_id).in_(found.messages))
        rows = [_row(each, event, tx.now) for each, event in tx.exec(query.limit(limit + 1))]
    listing("deliveries", _COLUMNS, rows, limit).show(for_operators(language), as_json=as_json)


def _newest_event() -> ScalarSelect[str]:
    return (
        select(Outbox.id)
        .where(col(Outbox.delivery_id) == col(Delivery.id))
        .order_by(col(Outbox.created_at).desc(), col(Outbox.id))
        .limit(1)
        .correlate(Delivery)
        .scalar_subquery()
    )


def _row(row: Delivery, event: Outbox | None, now: datetime) -> dict[str, object]:
    told = {} if event is None else columns_of(event, ("state", "code", "attempts", "due_at"))
    return columns_of(row, ("id", "message_id", "number", "state", "code", "offered_at")) | {
        "event": told.get("state"),
        "event_code": told.get("code"),
        "attempts": told.get("attempts"),
        "next_try": told.get("next_try"),
        "age": age(now, row.offered_at),
    }


@delivery.command()
def show(
    ctx: typer.Context,
    delivery_id: DeliveryArgument,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Show a delivery with every event about it, and the tasks of its message."""
    with store_for(ctx).reading() as tx:
        parts = _delivery_with_events(tx, delivery_id)
    print_parts(parts, for_operators(language), as_json=as_json)


def _delivery_with_events(session: Session, delivery_id: str) -> dict[str, list[dict[str, object]]]:
    found = session.get(Delivery, delivery_id)
    if found is None:
        raise NotFound("delivery.unknown", "there is no delivery with this id")
    told = select(Outbox).where(col(Outbox.delivery_id) == delivery_id)
    tasks = select(Task).where(col(Task.message_id) == found.message_id)
    return {
        "delivery": [columns_of(found, (*COLUMNS_OF[Delivery], "message_id"))],
        "event": shown_rows(session.exec(told.order_by(col(Outbox.created_at))).all()),
        "task": shown_rows(session.exec(tasks.order_by(col(Task.opened_at))).all()),
    }


@delivery.command("send-again")
def send_again(
    ctx: typer.Context,
    delivery_id: DeliveryArgument,
    by: By,
    as_: As = Role.OPERATOR.value,
    code_from_stdin: CodeFromStdin = False,
) -> None:
    """Send the case system another event about a delivery that it has not answered, now.

    An event that waits for its next try is tried now; else there is a new one under an id of its
    own.
    """
    line = line_of(ctx)
    code = read_code(by, TextLanguage.EN, from_stdin=code_from_stdin)
    capacity = sign_in_as(line, by, code, as_)
    is_new = events.tell_again(line, capacity, delivery_id)
    print_line("a new event is on its way" if is_new else "its event is tried now")
