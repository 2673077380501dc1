"""`inbox policy`: who may do what. Show, check, prove, compare and change the rules."""

from typing import Final

import typer

from inbox.cli.policy import change, checks, diff, questions, vocabulary

policy: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Who may do what: the rules in the policy folder."
    " Exit codes: 0 fine; 1 something was found; 2 invalid usage.",
)
policy.command("lint")(checks.lint)
policy.command("prove")(checks.prove)
policy.command("test")(checks.run_written_cases)
policy.command("show")(checks.show)
policy.command("diff")(diff.diff)
policy.command("vocabulary")(vocabulary.show_vocabulary)
questions.register(policy)
policy.add_typer(change.changes)
