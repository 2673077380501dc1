"""`inbox message held`, `propose-release`, `approve-release`: two people let a message pass."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from inbox.cli.common.context import line_of
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage, for_staff
from inbox.cli.common.output import print_json, print_line, printable
from inbox.cli.common.sign_in import (
    As,
    By,
    CodeFromStdin,
    MessageIdArgument,
    read_code,
    read_code_and_reason,
    sign_in_as,
)
from inbox.cli.message.message_words import SAID
from inbox.language import TextLanguage
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.line.proposals.quarantine_release import HeldMessage, show_held_message, takes_reviewer
from inbox.package.explanations import sentences_of


def register(message: typer.Typer) -> None:
    """Add the commands to the group."""
    message.command()(held)
    message.command("propose-release")(propose_release)
    message.command("approve-release")(approve_release)


def held(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    language: InLanguage = None,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    as_json: Json = False,
) -> None:
    """Show a message in quarantine to a person who decides: envelope and verdict, no content.

    It is shown to archivists, and to a security reviewer once an archivist has proposed to let it
    pass and a security reviewer must approve that. The audit says that it was shown.
    """
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    shown = show_held_message(line, sign_in_as(line, by, code, as_), message_id)
    if as_json:
        print_json(_plain(asdict(shown)))
        return
    for text in _lines(shown, for_staff(language)):
        print_line(printable(text))


def propose_release(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    message_id: MessageIdArgument,
    by: By,
    waive: Annotated[
        list[str],
        typer.Option(metavar="CODE", help="A code to let it pass with; may be repeated."),
    ],
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Propose to let a message out of quarantine in spite of the codes that are named.

    The reason is typed, or is the second line of standard input.
    """
    line = line_of(ctx)
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    proposal = message_proposals.propose(
        line,
        sign_in_as(line, by, code, as_),
        ProposalKind.QUARANTINE_RELEASE,
        message_id,
        code=" ".join(waive),
        reason=reason,
    )
    if as_json:
        print_json({"proposal": proposal, "needs_reviewer": takes_reviewer(waive)})
    else:
        approver = "reviewer" if takes_reviewer(waive) else "another_archivist"
        print_line(SAID(f"proposed.{approver}", language, proposal=proposal))


def approve_release(
    ctx: typer.Context,
    proposal_id: Annotated[
        str, typer.Argument(metavar="PROPOSAL", help="The id of the proposal; see `held`.")
    ],
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Approve what another person proposed: the message is checked again, without those codes."""
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    message_proposals.approve(line, sign_in_as(line, by, code, as_), proposal_id)
    print_line(SAID("done.approved", language))


def _lines(shown: HeldMessage, language: TextLanguage) -> Iterator[str]:
    fields = _plain(asdict(shown))
    for name, value in fields.items():
        if name not in {"verdict", "proposal"} and value is not None:
            yield f"{SAID.column(name, language):<14} {value}"
    yield from sentences_of(shown.verdict, language)
    if shown.proposal is None:
        return
    yield SAID.column("proposal", language)
    for name, value in _plain(asdict(shown.proposal)).items():
        text = " ".join(value) if isinstance(value, list) else value
        text = SAID(f"flag.{value}", language) if isinstance(value, bool) else text
        yield f"  {SAID.column(name, language):<14} {text}"


def _plain(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: _plain_value(value) for name, value in fields.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, list | tuple):
        return [_plain_value(each) for each in value]
    return value
