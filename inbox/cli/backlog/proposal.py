"""`inbox proposal`: what one person proposed and another must approve."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Final

import typer
from sqlmodel import col, select

from inbox.cli.backlog.list_output import DEFAULT_LIMIT, Limit, age, listing, store_for
from inbox.cli.backlog.row_words import RowWords
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage, for_operators, for_staff
from inbox.cli.common.output import print_json, print_line, printable
from inbox.cli.common.shown_rows import COLUMNS_OF, columns_of, printable_value
from inbox.cli.common.sign_in import (
    As,
    By,
    CodeFromStdin,
    perform_as,
    read_code,
    read_code_and_reason,
)
from inbox.domain import ProposalState
from inbox.line.proposals import message_proposals
from inbox.tables import Proposal

proposal: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Decisions that need two people, and wait for the second: giving up mail that was missed,"
    " refusing, releasing from quarantine, withdrawing what was collected, dismissing a late word."
    " The reason is shown to a person who may decide, with their own personal code.",
)

ProposalArgument = Annotated[
    str, typer.Argument(metavar="PROPOSAL", help="The id of a proposal; see `list`.")
]
_ELSEWHERE: Final[Mapping[str, str]] = {
    "policy": "inbox policy approve",
    "route": "inbox route approve",
    "directory": "inbox directory approve",
    "code": "inbox directory code",
}
"""Proposals that are about no message or arrival, and the command that goes on with them."""
_HERE: Final = "inbox proposal approve"
_COLUMNS: Final = ("id", "kind", "subject_id", "age", "expires_at", "approved_by")


@proposal.command("list")
def list_proposals(
    ctx: typer.Context,
    kind: Annotated[str | None, typer.Option(help="Only proposals of this kind.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """List the open proposals, oldest first, with the command that approves each.

    What it says and why is not shown here: `inbox proposal show`.
    """
    with store_for(ctx).reading() as tx:
        query = (
            select(Proposal)
            .where(col(Proposal.state) == ProposalState.OPEN, col(Proposal.expires_at) > tx.now)
            .order_by(col(Proposal.created_at), col(Proposal.id))
        )
        if kind is not None:
            query = query.where(col(Proposal.kind) == kind)
        rows = [
            columns_of(row, COLUMNS_OF[Proposal])
            | {"age": age(tx.now, row.created_at), "approved_by": _ELSEWHERE.get(row.kind, _HERE)}
            for row in tx.exec(query.limit(limit + 1))
        ]
    listing("proposals", _COLUMNS, rows, limit).show(for_operators(language), as_json=as_json)


@proposal.command()
def show(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    proposal_id: ProposalArgument,
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Show a proposal about a message or an arrival: who proposed what, and why; who declined it.

    It is shown to those who may know of the message, or may approve it; the audit says so.
    """
    code = read_code(by, language, from_stdin=code_from_stdin)
    found = perform_as(
        ctx,
        by,
        code,
        as_,
        lambda line, who: message_proposals.show_proposal(line, who, proposal_id),
    )
    fields = {name: printable_value(value) for name, value in asdict(found).items()}
    if as_json:
        print_json(fields)
        return
    for text in RowWords(language=for_staff(language)).lines("proposal", fields, width=12):
        print_line(printable(text))


@proposal.command()
def decline(
    ctx: typer.Context,
    proposal_id: ProposalArgument,
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Decline what another person proposed about a message or an arrival, with a reason."""
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    perform_as(
        ctx,
        by,
        code,
        as_,
        lambda line, who: message_proposals.decline(line, who, proposal_id, reason=reason),
    )
    print_line(RowWords.for_staff(language).text("done.declined"))


@proposal.command("take-back")
def take_back(
    ctx: typer.Context,
    proposal_id: ProposalArgument,
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Take back what you proposed about a message or an arrival, as long as it is open."""
    code = read_code(by, language, from_stdin=code_from_stdin)
    perform_as(
        ctx, by, code, as_, lambda line, who: message_proposals.take_back(line, who, proposal_id)
    )
    print_line(RowWords.for_staff(language).text("done.taken_back"))


@proposal.command()
def approve(
    ctx: typer.Context,
    proposal_id: ProposalArgument,
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Approve what another person proposed about a message or an arrival: it is done at once."""
    code = read_code(by, language, from_stdin=code_from_stdin)
    perform_as(
        ctx, by, code, as_, lambda line, who: message_proposals.approve(line, who, proposal_id)
    )
    print_line(RowWords.for_staff(language).text("done.approved"))
