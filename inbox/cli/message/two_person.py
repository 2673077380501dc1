"""`inbox message propose-refusal`, `propose-withdrawal`, `propose-dismissal`: what needs two.

Another person approves with `inbox proposal approve`. The reason is typed, or is the second line of
standard input.
"""

from typing import Annotated

import typer

from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage
from inbox.cli.common.output import print_json, print_line
from inbox.cli.common.sign_in import (
    As,
    By,
    CodeFromStdin,
    MessageIdArgument,
    perform_as,
    read_code_and_reason,
)
from inbox.cli.message.message_words import SAID
from inbox.language import TextLanguage
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.receipt_document import REFUSALS


def register(message: typer.Typer) -> None:
    """Add the commands to the group."""
    message.command("propose-refusal")(propose_refusal)
    message.command("propose-withdrawal")(propose_withdrawal)
    message.command("propose-dismissal")(propose_dismissal)


def propose_refusal(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    code: Annotated[
        str, typer.Option(help=f"What the sender reads: {', '.join(sorted(REFUSALS))}.")
    ],
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Propose to refuse a message (avvise); its sender gets the code once another approves."""
    _propose(
        ctx, ProposalKind.REFUSE, message_id, by, as_, code_from_stdin, language, as_json, code
    )


def propose_withdrawal(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Propose to withdraw a message that its case system has collected."""
    _propose(ctx, ProposalKind.WITHDRAW, message_id, by, as_, code_from_stdin, language, as_json)


def propose_dismissal(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Propose to dismiss the word of a case system that came after the message was withdrawn."""
    _propose(ctx, ProposalKind.DISMISS, message_id, by, as_, code_from_stdin, language, as_json)


def _propose(  # noqa: PLR0913, PLR0917 - the options of the commands
    ctx: typer.Context,
    kind: ProposalKind,
    message_id: str,
    by: str,
    as_: str | None,
    code_from_stdin: bool,
    language: TextLanguage | None,
    as_json: bool,
    code: str = "",
) -> None:
    personal, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    proposal = perform_as(
        ctx,
        by,
        personal,
        as_,
        lambda line, who: message_proposals.propose(
            line, who, kind, message_id, code=code, reason=reason
        ),
    )
    if as_json:
        print_json({"proposal": proposal})
    else:
        print_line(SAID("proposed.another_person", language, proposal=proposal))
