"""`inbox message`: where messages are. Ids, states, codes, attempts and times; nothing more."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import typer
from sqlmodel import Session, col, or_, select

from inbox.cli.opening import settings_of, store_of
from inbox.cli.telling import say, say_json, say_table
from inbox.errors import Invalid, NotFound
from inbox.message import MessageState
from inbox.tables import Arrival, Delivery, Message, Receipt, Row, Task

message: Final = typer.Typer(
    no_args_is_help=True,
    help="Where messages are. Ids, states, codes, attempts and times: nothing that says what a"
    " message is about, who sent it or whose it is.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_LISTED: Final = ("id", "state", "code", "attempts", "received_at", "due_at")
_SHOWN: Final[Mapping[type[Row], Sequence[str]]] = {
    Message: (*_LISTED, "registered_at", "refused_at", "answered_at", "erased_at"),
    Arrival: (
        *("id", "state", "code", "attempts", "misses", "announced_at", "stored_at"),
        *("confirmed_at", "expires_at", "due_at"),
    ),
    Delivery: (
        *("id", "number", "state", "code", "offered_at", "collected_at"),
        *("accepted_at", "settled_at"),
    ),
    Receipt: (
        *("id", "number", "outcome", "state", "code", "attempts", "chosen_at", "sent_at"),
        *("settled_at", "due_at"),
    ),
    Task: ("id", "kind", "state", "code", "opened_at", "closed_at"),
}
"""All that is ever shown of a row: a closed list, whatever columns a table gets."""


@message.command("list")
def list_messages(
    ctx: typer.Context,
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List messages, the newest first."""
    query = select(Message).order_by(col(Message.received_at).desc(), col(Message.id)).limit(limit)
    if state is not None:
        query = query.where(col(Message.state) == _state(state))
    with store_of(settings_of(ctx)).reading() as (session, _):
        rows = [_shown(row, _LISTED) for row in session.exec(query)]
    if as_json:
        say_json(rows)
    else:
        say_table(rows, _LISTED)


@message.command()
def show(
    ctx: typer.Context,
    message_id: Annotated[str, typer.Argument(metavar="ID", help="The id of a message.")],
    as_json: Json = False,
) -> None:
    """Show a message with its arrivals, deliveries, receipts and tasks."""
    with store_of(settings_of(ctx)).reading() as (session, _):
        parts = _parts(session, message_id)
    if as_json:
        say_json(parts)
        return
    for kind, rows in parts.items():
        for row in rows:
            say(kind)
            for name, value in row.items():
                if value is not None:
                    say(f"  {name:<14} {value}")


def _parts(session: Session, message_id: str) -> dict[str, list[dict[str, object]]]:
    found = session.get(Message, message_id)
    if found is None:
        raise NotFound("message.unknown", "there is no message with this id")
    arrivals = select(Arrival).where(col(Arrival.message_id) == message_id)
    deliveries = select(Delivery).where(col(Delivery.message_id) == message_id)
    receipts = select(Receipt).where(col(Receipt.message_id) == message_id)
    about = or_(col(Task.message_id) == message_id, col(Task.subject_id) == message_id)
    return {
        "message": [_shown(found, _SHOWN[Message])],
        "arrival": _all(session.exec(arrivals.order_by(col(Arrival.announced_at))).all()),
        "delivery": _all(session.exec(deliveries.order_by(col(Delivery.number))).all()),
        "receipt": _all(session.exec(receipts.order_by(col(Receipt.chosen_at))).all()),
        "task": _all(session.exec(select(Task).where(about).order_by(col(Task.opened_at))).all()),
    }


def _all(rows: Iterable[Arrival | Delivery | Receipt | Task]) -> list[dict[str, object]]:
    return [_shown(row, _SHOWN[type(row)]) for row in rows]


def _shown(row: Row, names: Sequence[str]) -> dict[str, object]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value.value if isinstance(value, StrEnum) else value


def _state(text: str) -> MessageState:
    try:
        return MessageState(text.upper())
    except ValueError:
        raise Invalid("message.state", f"the states are {', '.join(MessageState)}") from None
