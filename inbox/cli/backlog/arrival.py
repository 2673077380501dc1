"""`inbox arrival`: what is announced at a gateway and not ours yet, or was missed."""

from dataclasses import asdict
from typing import Annotated, Final

import typer
from sqlmodel import Session, col, or_, select

from inbox.access.policy.vocabulary import Role
from inbox.cli.backlog.list_output import (
    DEFAULT_LIMIT,
    Channel,
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
from inbox.cli.backlog.row_words import RowWords
from inbox.cli.common.context import line_of
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage, for_operators, for_reader
from inbox.cli.common.output import print_json, print_line
from inbox.cli.common.shown_rows import COLUMNS_OF, columns_of, printable_value, shown_rows
from inbox.cli.common.sign_in import (
    As,
    By,
    CodeFromStdin,
    read_code,
    read_code_and_reason,
    sign_in_as,
)
from inbox.domain import ArrivalState
from inbox.errors import NotFound
from inbox.line.backlog.arrival_envelope import show_arrival_envelope
from inbox.line.moves import archive_staff
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.tables import Arrival, Task

arrival: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="What came on a channel: announced, stored, confirmed or missed. Lists show ids, channel,"
    " states, codes and ages; who sent it is shown to people who distribute mail. What was missed"
    " is fetched again by one person, and given up by two.",
)

ArrivalIdArgument = Annotated[str, typer.Argument(metavar="ARRIVAL", help="The id of an arrival.")]
_COLUMNS: Final = (
    *("id", "state", "code", "channel", "service", "wire_id"),
    *("attempts", "misses", "next_try", "age"),
)
_PLAIN: Final = ("id", "state", "code", "channel", "service", "wire_id", "attempts", "misses")
_ALL: Final = (
    *("channel", "service", "organisation", "wire_id", "message_id"),
    *COLUMNS_OF[Arrival],
)


@arrival.command("list")
def list_arrivals(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    state: Annotated[str | None, typer.Option(help="Only arrivals in this state.")] = None,
    code: Annotated[str | None, typer.Option(help="Only arrivals with this code.")] = None,
    channel: Channel = None,
    sent_as: SentAs = None,
    hours: OlderThan = None,
    limit: Limit = DEFAULT_LIMIT,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """List arrivals, newest first, without those that are confirmed or given up.

    With --state or --sent-as, also those.
    """
    wanted = word_of(ArrivalState, state, "arrival.state")
    store = store_for(ctx)
    with store.reading() as tx:
        query = select(Arrival).order_by(col(Arrival.announced_at).desc(), col(Arrival.id))
        if wanted is not None:
            query = query.where(col(Arrival.state) == wanted)
        elif sent_as is None:
            query = query.where(
                col(Arrival.state).not_in([ArrivalState.CONFIRMED, ArrivalState.ABANDONED])
            )
        if code is not None:
            query = query.where(col(Arrival.code) == code)
        if channel is not None:
            query = query.where(col(Arrival.channel) == channel)
        found = sent_rows(ctx, store, tx, sent_as)
        if found is not None:
            query = query.where(col(Arrival.id).in_(found.arrivals))
        query = query.where(*older_than(col(Arrival.announced_at), tx.now, hours))
        rows = [
            columns_of(row, (*_PLAIN, "due_at", "announced_at", "expires_at"))
            | {"age": age(tx.now, row.announced_at)}
            for row in tx.exec(query.limit(limit + 1))
        ]
    listing("arrivals", _COLUMNS, rows, limit).show(for_operators(language), as_json=as_json)


@arrival.command()
def show(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    arrival_id: ArrivalIdArgument,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="ID", help="Also show its envelope, to this person who distributes."
        ),
    ] = None,
    as_: As = Role.ARCHIVIST.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Show an arrival with its tasks; with --by, who sent it and when, as its envelope says."""
    if by is not None:
        line = line_of(ctx)
        code = read_code(by, language, from_stdin=code_from_stdin)
        envelope = show_arrival_envelope(line, sign_in_as(line, by, code, as_), arrival_id)
    with store_for(ctx).reading() as tx:
        parts = _arrival_with_tasks(tx, arrival_id)
    if by is not None:
        told = {name: printable_value(value) for name, value in asdict(envelope).items()}
        parts["envelope"] = [told]
    print_parts(parts, for_reader(language, by), as_json=as_json)


def _arrival_with_tasks(session: Session, arrival_id: str) -> dict[str, list[dict[str, object]]]:
    found = session.get(Arrival, arrival_id)
    if found is None:
        raise NotFound("arrival.unknown", "there is no arrival with this id")
    about = or_(col(Task.subject_id) == arrival_id, col(Task.subject_id) == found.message_id)
    tasks = select(Task).where(about).order_by(col(Task.opened_at))
    return {"arrival": [columns_of(found, _ALL)], "task": shown_rows(session.exec(tasks).all())}


@arrival.command("fetch-again")
def fetch_again(
    ctx: typer.Context,
    arrival_id: ArrivalIdArgument,
    by: By,
    as_: As = Role.ARCHIVIST.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Fetch a missed arrival from its gateway again, now."""
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    capacity = sign_in_as(line, by, code, as_)
    with line.store.reading() as tx:
        row = tx.get(Arrival, arrival_id)
    version = 0 if row is None else row.version
    archive_staff.refetch(line, capacity, arrival_id, expected_version=version)
    print_line(RowWords.for_staff(language).text("done.announced"))


@arrival.command("propose-abandon")
def propose_abandon(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    arrival_id: ArrivalIdArgument,
    by: By,
    as_: As = Role.ARCHIVIST.value,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Propose to give up a missed arrival; another person approves it: `inbox proposal approve`.

    The reason is typed, or is the second line of standard input.
    """
    line = line_of(ctx)
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    proposal = message_proposals.propose(
        line, sign_in_as(line, by, code, as_), ProposalKind.ABANDON, arrival_id, reason=reason
    )
    if as_json:
        print_json({"proposal": proposal})
    else:
        print_line(RowWords.for_staff(language).text("done.proposed", proposal=proposal))
