"""`inbox policy diff`: what another policy folder gives and takes, and from whom."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from inbox.access.described import Language
from inbox.access.diff import Diff, compare
from inbox.access.folder import Draft
from inbox.cli.opening import policy_folder_of
from inbox.cli.policy_folder import draft_in
from inbox.cli.shown import Form, Json, Markdown, table
from inbox.cli.telling import WRONG, say, say_json

_Folder = typer.Argument(exists=True, file_okay=False, help="The policy folder now.")
_Other = typer.Argument(
    exists=True,
    file_okay=False,
    help="The policy folder to come; that of the settings otherwise.",
)


def diff(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    a: Annotated[Path, _Folder],
    b: Annotated[Path | None, _Other] = None,
    language: Annotated[Language, typer.Option(help="What facts are told in.")] = Language.EN,
    acknowledge: Annotated[
        str,
        typer.Option(metavar="SHA256", help="The digest of a diff that was read: then 0, not 1."),
    ] = "",
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Show exactly what B allows that A does not, and the other way round; 1 if they differ.

    For each action and role the combinations of facts gained and lost, in the fewest words, and
    every row, shielding, invariant and assumption that is written otherwise.
    """
    form = Form(as_json=as_json, as_markdown=as_markdown)
    old, new = draft_in(a), draft_in(policy_folder_of(ctx, b))
    found = compare(old, new)
    if form.as_json:
        say_json(_as_value(found))
    else:
        for line in _told(found, new, language, form):
            say(line)
    if not found.nothing and found.digest != acknowledge:
        raise typer.Exit(WRONG)


def _told(found: Diff, new: Draft, language: Language, form: Form) -> Iterator[str]:
    """The lines, what their facts mean, and the digest."""
    meanings = [
        {"fact": name, "meaning": new.meanings.of(name, language)} for name in _facts(found, new)
    ]
    if form.as_markdown:
        yield from ("```text", *found.lines, "```", "", *table(meanings, ("fact", "meaning")))
        yield ""
        yield f"acknowledge: `{found.digest}`"
        return
    yield from found.lines
    yield ""
    for row in meanings:
        yield f"  {row['fact']}: {row['meaning']}"
    yield f"acknowledge: {found.digest}"


def _facts(found: Diff, new: Draft) -> list[str]:
    """The facts that the terms name, in the order of their names."""
    terms = [*found.given, *(term for change in found.changes for term in change.terms)]
    return sorted({word for term in terms for word in term.split(" ")} & new.policy.facts)


def _as_value(found: Diff) -> dict[str, object]:
    return {
        "from": found.old,
        "to": found.new,
        "gains": found.gains,
        "given": found.given,
        "changes": [
            {
                "action": change.action,
                "roles": change.roles,
                "kind": change.kind,
                "duties": change.duties or None,
                "when": change.terms,
            }
            for change in found.changes
        ],
        "rows": found.rows,
        "shieldings": found.shieldings,
        "claims": found.claims,
        "acknowledge": found.digest,
    }
