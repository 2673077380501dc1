"""What the lists of what waits have in common: filters, an end that is said, ages, ids in full."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, TypeVar

import typer
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Mapped
from sqlmodel import Session

from inbox.cli.backlog.row_words import RowWords
from inbox.cli.common.context import keyring_of, settings_of, store_of
from inbox.cli.common.output import print_json, print_line
from inbox.errors import Invalid
from inbox.language import TextLanguage
from inbox.line.backlog.sender_ids import SentRows, rows_sent_as
from inbox.store import Store

E = TypeVar("E", bound=StrEnum)

SentAs = Annotated[
    str | None,
    typer.Option(
        "--sent-as",
        metavar="ID",
        help="Only what came under this id of the sender's: of the message, or its conversation.",
    ),
]
OlderThan = Annotated[
    int | None,
    typer.Option("--older-than", metavar="HOURS", min=0, help="Only what is older than this."),
]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="The maximum number to list.")]
Channel = Annotated[str | None, typer.Option(help="Only of this channel.")]
DEFAULT_LIMIT: Final = 50


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Rows to print, at most so many, and whether there are more."""

    name: str
    part: str
    """What each row is about; the key of its words."""
    columns: Sequence[str]
    rows: Sequence[Mapping[str, object]]
    more: bool = False

    def show(self, language: TextLanguage, *, as_json: bool) -> None:
        """Print them; that there are more is said in both forms."""
        if as_json:
            print_json({self.name: list(self.rows), "more": self.more})
            return
        said = RowWords(language=language)
        said.print_rows(self.part, self.rows, self.columns)
        if self.more:
            print_line(said.text("list.more", shown=len(self.rows)))


def listing(
    name: str, columns: Sequence[str], rows: Sequence[Mapping[str, object]], at_most: int
) -> Listing:
    """The first rows of those that were found; a query asks for one more than is shown."""
    part = _PART_OF[name]
    more = len(rows) > at_most
    return Listing(name=name, part=part, columns=columns, rows=rows[:at_most], more=more)


_PART_OF: Final = {
    "arrivals": "arrival",
    "deliveries": "delivery",
    "messages": "message",
    "proposals": "proposal",
    "receipts": "receipt",
    "tasks": "task",
}


def print_parts(
    parts: Mapping[str, Sequence[Mapping[str, object]]], language: TextLanguage, *, as_json: bool
) -> None:
    """Print one thing in its parts, a line for each column that holds something."""
    if as_json:
        print_json(parts)
    else:
        RowWords(language=language).print_parts(parts)


def word_of(words: type[E], text: str | None, code: str) -> E | None:
    """The member that the text names. Raises `Invalid` with all that there are."""
    if text is None:
        return None
    found = next((word for word in words if word.value.lower() == text.lower()), None)
    if found is None:
        raise Invalid(code, f"it is one of {', '.join(words)}")
    return found


def older_than(
    column: Mapped[datetime], now: datetime, hours: int | None
) -> list[ColumnElement[bool]]:
    """The filter of an age; none where none was asked for."""
    return [] if hours is None else [column <= now - timedelta(hours=hours)]


def age(now: datetime, since: datetime) -> str:
    """How long ago, in the two largest units: 3d 4h, 4h 5m, 5m."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes % 60}m" if hours else f"{minutes}m"


def store_for(ctx: typer.Context) -> Store:
    """The database, for lists that nobody signs in for."""
    return store_of(settings_of(ctx))


def sent_rows(
    ctx: typer.Context, store: Store, session: Session, sender_id: str | None
) -> SentRows | None:
    """What came under the sender's id; None where none was asked for."""
    if sender_id is None:
        return None
    return rows_sent_as(session, keyring_of(settings_of(ctx), store), sender_id.strip())
