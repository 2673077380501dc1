"""`inbox policy lint`, `prove`, `test`, `show`: check and show the policies in a folder.

None needs a database, but `show` of the folder in the settings, which tells whether it is active.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Final

import typer

from inbox.access.files.active import KIND
from inbox.access.files.folder import Draft
from inbox.access.files.meanings import Language, Meanings
from inbox.access.files.proofs import Broken, broken_claims
from inbox.access.policy.conditions import names_in
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action
from inbox.access.review.lint import lint as found_in
from inbox.cli.common.context import settings_of, store_of
from inbox.cli.common.formats import Form, Json, Markdown
from inbox.cli.common.output import WRONG, say
from inbox.cli.common.policy_folder import Policies, draft_of, refused
from inbox.cli.common.rule_changes import say_version
from inbox.errors import PolicyError
from inbox.tables import ActivePolicy

InLanguage = Annotated[Language, typer.Option("--language", help="What facts are told in.")]
_WORDS: Final = {
    Language.NB: ("kan", "når", "selv om ikke"),
    Language.EN: ("may", "when", "although not"),
}


def lint(
    ctx: typer.Context,
    policies: Policies = None,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Read a folder as strictly as the program does, and say what is odd about its rules.

    1 if it is refused, if an invariant does not hold, or if a row that allows can be taken away
    without changing anything; what is only told is a note.
    """
    form = Form(as_json=as_json, as_markdown=as_markdown)
    draft = draft_of(ctx, policies)
    found = found_in(draft)
    rows = [
        {
            "finding": "WRONG" if each.wrong else "note",
            "code": each.code,
            "about": str(each.about),
            "text": each.text,
        }
        for each in found
    ]
    wrong = sum(each.wrong for each in found)
    rules = len(draft.policy.rules)
    summary = f"{rules} rules, {wrong} wrong, {len(found) - wrong} notes"
    value = {"digest": draft.policy.digest, "wrong": wrong, "findings": rows}
    columns = ("finding", "code", "about", "text")
    form.show(value, rows, columns, summary, _digest(draft.policy))
    if wrong:
        raise typer.Exit(WRONG)


def prove(
    ctx: typer.Context,
    policies: Policies = None,
    language: InLanguage = Language.EN,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Prove every invariant for every role and every combination of facts.

    1 if some do not hold: each is shown with a combination that breaks it, in words.
    """
    form = Form(as_json=as_json, as_markdown=as_markdown)
    draft = draft_of(ctx, policies)
    broken = broken_claims(draft.policy, draft.claims)
    assumed = sum(claim.assumed for claim in draft.claims)
    rows = [_proof_row(draft.meanings, each, language) for each in broken]
    invariants = len(draft.claims) - assumed
    failed = len({each.claim.line.number for each in broken})
    summary = f"{invariants} invariants under {assumed} assumptions, {failed} do not hold"
    value = {"digest": draft.policy.digest, "invariants": invariants, "broken": rows}
    if form.is_text:
        for line in (line for each in broken for line in _told(draft.meanings, each, language)):
            say(line)
        rows = []
    columns = ("line", "invariant", "role", "counterexample")
    form.show(value, rows, columns, summary, _digest(draft.policy))
    if broken:
        raise typer.Exit(WRONG)


def _proof_row(meanings: Meanings, broken: Broken, language: Language) -> dict[str, object]:
    parts = _in_words(meanings, broken, language)
    return {
        "line": broken.claim.line.number,
        "invariant": broken.claim.line.text,
        "role": broken.role.value,
        "counterexample": " - ".join(f"{head}: {'; '.join(said)}" for head, said in parts),
        "holding": broken.holding,
        "lacking": broken.lacking,
    }


def _told(meanings: Meanings, broken: Broken, language: Language) -> Iterator[str]:
    """One counterexample, a fact a line."""
    claim = broken.claim.line
    yield f"{claim.file}, line {claim.number}: {claim.text}"
    for head, said in _in_words(meanings, broken, language):
        yield f"  {head}:"
        yield from (f"    {fact}" for fact in said)


def _in_words(
    meanings: Meanings, broken: Broken, language: Language
) -> Iterator[tuple[str, list[str]]]:
    """Who can do what, when what holds, although what the invariant asks for does not."""
    may, when, although = _WORDS[language]

    def said(names: Iterable[str]) -> list[str]:
        return [f"{meanings.of(name, language)} ({name})" for name in names]

    left = names_in(broken.claim.left)
    asked = [action for action in Action if action in left]
    yield f"{meanings.of(broken.role, language)} {may}", said(asked)
    if broken.holding:
        yield when, said(broken.holding)
    if broken.lacking:
        yield although, said(broken.lacking)


def run_written_cases(
    ctx: typer.Context,
    policies: Policies = None,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Run the folder's cases (tests/access.toml, tests/shielding.toml); 1 if one is otherwise."""
    form = Form(as_json=as_json, as_markdown=as_markdown)
    draft = draft_of(ctx, policies)
    failures = _failures(draft)
    rows = [{"finding": "WRONG", "text": failure} for failure in failures]
    summary = f"{len(failures)} wrong" if failures else "every case comes out as written"
    value = {"digest": draft.policy.digest, "wrong": failures}
    form.show(value, rows, ("finding", "text"), summary)
    if failures:
        raise typer.Exit(WRONG)


def _failures(draft: Draft) -> tuple[str, ...]:
    try:
        return draft.failures()
    except PolicyError as error:
        raise refused(error) from error


def show(
    ctx: typer.Context,
    policies: Policies = None,
    digest: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="An old version: all of its files.")
    ] = None,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Show the rules in a folder; of that of the settings, whether they are the active ones."""
    if digest is not None:
        say_version(store_of(settings_of(ctx)), KIND, digest, as_json=as_json)
        return
    form = Form(as_json=as_json, as_markdown=as_markdown)
    policy = draft_of(ctx, policies).policy
    rows = [
        {
            "rule": rule.id,
            "effect": rule.effect.value,
            "actions": rule.acts,
            "roles": rule.roles,
            "when": rule.when,
            "duties": " ".join(sorted(rule.duties)) or None,
        }
        for rule in policy.rules
    ]
    value: dict[str, object] = {"digest": policy.digest, "rules": rows}
    summary = _digest(policy)
    if policies is None:
        active = value["active_digest"] = _active_digest(ctx)
        summary += f": {'active' if active == policy.digest else 'NOT the active one'}"
    columns = ("rule", "effect", "actions", "roles", "when", "duties")
    form.show(value, rows, columns, summary)


def _active_digest(ctx: typer.Context) -> str | None:
    with store_of(settings_of(ctx)).reading() as (session, _):
        active = session.get(ActivePolicy, KIND)
    return None if active is None else active.digest


def _digest(policy: Policy) -> str:
    return f"digest {policy.digest}"
