"""`inbox policy diff`: what another policy folder would allow or deny, and to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from inbox.access.files.folder import PolicyDraft
from inbox.access.policy.names import program_vocabulary
from inbox.access.review.diff import PolicyDiff, compare_policies
from inbox.access.review.difference_sentences import difference_sentences
from inbox.access.review.sentences import AccessSentences
from inbox.cli.common.access_reader import Caller
from inbox.cli.common.context import policy_folder_of, settings_of
from inbox.cli.common.formats import Json, Markdown, OutputFormat
from inbox.cli.common.language import InLanguage, for_staff, with_headings
from inbox.cli.common.output import EXIT_FAILED, print_json, print_line
from inbox.cli.common.policy_folder import load_draft_or_exit
from inbox.cli.common.sign_in import As, CodeFromStdin
from inbox.cli.policy.impact import (
    COUNTS,
    PEOPLE,
    ImpactRow,
    count_rows,
    names_of,
    person_rows,
    read_policy_impact,
)
from inbox.config import Settings
from inbox.errors import Invalid
from inbox.language import TextLanguage

_OldFolder = typer.Argument(exists=True, file_okay=False, help="The current policy folder.")
_NewFolder = typer.Argument(
    exists=True,
    file_okay=False,
    help="The new policy folder; the default is the one in the settings.",
)


def diff(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    a: Annotated[Path, _OldFolder],
    b: Annotated[Path | None, _NewFolder] = None,
    people: Annotated[
        bool,
        typer.Option("--people", help="Also show which people gain and lose which messages."),
    ] = False,
    by: Annotated[
        str,
        typer.Option(
            metavar="PERSON", help="Your own id, for --people; you must have `access_read`."
        ),
    ] = "",
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    names: Annotated[
        bool, typer.Option("--names", help="With --people: show names as well as ids.")
    ] = False,
    language: InLanguage = None,
    acknowledge: Annotated[
        str,
        typer.Option(
            metavar="SHA256",
            help="The digest of a diff that you have read; if it matches, ends with 0, not 1.",
        ),
    ] = "",
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Show exactly what B allows that A does not, and vice versa; ends with 1 if they differ.

    For each action and role, it shows the combinations of facts gained and lost, as briefly as
    possible, and every row, shielding, invariant, assumption and legal basis that is written
    differently: as sentences. The digest to acknowledge is the same in every language.

    --people requires the database, and the personal code of a person who may know who has access.
    """
    form = OutputFormat(as_json=as_json, as_markdown=as_markdown)
    if people is not bool(by) or (names and not people):
        raise Invalid("diff.by", "--people, --by PERSON and --names go together")
    old, new = load_draft_or_exit(a), load_draft_or_exit(policy_folder_of(ctx, b))
    found = compare_policies(old, new)
    touched = None
    if people:
        who = Caller.with_typed_code(by, as_, language, from_stdin=code_from_stdin)
        touched = _impact_rows(settings_of(ctx), who, old, new, names=names)
    if form.as_json:
        print_json(_diff_json(found) | ({"people": touched.as_json()} if touched else {}))
    else:
        spoken = for_staff(language)
        sentences = difference_sentences(found, old, new, spoken)
        fence = ("```text", "```", "") if form.as_markdown else ()
        for line in (*fence[:1], *sentences, *fence[1:]):
            print_line(line)
        quote = "`" if form.as_markdown else ""
        print_line(f"acknowledge: {quote}{found.digest}{quote}")
        if touched:
            touched.show(form, spoken)
    if not found.is_empty and found.digest != acknowledge:
        raise typer.Exit(EXIT_FAILED)


@dataclass(frozen=True, kw_only=True)
class _ImpactRows:
    """Whom it touches, as rows."""

    counts: list[ImpactRow]
    people: list[ImpactRow]
    elsewhere: tuple[str, ...]
    columns: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return {"counts": self.counts, "people": self.people, "not_messages": self.elsewhere}

    def show(self, form: OutputFormat, language: TextLanguage) -> None:
        """By unit and role first, then one by one."""
        said = AccessSentences(vocabulary=program_vocabulary(), language=language)
        people = len({row["person"] for row in self.people})
        summary = said.text("impact.summary", people=people, groups=len(self.counts))
        if self.elsewhere:
            actions = "; ".join(map(said.name, self.elsewhere))
            summary += said.text("impact.elsewhere", actions=actions)
        print_line()
        form.show({}, *_translated(self.counts, COUNTS, said), summary)
        if self.people:
            print_line()
            form.show({}, *_translated(self.people, self.columns, said))


def _translated(
    rows: list[ImpactRow], columns: Sequence[str], said: AccessSentences
) -> tuple[list[ImpactRow], list[str]]:
    words = [
        row | {"action": said.name(str(row["action"])), "role": said.role(str(row["role"]))}
        for row in rows
    ]
    return with_headings(words, columns, said.texts, said.language)


def _impact_rows(
    settings: Settings, who: Caller, old: PolicyDraft, new: PolicyDraft, *, names: bool
) -> _ImpactRows:
    found = read_policy_impact(settings, who, old.policy, new.policy)
    known = names_of(settings, found) if names else {}
    return _ImpactRows(
        counts=count_rows(found),
        people=person_rows(found, known),
        elsewhere=tuple(action.value for action in found.other_actions),
        columns=(*PEOPLE, "name") if names else PEOPLE,
    )


def _diff_json(found: PolicyDiff) -> dict[str, object]:
    return {
        "from": found.old,
        "to": found.new,
        "gains": found.widens_access,
        "given": found.common_literals,
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
        "claims": found.invariants,
        "bases": found.bases,
        "header": found.header,
        "acknowledge": found.digest,
    }
