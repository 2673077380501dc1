"""`inbox route propose`, `approve`, `activate`, `history`; `roll-back` and `switch-off`."""

from typing import Annotated, Final

import typer

from inbox.access.question import Capacity
from inbox.cli.common import rule_changes
from inbox.cli.common.context import policy_folder_of, settings_of, store_of
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage
from inbox.cli.common.policy_folder import Policies
from inbox.cli.common.rule_changes import Actor
from inbox.cli.common.sign_in import CodeFromStdin, read_code, read_code_and_reason, sign_in
from inbox.line.active_rule_books import read_rule_book_files, rule_book_kind
from inbox.line.proposals.policy_or_rule_book import VersionedRules, routing_rules_of

changes: Final = typer.Typer()
"""Commands of `inbox route`."""

Organisation = Annotated[
    str | None,
    typer.Option(
        metavar="NNNNNNNNN", help="Whose rules; for a person who works in several organisations."
    ),
]


def _rules(capacity: Capacity) -> VersionedRules:
    """Those of the organisation that the person works in."""
    return routing_rules_of(capacity.organisation)


@changes.command()
def propose(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    by: Actor,
    policies: Policies = None,
    organisation: Organisation = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Propose the organisation's rules, as an archivist; prints what they would change.

    The rules are read from the policy folder. Every unit that they send mail to must be active. All
    files are stored, including the test cases.
    """
    folder = policy_folder_of(ctx, policies)
    who = sign_in(ctx, by, read_code(by, language, from_stdin=code_from_stdin), organisation)
    rule_changes.propose(
        who,
        _rules,
        lambda rules: read_rule_book_files(folder, rules.subject),
        language,
        as_json=as_json,
    )


rule_changes.add_approval_commands(
    changes,
    _rules,
    approve_help="""Approve what another person proposed, as an archivist or a security reviewer.

    Run it first without --acknowledge: it then prints what would change, and ends with 1.
    """,
    activate_help="""Activate approved rules, as an archivist, within 30 days of the approval.

    Mail that is routed from now on follows them, in every process.
    """,
)


@changes.command("roll-back")
def roll_back(
    ctx: typer.Context,
    by: Actor,
    organisation: Organisation = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Go back to the rules that were active before, as an archivist.

    At once if no unit gains mail by it. Otherwise it is proposed instead, another person must
    approve it, and the command ends with 1. The program asks for the reason. Only a
    cryptographic commitment to it is kept, in the audit.
    """
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    rule_changes.roll_back(sign_in(ctx, by, code, organisation), _rules, reason, language)


@changes.command("switch-off")
def switch_off(
    ctx: typer.Context,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The id of the rule.")],
    by: Actor,
    organisation: Organisation = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Switch off one rule, at once, as an archivist.

    It goes on matching in its place: what it matches waits for a person, and is never left to a
    later rule. Two people can switch it on again: propose the folder. The program asks for the
    reason.
    Only a cryptographic commitment to it is kept, in the audit.
    """
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    rule_changes.switch_off(sign_in(ctx, by, code, organisation), _rules, rule, reason, language)


@changes.command()
def history(
    ctx: typer.Context,
    organisation: Annotated[
        str,
        typer.Argument(metavar="NNNNNNNNN", help="The organisation whose rules are shown."),
    ],
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Show every version, newest first: who proposed, approved and activated it, and when."""
    rule_changes.print_history(
        store_of(settings_of(ctx)), rule_book_kind(organisation), language, as_json=as_json
    )
