"""`inbox proposal`: what one person proposed and another must approve."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Final

import typer
from sqlmodel import col, select

from inbox.access.question import Capacity
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
from inbox.line import Line
from inbox.line.proposals import conflict_end, message_proposals
from inbox.line.proposals.conflict_end import EndProposal
from inbox.line.proposals.message_proposals import MessageProposal
from inbox.tables import Proposal

proposal: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Decisions that need two people, and wait for the second: giving up mail that was missed,"
    " refusing, releasing from quarantine, withdrawing what was collected, dismissing a late word,"
    " ending a conflict of interest."
    " The reason is shown to a person who may decide, with their own personal code.",
)


@dataclass(frozen=True, kw_only=True)
class _Steps:
    """What can be done with a proposal."""

    show: Callable[[Line, Capacity, str], MessageProposal | EndProposal]
    approve: Callable[[Line, Capacity, str], None]
    decline: Callable[..., None]
    take_back: Callable[[Line, Capacity, str], None]


_ABOUT_MAIL: Final = _Steps(
    show=message_proposals.show_proposal,
    approve=message_proposals.approve,
    decline=message_proposals.decline,
    take_back=message_proposals.take_back,
)
_ABOUT_CONFLICT: Final = _Steps(
    show=conflict_end.show_end,
    approve=conflict_end.approve_end,
    decline=conflict_end.decline_end,
    take_back=conflict_end.take_back_end,
)


def _steps(line: Line, proposal_id: str) -> _Steps:
    with line.store.reading() as tx:
        found = tx.get(Proposal, proposal_id)
    return _ABOUT_CONFLICT if found and found.kind == conflict_end.KIND else _ABOUT_MAIL


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
    """Show a proposal: who proposed what, and why; who declined it.

    It is shown to those who may know of the message, or may approve it; the audit says so.
    """
    code = read_code(by, language, from_stdin=code_from_stdin)
    found = perform_as(
        ctx,
        by,
        code,
        as_,
        lambda line, who: _steps(line, proposal_id).show(line, who, proposal_id),
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
    """Decline what another person proposed, with a reason."""
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    perform_as(
        ctx,
        by,
        code,
        as_,
        lambda line, who: _steps(line, proposal_id).decline(line, who, proposal_id, reason=reason),
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
    """Take back what you proposed, as long as it is open."""
    code = read_code(by, language, from_stdin=code_from_stdin)
    perform_as(
        ctx,
        by,
        code,
        as_,
        lambda line, who: _steps(line, proposal_id).take_back(line, who, proposal_id),
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
    """Approve what another person proposed: it is done at once."""
    code = read_code(by, language, from_stdin=code_from_stdin)
    perform_as(
        ctx,
        by,
        code,
        as_,
        lambda line, who: _steps(line, proposal_id).approve(line, who, proposal_id),
    )
    print_line(RowWords.for_staff(language).text("done.approved"))
