"""`inbox policy lint`, `prove`, `test`, `show`: check and show the policies in a folder.

None needs a database, but `show` of the folder in the settings, which tells whether it is active.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from inbox.access.files.active import POLICY_KIND, is_active_policy
from inbox.access.files.folder import PolicyDraft, read_draft, read_policy_files
from inbox.access.files.proofs import Violation, violated_invariants
from inbox.access.files.rule_rows import SWITCHED_OFF
from inbox.access.policy.conditions import names_in
from inbox.access.policy.vocabulary import Action
from inbox.access.review.lint import lint as found_in
from inbox.access.review.lint import row_lines
from inbox.access.review.sentences import AccessSentences
from inbox.cli.common.context import policy_folder_of, settings_of, store_of
from inbox.cli.common.formats import Json, Markdown, OutputFormat
from inbox.cli.common.language import InLanguage, for_staff, with_headings
from inbox.cli.common.lint_output import LintRow, lint_language, refused_row, show_lint
from inbox.cli.common.output import EXIT_FAILED, print_line
from inbox.cli.common.policy_folder import Policies, draft_for_command, exit_refused
from inbox.cli.common.rule_changes import print_version
from inbox.cli.policy.bases import BASIS_COLUMNS, basis_row
from inbox.days import day_of
from inbox.errors import PolicyError
from inbox.language import TextLanguage
from inbox.strict.phrases import Phrase
from inbox.tables import ActivePolicy


def lint(
    ctx: typer.Context,
    policies: Policies = None,
    language: InLanguage = None,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Read a folder as strictly as the program does, and report what is odd about its rules.

    Ends with 1 if the folder is refused or a finding is WRONG: an invariant that does not hold, a
    rule that can never match (at all, or for one of its roles), or an allow rule that can be
    removed without changing anything. A note is only information.
    """
    form = OutputFormat(as_json=as_json, as_markdown=as_markdown)
    said_in = lint_language(form, language)
    try:
        files = read_policy_files(policy_folder_of(ctx, policies))
        draft = read_draft(files)
    except PolicyError as error:
        show_lint(form, [refused_row(error, said_in)], said_in, "refused", digest=None)
        raise typer.Exit(EXIT_FAILED) from error
    lines = row_lines(files)
    found = [
        LintRow(
            is_error=each.is_error,
            file=each.file,
            line=lines.get((each.file or "", each.about)),
            code=each.code,
            about=str(each.about),
            text=each.said.text(said_in),
        )
        for each in found_in(draft, on=day_of(datetime.now(UTC)))
    ]
    rules, digest = len(draft.policy.rules), draft.policy.digest
    show_lint(form, found, said_in, "rules", rules, digest=digest)
    if any(each.is_error for each in found):
        raise typer.Exit(EXIT_FAILED)


def prove(
    ctx: typer.Context,
    policies: Policies = None,
    language: InLanguage = None,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Prove every invariant for every role and every combination of facts.

    Ends with 1 if any does not hold: each is shown with a combination that violates it, in words.
    """
    form = OutputFormat(as_json=as_json, as_markdown=as_markdown)
    draft = draft_for_command(ctx, policies)
    broken = violated_invariants(draft.policy, draft.invariants)
    assumed = sum(invariant.is_assumption for invariant in draft.invariants)
    english = AccessSentences(vocabulary=draft.vocabulary, language=TextLanguage.EN)
    said = replace(english, language=for_staff(language))
    rows = [_proof_row(english if form.as_json else said, each) for each in broken]
    invariants = len(draft.invariants) - assumed
    failed = len({each.invariant.line.number for each in broken})
    summary = said.text("proof.summary", invariants=invariants, assumed=assumed, failed=failed)
    digest = said.text("policy.digest", digest=draft.policy.digest)
    value = {"digest": draft.policy.digest, "invariants": invariants, "broken": rows}
    if form.is_text:
        for line in (line for each in broken for line in _counterexample_lines(said, each)):
            print_line(line)
        rows = []
    columns = ("line", "invariant", "role", "counterexample")
    headed = with_headings(rows, columns, said.texts, said.language)
    form.show(value, *headed, summary, digest)
    if broken:
        raise typer.Exit(EXIT_FAILED)


def _proof_row(said: AccessSentences, broken: Violation) -> dict[str, object]:
    parts = _counterexample_parts(said, broken)
    return {
        "line": broken.invariant.line.number,
        "invariant": broken.invariant.line.text,
        "role": broken.role.value,
        "counterexample": " - ".join(f"{head}: {'; '.join(facts)}" for head, facts in parts),
        "holding": broken.holding,
        "lacking": broken.lacking,
    }


def _counterexample_lines(said: AccessSentences, broken: Violation) -> Iterator[str]:
    """One counterexample, a fact a line."""
    invariant = broken.invariant.line
    yield f"{invariant.file}, line {invariant.number}: {invariant.text}"
    for head, facts in _counterexample_parts(said, broken):
        yield f"  {head}:"
        yield from (f"    {fact}" for fact in facts)


def _counterexample_parts(
    said: AccessSentences, broken: Violation
) -> Iterator[tuple[str, list[str]]]:
    """Who can do what, when what holds, although what the invariant asks for does not."""
    left = names_in(broken.invariant.left)
    asked = [action for action in Action if action in left]
    yield said.text("proof.may", role=said.role(broken.role)), [*map(said.name, asked)]
    if broken.holding:
        yield said.text("proof.when"), [*map(said.name, broken.holding)]
    if lacking := (*broken.lacking, *sorted(broken.invariant.needs)):
        yield said.text("proof.although"), [*map(said.name, lacking)]


def run_written_cases(
    ctx: typer.Context,
    policies: Policies = None,
    language: InLanguage = None,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Run the test cases (tests/access.toml, tests/shielding.toml); ends with 1 if one fails."""
    form = OutputFormat(as_json=as_json, as_markdown=as_markdown)
    draft = draft_for_command(ctx, policies)
    failures = _failures(draft)
    english = [failure.text(TextLanguage.EN) for failure in failures]
    said = AccessSentences(vocabulary=draft.vocabulary, language=for_staff(language))
    wrong = said.text("cases.wrong_one")
    rows = [{"finding": wrong, "text": failure.text(said.language)} for failure in failures]
    key = "cases.wrong" if failures else "cases.fine"
    value = {"digest": draft.policy.digest, "wrong": english}
    headed = with_headings(rows, ("finding", "text"), said.texts, said.language)
    form.show(value, *headed, said.text(key, wrong=len(failures)))
    if failures:
        raise typer.Exit(EXIT_FAILED)


def _failures(draft: PolicyDraft) -> tuple[Phrase, ...]:
    try:
        return draft.case_failures()
    except PolicyError as error:
        raise exit_refused(error) from error


def show(
    ctx: typer.Context,
    policies: Policies = None,
    digest: Annotated[
        str | None,
        typer.Option(
            metavar="DIGEST", help="Show all files of the old version with this digest, or id."
        ),
    ] = None,
    language: InLanguage = None,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Show the rules in a folder as sentences; of the settings' folder, also if they are active.

    With --markdown it is a table of the rows as they are written, for a pull request.
    """
    if digest is not None:
        print_version(store_of(settings_of(ctx)), POLICY_KIND, digest, as_json=as_json)
        return
    form = OutputFormat(as_json=as_json, as_markdown=as_markdown)
    draft = draft_for_command(ctx, policies)
    policy, off = draft.policy, {rule.id for rule in draft.switched_off.values()}
    rows = [
        {
            "rule": rule.id,
            "effect": SWITCHED_OFF if rule.id in off else rule.effect.value,
            "actions": rule.actions,
            "roles": rule.roles,
            "when": rule.when,
            "duties": " ".join(sorted(rule.duties)) or None,
            "basis": " ".join(rule.bases) or None,
        }
        for rule in draft.rows
    ]
    bases = [basis_row(basis) for basis in policy.bases.values()]
    value: dict[str, object] = {"digest": policy.digest, "rules": rows, "bases": bases}
    said = AccessSentences(vocabulary=draft.vocabulary, language=for_staff(language))
    standing = "digest"
    if policies is None:
        value["active_digest"], is_active = _active_digest(ctx)
        standing = "active" if is_active else "not_active"
    summary = said.text(f"policy.{standing}", digest=policy.digest)
    if form.is_text:
        for rule in draft.rows:
            for line in said.rule(rule, policy.bases, is_off=rule.id in off):
                print_line(line)
        print_line()
        print_line(summary)
        return
    columns = ("rule", "effect", "actions", "roles", "when", "duties", "basis")
    if form.as_markdown:
        form.show_rows(rows, columns)
        if bases:
            print_line()
    form.show(value, bases, BASIS_COLUMNS, summary)


def _active_digest(ctx: typer.Context) -> tuple[str | None, bool]:
    """What is active, and whether the folder has exactly its files, each of them."""
    files = read_policy_files(policy_folder_of(ctx, None))
    with store_of(settings_of(ctx)).reading() as tx:
        active = tx.get(ActivePolicy, POLICY_KIND)
        return (
            None if active is None else active.digest,
            is_active_policy(tx, files),
        )
