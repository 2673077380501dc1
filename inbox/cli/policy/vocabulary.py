"""`inbox policy vocabulary`: the names that rules may use, and what they mean."""

from typing import Final

from inbox.access.facts.registry import FACTS
from inbox.access.policy.names import KnownName, MeaningLanguage, NameKind, program_vocabulary
from inbox.access.review.sentences import AccessSentences
from inbox.cli.common.formats import Json, Markdown, OutputFormat
from inbox.cli.common.language import InLanguage, for_staff, with_headings

_COLUMNS: Final = ("kind", "name", "since", "part_of", "known_from")
_DATABASE, _REQUEST = "database", "request"


def show_vocabulary(
    language: InLanguage = None,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Show the facts, actions, roles and duties that rules may use, in three languages or in one.

    `since` is the version of the vocabulary that first has the name, and `part_of` the actions that
    a newer one was part of before. A fact is known from the database or from the request.
    """
    form = OutputFormat(as_json=as_json, as_markdown=as_markdown)
    vocabulary = program_vocabulary()
    rows = [_row(name) for kind in NameKind for name in vocabulary.of_kind(kind)]
    removed = [
        {
            "name": name.name,
            "until": name.until,
            **{each.value: name.instead[each] for each in MeaningLanguage},
        }
        for name in vocabulary.removed.values()
    ]
    value = {"version": vocabulary.version, "names": rows, "removed": removed}
    said = AccessSentences(vocabulary=vocabulary, language=for_staff(language))
    summary = said.text("vocabulary.version", vocabulary.version)
    shown = [each.value for each in MeaningLanguage if language in {None, each}]
    worded = [row | _in_words(row, said) for row in rows]
    headed = with_headings(worded, (*_COLUMNS, *shown), said.texts, said.language)
    form.show(value, *headed, summary)


def _in_words(row: dict[str, object], said: AccessSentences) -> dict[str, object]:
    """What kind of name it is, and where a fact is known from."""
    known_from = row["known_from"]
    return {
        "kind": said.text(f"known.{row['kind']}"),
        "known_from": None if known_from is None else said.text(f"known.{known_from}"),
    }


def _row(name: KnownName) -> dict[str, object]:
    known_from = None
    if name.kind is NameKind.FACT:
        known_from = _DATABASE if FACTS[name.name].from_request is None else _REQUEST
    return {
        "kind": name.kind.value,
        "name": name.name,
        "since": name.since,
        "part_of": " ".join(name.part_of) or None,
        "known_from": known_from,
        **{language.value: name.meaning[language] for language in MeaningLanguage},
    }
