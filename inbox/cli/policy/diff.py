"""`inbox policy diff`: what another policy folder would allow or deny, and to whom."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from inbox.access.files.folder import Draft
from inbox.access.files.meanings import Language
from inbox.access.review.diff import Diff, compare
from inbox.cli.common.access_reader import Who
from inbox.cli.common.context import policy_folder_of, settings_of
from inbox.cli.common.formats import Form, Json, Markdown, table
from inbox.cli.common.output import WRONG, say, say_json
from inbox.cli.common.policy_folder import draft_in
from inbox.cli.common.sign_in import As, CodeFromStdin
from inbox.cli.policy.impact import COUNTS, PEOPLE, Row, counts_of, names_of, people_of, reached
from inbox.config import Settings
from inbox.errors import Invalid

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
    people: Annotated[
        bool, typer.Option("--people", help="Who gains and loses which messages, too.")
    ] = False,
    by: Annotated[
        str, typer.Option(metavar="PERSON", help="Who asks for --people: may `access_read`.")
    ] = "",
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    names: Annotated[
        bool, typer.Option("--names", help="With --people: their names beside their ids.")
    ] = False,
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

    --people needs the database, and a personal code of somebody who may know who has access.
    """
    form = Form(as_json=as_json, as_markdown=as_markdown)
    if people is not bool(by) or (names and not people):
        raise Invalid("diff.by", "--people, --by PERSON and --names go together")
    old, new = draft_in(a), draft_in(policy_folder_of(ctx, b))
    found = compare(old, new)
    touched = None
    if people:
        who = Who.typing(by, as_, from_stdin=code_from_stdin)
        touched = _touched(settings_of(ctx), who, old, new, names=names)
    if form.as_json:
        say_json(_as_value(found) | ({"people": touched.as_value()} if touched else {}))
    else:
        for line in _told(found, new, language, form):
            say(line)
        if touched:
            touched.show(form)
    if not found.nothing and found.digest != acknowledge:
        raise typer.Exit(WRONG)


@dataclass(frozen=True, kw_only=True)
class _Touched:
    """Whom it touches, as rows."""

    counts: list[Row]
    people: list[Row]
    elsewhere: tuple[str, ...]
    columns: tuple[str, ...]

    def as_value(self) -> dict[str, object]:
        return {"counts": self.counts, "people": self.people, "not_messages": self.elsewhere}

    def show(self, form: Form) -> None:
        """By unit and role first, then one by one."""
        people, messages = len({row["person"] for row in self.people}), len(self.counts)
        also = f"; not about messages: {', '.join(self.elsewhere)}" if self.elsewhere else ""
        say()
        form.show({}, self.counts, COUNTS, f"{people} people in {messages} groups{also}")
        if self.people:
            say()
            form.show({}, self.people, self.columns)


def _touched(settings: Settings, who: Who, old: Draft, new: Draft, *, names: bool) -> _Touched:
    found = reached(settings, who, old.policy, new.policy)
    known = names_of(settings, found) if names else {}
    return _Touched(
        counts=counts_of(found),
        people=people_of(found, known),
        elsewhere=tuple(action.value for action in found.elsewhere),
        columns=(*PEOPLE, "name") if names else PEOPLE,
    )


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
