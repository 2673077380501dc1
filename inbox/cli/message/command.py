"""`inbox message`: lists and shows messages by ids, states and times.

Titles only in a person's own list.
"""

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

import typer
from sqlmodel import Session, col, or_, select

from inbox.access.lists.search import MessageSearch
from inbox.access.policy.vocabulary import Action
from inbox.cli.backlog.list_output import OlderThan, SentAs, older_than, print_parts, sent_rows
from inbox.cli.backlog.row_words import RowWords
from inbox.cli.common.context import line_of, settings_of, store_of
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage, for_operators, for_staff
from inbox.cli.common.output import print_json, print_line, print_table, printable
from inbox.cli.common.shown_rows import columns_of, shown, shown_rows
from inbox.cli.common.sign_in import As, CodeFromStdin, choose_capacity, read_code
from inbox.cli.message import (
    assignment,
    erasures,
    missed_mail,
    notes,
    placement,
    quarantine,
    two_person,
)
from inbox.cli.message.message_words import SAID
from inbox.domain import MessageId, MessageState, UnitId
from inbox.errors import Invalid, NotFound
from inbox.language import TextLanguage
from inbox.line import Line
from inbox.line.backlog.sender_ids import SentRows
from inbox.line.people_lists import ListRequest, MessagePage, count, facets, page
from inbox.tables import Arrival, Delivery, Message, Outbox, Receipt, Task

message: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Where messages are, and where they go. Shows ids, states, codes, attempts and times, but"
    " nothing that says what a message is about, who sent it or whom it belongs to; the exceptions"
    " are titles in a person's own list, notes, and the envelope shown to those who decide about a"
    " quarantine.",
)
notes.register(message)
quarantine.register(message)
erasures.register(message)
missed_mail.register(message)
placement.register(message)
assignment.register(message)
two_person.register(message)


_PERSONAL_COLUMNS: Final = ("id", "state", "code", "received_at", "held_for", "held_until")
_TITLE_COLUMNS: Final = ("title", "case_title")
_OPERATOR_COLUMNS: Final = ("id", "state", "code", "attempts", "received_at", "due_at")
_OPERATOR_HEADS: Final = ("id", "state", "code", "attempts", "received_at", "next_try")


class _ListAction(StrEnum):
    """For what somebody lists."""

    LIST = Action.LIST.value
    ROUTE = Action.ROUTE.value


@dataclass(frozen=True, kw_only=True)
class _PersonalOptions:
    """What only a list of somebody's own can be asked for."""

    chosen: str | None
    action: _ListAction | None
    unit: str | None
    after: str | None
    titles: bool
    counts: bool
    code_from_stdin: bool
    language: TextLanguage | None


@dataclass(frozen=True, kw_only=True)
class _Sought:
    """What every list can be narrowed by."""

    state: MessageState | None
    sent_as: str | None
    hours: int | None


@message.command("list")
def list_messages(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    state: Annotated[str | None, typer.Option(help="Only messages in this state.")] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="The maximum number of messages to list.")
    ] = 50,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="ID", help="Only messages that this person may see."),
    ] = None,
    chosen: As = None,
    action: Annotated[
        _ListAction | None,
        typer.Option(help="Messages to work on (list), or messages to distribute (route)."),
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Only messages of this unit.")] = None,
    after: Annotated[
        str | None,
        typer.Option(help="Continue after the previous page, with the value that it printed."),
    ] = None,
    titles: Annotated[bool, typer.Option("--titles", help="Also show the titles.")] = False,
    counts: Annotated[
        bool,
        typer.Option("--counts", help="Count them by state, unit and shielding, and list none."),
    ] = False,
    sent_as: SentAs = None,
    hours: OlderThan = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """List messages, newest first: all messages, for operators, or those that a person may see.

    With --by, it is that person's own list, in one capacity and with their personal code; --action,
    --unit and --after narrow it. Titles are shown to a person who has them in their own list.
    --counts counts what can be listed without an entry in the audit.
    """
    sought = _Sought(state=None if state is None else _state(state), sent_as=sent_as, hours=hours)
    theirs = _PersonalOptions(
        chosen=chosen,
        action=action,
        unit=unit,
        after=after,
        titles=titles,
        counts=counts,
        code_from_stdin=code_from_stdin,
        language=None if by is None else language,
    )
    if by is not None and counts:
        _print_counts(ctx, by, theirs, sought, for_staff(language), as_json=as_json)
        return
    if by is not None:
        found = _page(ctx, by, theirs, sought, limit)
        _print_personal_list(found, for_staff(language), titles=titles, as_json=as_json)
        return
    if any(getattr(theirs, each.name) for each in fields(theirs)):
        raise Invalid("message.by", "say whose list it is with --by")
    _print_operator_list(ctx, sought, limit, for_operators(language), as_json=as_json)


def _list_request(
    ctx: typer.Context, by: str, theirs: _PersonalOptions, sought: _Sought
) -> tuple[Line, ListRequest, SentRows | None]:
    """What is asked for, and what `--sent-as` has found."""
    action = Action(theirs.action or _ListAction.LIST)
    if theirs.titles and action is not Action.LIST:
        raise Invalid("message.titles", "who distributes sees no titles")
    line = line_of(ctx)
    code = read_code(by, theirs.language, from_stdin=theirs.code_from_stdin)
    with line.store.reading() as tx:
        capacity = choose_capacity(tx, by, code, theirs.chosen)
        sent = sent_rows(ctx, line.store, tx, sought.sent_as)
    query = MessageSearch(
        states=() if sought.state is None else (sought.state,),
        unit=None if theirs.unit is None else UnitId(theirs.unit),
        received_before=None if sought.hours is None else tx.now - timedelta(hours=sought.hours),
    )
    return line, ListRequest(capacity=capacity, action=action, query=query), sent


def _print_counts(
    ctx: typer.Context,
    by: str,
    theirs: _PersonalOptions,
    sought: _Sought,
    language: TextLanguage,
    *,
    as_json: bool,
) -> None:
    line, asked, sent = _list_request(ctx, by, theirs, sought)
    if sent is not None or theirs.after is not None or theirs.titles:
        raise Invalid("message.counts", "--counts goes with --state, --unit and --older-than")
    found = facets(line, asked)
    rows: list[dict[str, object]] = [
        {"by": name, "value": value, "messages": number}
        for name, numbers in (
            ("state", found.states),
            ("unit", found.units),
            ("shielding", found.shieldings),
        )
        for value, number in sorted(numbers.items(), key=lambda each: str(each[0] or ""))
    ]
    total = count(line, asked)
    if as_json:
        print_json({"messages": total, "counts": rows})
        return
    words = RowWords(language=language)
    worded = [
        row
        | {
            "by": SAID(f"counted_by.{row['by']}", language),
            "value": words.cell("message", str(row["by"]), row["value"]),
        }
        for row in rows
    ]
    print_table(*SAID.rows(worded, ("by", "value", "messages"), language))
    print_line(SAID("counts.total", language, messages=total))


def _page(
    ctx: typer.Context, by: str, theirs: _PersonalOptions, sought: _Sought, limit: int
) -> MessagePage:
    line, asked, sent = _list_request(ctx, by, theirs, sought)
    query = asked.query
    if sent is None:
        return page(line, asked, after=theirs.after, at_most=limit)
    queries = [replace(query, message_id=MessageId(each)) for each in sorted(sent.messages)]
    pages = [page(line, replace(asked, query=each), at_most=limit) for each in queries[:limit]]
    return MessagePage(rows=tuple(row for each in pages for row in each.rows), cursor=None)


def _print_personal_list(
    found: MessagePage, language: TextLanguage, *, titles: bool, as_json: bool
) -> None:
    added = _TITLE_COLUMNS if titles else ()
    columns = (*_PERSONAL_COLUMNS, *added, "same_as", "damaged")
    rows = [
        columns_of(each.row, _PERSONAL_COLUMNS)
        | {name: _title(getattr(each, name)) for name in added}
        | {"same_as": " ".join(each.same_as) or None, "damaged": each.damaged}
        for each in found.rows
    ]
    if as_json:
        print_json({"messages": rows, "next": found.cursor})
        return
    said = RowWords(language=language)
    said.print_rows("message", rows, columns)
    if found.cursor is not None:
        print_line(said.text("list.next", cursor=found.cursor))


def _title(text: str | None) -> str | None:
    return None if text is None else printable(text)


def _print_operator_list(
    ctx: typer.Context, sought: _Sought, limit: int, language: TextLanguage, *, as_json: bool
) -> None:
    query = select(Message).order_by(col(Message.received_at).desc(), col(Message.id))
    if sought.state is not None:
        query = query.where(col(Message.state) == sought.state)
    store = store_of(settings_of(ctx))
    with store.reading() as tx:
        query = query.where(*older_than(col(Message.received_at), tx.now, sought.hours))
        sent = sent_rows(ctx, store, tx, sought.sent_as)
        if sent is not None:
            query = query.where(col(Message.id).in_(sent.messages))
        found = tx.exec(query.limit(limit + 1)).all()
        rows = [columns_of(row, _OPERATOR_COLUMNS) for row in found[:limit]]
    if as_json:
        print_json(rows)
        return
    said = RowWords(language=language)
    said.print_rows("message", rows, _OPERATOR_HEADS)
    if len(found) > limit:
        print_line(said.text("list.more", shown=limit))


@message.command()
def show(
    ctx: typer.Context,
    message_id: Annotated[str, typer.Argument(metavar="ID", help="The id of a message.")],
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Show a message with its arrivals, deliveries, events, receipts and tasks.

    Of each that is tried by itself it says how often it was, the code of the last attempt, and when
    the next is due.
    """
    with store_of(settings_of(ctx)).reading() as tx:
        parts = _message_with_rows(tx, message_id)
    print_parts(parts, for_operators(language), as_json=as_json)


def _message_with_rows(session: Session, message_id: str) -> dict[str, list[dict[str, object]]]:
    found = session.get(Message, message_id)
    if found is None:
        raise NotFound("message.unknown", "there is no message with this id")
    arrivals = session.exec(
        select(Arrival)
        .where(col(Arrival.message_id) == message_id)
        .order_by(col(Arrival.announced_at))
    ).all()
    deliveries = select(Delivery).where(col(Delivery.message_id) == message_id)
    events = select(Outbox).where(col(Outbox.message_id) == message_id)
    receipts = select(Receipt).where(col(Receipt.message_id) == message_id)
    about = or_(
        col(Task.message_id) == message_id,
        col(Task.subject_id).in_([message_id, *(each.id for each in arrivals)]),
    )
    return {
        "message": [shown(found)],
        "arrival": shown_rows(arrivals),
        "delivery": shown_rows(session.exec(deliveries.order_by(col(Delivery.number))).all()),
        "event": shown_rows(session.exec(events.order_by(col(Outbox.created_at))).all()),
        "receipt": shown_rows(session.exec(receipts.order_by(col(Receipt.chosen_at))).all()),
        "task": shown_rows(
            session.exec(select(Task).where(about).order_by(col(Task.opened_at))).all()
        ),
    }


def _state(text: str) -> MessageState:
    try:
        return MessageState(text.upper())
    except ValueError:
        raise Invalid("message.state", f"the states are {', '.join(MessageState)}") from None
