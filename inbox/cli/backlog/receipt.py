"""`inbox receipt`: the answers to senders, and those that failed."""

from typing import Annotated, Final

import typer
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.cli.backlog.list_output import (
    DEFAULT_LIMIT,
    Limit,
    OlderThan,
    SentAs,
    age,
    listing,
    older_than,
    sent_rows,
    store_for,
    word_of,
)
from inbox.cli.backlog.row_words import RowWords
from inbox.cli.common.context import line_of
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage, for_operators
from inbox.cli.common.output import print_line
from inbox.cli.common.shown_rows import COLUMNS_OF, columns_of
from inbox.cli.common.sign_in import (
    As,
    By,
    CodeFromStdin,
    MessageIdArgument,
    read_code_and_reason,
    sign_in_as,
)
from inbox.domain import ReceiptState
from inbox.line.moves import archive_staff
from inbox.tables import Receipt

receipt: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The receipts (kvitteringer) that answer senders, by ids, states, codes and ages. One that"
    " failed, or is impossible, is sent again by an archivist, or accepted as it is.",
)

_COLUMNS: Final = ("id", "message_id", "state", "code", "attempts", "next_try", "age")
_SHOWN: Final = (*COLUMNS_OF[Receipt], "message_id")


@receipt.command("list")
def list_receipts(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    state: Annotated[str | None, typer.Option(help="Only receipts in this state.")] = None,
    code: Annotated[str | None, typer.Option(help="Only receipts with this code.")] = None,
    sent_as: SentAs = None,
    hours: OlderThan = None,
    limit: Limit = DEFAULT_LIMIT,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """List receipts that are not settled, oldest first: on their way, failed or impossible.

    With --state or --sent-as, also those that are settled: confirmed, or accepted as they are.
    """
    wanted = word_of(ReceiptState, state, "receipt.state")
    store = store_for(ctx)
    with store.reading() as tx:
        query = select(Receipt).order_by(col(Receipt.chosen_at), col(Receipt.id))
        query = query.where(*older_than(col(Receipt.chosen_at), tx.now, hours))
        if wanted is not None:
            query = query.where(col(Receipt.state) == wanted)
        elif sent_as is None:
            query = query.where(col(Receipt.settled_at).is_(None))
        if code is not None:
            query = query.where(col(Receipt.code) == code)
        found = sent_rows(ctx, store, tx, sent_as)
        if found is not None:
            query = query.where(col(Receipt.message_id).in_(found.messages))
        rows = [
            columns_of(row, _SHOWN) | {"age": age(tx.now, row.chosen_at)}
            for row in tx.exec(query.limit(limit + 1))
        ]
    listing("receipts", _COLUMNS, rows, limit).show(for_operators(language), as_json=as_json)


@receipt.command("send-again")
def send_again(
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = Role.ARCHIVIST.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Send the receipt of a message again that failed, or was impossible.

    The reason is typed, or is the second line of standard input.
    """
    line = line_of(ctx)
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    archive_staff.resend(line, sign_in_as(line, by, code, as_), message_id, reason=reason)
    print_line(RowWords.for_staff(language).text("done.chosen"))


@receipt.command()
def accept(
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = Role.ARCHIVIST.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Accept that the sender cannot be answered here: the message counts as answered.

    The reason, such as how the sender was informed instead, is typed, or is the second line of
    standard input.
    """
    line = line_of(ctx)
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    archive_staff.accept_failure(line, sign_in_as(line, by, code, as_), message_id, reason=reason)
    print_line(RowWords.for_staff(language).text("done.answered"))
