"""`inbox policy`: who may do what. Look at the rules, prove them, compare them, change them."""

from typing import Final

import typer

from inbox.cli import policy_asking, policy_assurance, policy_change, policy_diff

policy: Final = typer.Typer(
    no_args_is_help=True,
    help="Who may do what: the rules in the policy folder."
    " Exit codes: 0 fine; 1 it found something; 2 usage.",
)
policy.command("lint")(policy_assurance.lint)
policy.command("prove")(policy_assurance.prove)
policy.command("test")(policy_assurance.run_written_cases)
policy.command("show")(policy_assurance.show)
policy.command("diff")(policy_diff.diff)
policy_asking.register(policy)
policy.add_typer(policy_change.changes)
