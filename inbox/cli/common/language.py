"""The option `--language`, which every command for people has in the same way.

Without it the environment decides (`INBOX_LANGUAGE`), and without that, who reads it: bokmål
for archive staff, handlers, leaders and reviewers; English for operators, vendors and developers. A
person has no language of their own in the directory yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from inbox.language import TextLanguage, TextTable, read_texts

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


@dataclass(frozen=True)
class StaffTexts:
    """What commands for staff say: a table of texts, in the language that was chosen."""

    file: Path

    def __call__(self, key: str, language: TextLanguage | None, /, **parts: object) -> str:
        """The text, in bokmål where nobody chose."""
        return self.table.text(key, for_staff(language), **parts)

    @property
    def table(self) -> TextTable:
        """The texts in all languages."""
        return read_texts(self.file)

    def column(self, name: str, language: TextLanguage | None) -> str:
        """The heading of a column; a name that has none stands for itself."""
        return self.table.text_or(f"column.{name}", for_staff(language), name)

    def word(self, kind: str, word: str, language: TextLanguage | None) -> str:
        """A code, followed by what it means where a text says so."""
        meaning = self.table.text_or(f"{kind}.{word}", for_staff(language), "")
        return f"{word} ({meaning})" if meaning not in {"", word} else word

    def rows(
        self,
        rows: Sequence[Mapping[str, object]],
        columns: Sequence[str],
        language: TextLanguage | None,
    ) -> tuple[list[dict[str, object]], list[str]]:
        """The rows and their columns under the headings of that language."""
        return with_headings(rows, columns, self.table, for_staff(language))


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
