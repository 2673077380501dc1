"""`inbox policy vocabulary`: the names that rules may use, and what they mean."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from inbox.access.facts.registry import FACTS
from inbox.access.policy.names import KnownName, MeaningLanguage, NameKind, program_vocabulary
from inbox.cli.common.formats import Json, Markdown, OutputFormat

_COLUMNS: Final = ("kind", "name", "since", "part_of", "known_from")
_DATABASE, _REQUEST = "database", "request"


def show_vocabulary(
    language: Annotated[
        MeaningLanguage | None,
        typer.Option("--language", help="Only the meanings in this language."),
    ] = None,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Show the facts, actions, roles and duties that rules may use, in three languages.

    `since` is the version of the vocabulary that first has the name, and `part_of` the action that
    a newer one was part of before. A fact is known from the database or from the request.
    """
    form = OutputFormat(as_json=as_json, as_markdown=as_markdown)
    vocabulary = program_vocabulary()
    languages = list(MeaningLanguage) if language is None else [language]
    rows = [_row(name, languages) for kind in NameKind for name in vocabulary.of_kind(kind)]
    removed = [
        {
            "name": name.name,
            "until": name.until,
            **{each.value: name.instead[each] for each in languages},
        }
        for name in vocabulary.removed.values()
    ]
    value = {"version": vocabulary.version, "names": rows, "removed": removed}
    summary = f"version {vocabulary.version} of the vocabulary"
    form.show(value, rows, (*_COLUMNS, *languages), summary)


def _row(name: KnownName, languages: Sequence[MeaningLanguage]) -> dict[str, object]:
    known_from = None
    if name.kind is NameKind.FACT:
        known_from = _DATABASE if FACTS[name.name].from_request is None else _REQUEST
    return {
        "kind": name.kind.value,
        "name": name.name,
        "since": name.since,
        "part_of": name.part_of,
        "known_from": known_from,
        **{language.value: name.meaning[language] for language in languages},
    }
