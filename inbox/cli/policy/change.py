"""`inbox policy propose`, `approve`, `activate`, `history`; `roll-back` and `switch-off`."""

from typing import Annotated, Final

import typer

from inbox.access.files.folder import read_policy, read_policy_files
from inbox.access.question import Capacity
from inbox.cli.common import rule_changes
from inbox.cli.common.context import policy_folder_of, settings_of, store_of
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage
from inbox.cli.common.policy_folder import Policies
from inbox.cli.common.rule_changes import Actor
from inbox.cli.common.sign_in import CodeFromStdin, read_code, read_code_and_reason, sign_in
from inbox.line.proposals.policy_or_rule_book import POLICY_RULES, VersionedRules

changes: Final = typer.Typer()
"""Commands of `inbox policy`."""


def _rules(capacity: Capacity) -> VersionedRules:
    del capacity
    return POLICY_RULES


@changes.command()
def propose(
    ctx: typer.Context,
    by: Actor,
    policies: Policies = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Propose the policies in the folder, as a policy editor; prints what they would change.

    The folder is read as strictly as always, its invariants are proved and its test cases are run.
    All its files are stored, so that what is approved can be shown later. Your own earlier proposal
    is withdrawn if nobody has approved it.
    """
    folder = policy_folder_of(ctx, policies)
    files = read_policy_files(folder)
    read_policy(files)  # Before anybody types a code.
    who = sign_in(ctx, by, read_code(by, language, from_stdin=code_from_stdin))
    rule_changes.propose(who, _rules, lambda _: files, language, as_json=as_json)


rule_changes.add_approval_commands(
    changes,
    _rules,
    approve_help="""Approve what another person proposed, as a security reviewer.

    Run it first without --acknowledge: it then prints what would change, and ends with 1.
    """,
    activate_help="""Activate approved policies, as a policy editor, within 30 days of the approval.

    They apply from the next request on, in every process, on every machine.
    """,
)


@changes.command("roll-back")
def roll_back(
    ctx: typer.Context,
    by: Actor,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Go back to the policies that were active before, as a policy editor.

    At once if that gains nothing. If anything is gained by it, it is proposed instead, another
    person must approve it, and the command ends with 1. The program asks for the reason. Only a
    cryptographic commitment to it is kept, in the audit.
    """
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    rule_changes.roll_back(sign_in(ctx, by, code), _rules, reason, language)


@changes.command("switch-off")
def switch_off(
    ctx: typer.Context,
    row: Annotated[str, typer.Argument(metavar="ROW", help="The id of the row, such as A12.")],
    by: Actor,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Switch off one row that allows something, at once, as a policy editor.

    Never a row that denies, one of policy_*, route_*, directory_* or close_task, or the last that
    lets anybody do an action. Two people can switch it on again: propose the folder. The program
    asks for the reason. Only a cryptographic commitment to it is kept, in the audit.
    """
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    rule_changes.switch_off(sign_in(ctx, by, code), _rules, row, reason, language)


@changes.command()
def history(ctx: typer.Context, language: InLanguage = None, as_json: Json = False) -> None:
    """Show every version, newest first: who proposed, approved and activated it, and when."""
    rule_changes.print_history(
        store_of(settings_of(ctx)), POLICY_RULES.kind, language, as_json=as_json
    )
