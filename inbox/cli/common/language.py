"""The option `--language`, which every command for people has in the same way.

Without it the environment decides (`INBOX_LANGUAGE`), and without that, who reads it: bokmål
for archive staff, handlers, leaders and reviewers; English for operators, vendors and developers. A
person has no language of their own in the directory yet.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from inbox.language import TextLanguage, TextTable

InLanguage = Annotated[
    TextLanguage | None,
    typer.Option(
        "--language",
        envvar="INBOX_LANGUAGE",
        help="Print in bokmål, nynorsk or English. JSON is the same in all three.",
    ),
]


def for_staff(language: TextLanguage | None) -> TextLanguage:
    """The language of what archive staff, handlers, leaders and reviewers read."""
    return language or TextLanguage.NB


def for_operators(language: TextLanguage | None) -> TextLanguage:
    """The language of what operators, vendors and developers read."""
    return language or TextLanguage.EN


def for_reader(language: TextLanguage | None, by: str | None) -> TextLanguage:
    """The language of a list that is a person's own where one is named, else the operators'."""
    return for_operators(language) if by is None else for_staff(language)


def with_headings(
    rows: Sequence[Mapping[str, object]],
    columns: Sequence[str],
    texts: TextTable,
    language: TextLanguage,
) -> tuple[list[dict[str, object]], list[str]]:
    """The rows and their columns under the headings of that language (`column.<name>`)."""
    headings = {name: texts.text(f"column.{name}", language) for name in columns}
    translated = [{headings[name]: row[name] for name in columns} for row in rows]
    return translated, [headings[name] for name in columns]
