"""Says the rows of lists in one language: names of columns, and the words of states and kinds.

A code is followed by what it means, `UNROUTED (waits for a person to place it)`, since options and
JSON take the code.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inbox.access.policy.names import program_vocabulary
from inbox.access.policy.vocabulary import Role
from inbox.cli.common.language import for_staff
from inbox.cli.common.output import print_line, print_table
from inbox.language import TextLanguage, TextTable, read_texts

_TEXTS: Final = Path(__file__).with_name("backlog_texts.toml")
Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True, kw_only=True)
class RowWords:
    """The words in one language."""

    language: TextLanguage

    @classmethod
    def for_staff(cls, language: TextLanguage | None) -> "RowWords":
        """The words for archive staff, handlers, leaders and reviewers."""
        return cls(language=for_staff(language))

    @property
    def texts(self) -> TextTable:
        """The texts of lists, in all languages."""
        return read_texts(_TEXTS)

    def text(self, key: str, **named: object) -> str:
        """One of the texts."""
        return self.texts.text(key, self.language, **named)

    def column(self, name: str) -> str:
        """The name of a column."""
        return self.texts.text_or(f"column.{name}", self.language, name)

    def cell(self, part: str, name: str, value: object) -> object:
        """A cell of a row about a part: a message, an arrival, a task and so on."""
        if name == "role" and value in set(Role):
            meaning = program_vocabulary().meaning_of(str(value), self.language)
            return f"{value} ({meaning})" if meaning != value else value
        about = "event" if name == "event" else part
        key = f"{'state' if name == 'event' else name}.{about}.{value}"
        meaning = self.texts.text_or(key, self.language, "")
        return f"{value} ({meaning})" if meaning else value

    def print_rows(self, part: str, rows: Rows, columns: Sequence[str]) -> None:
        """Print rows as a table."""
        heads = {name: self.column(name) for name in columns}
        worded = [
            {heads[name]: self.cell(part, name, row[name]) for name in columns} for row in rows
        ]
        print_table(worded, list(heads.values()))

    def print_parts(self, parts: Mapping[str, Rows]) -> None:
        """Print one thing in its parts, a line for each column that holds something."""
        for part, rows in parts.items():
            for row in rows:
                print_line(self.text(f"part.{part}"))
                for line in self.lines(part, row):
                    print_line(f"  {line}")

    def lines(self, part: str, row: Mapping[str, object], width: int = 14) -> Iterator[str]:
        """The cells that hold something, each after the name of its column."""
        for name, value in row.items():
            if value is not None and value != "":
                yield f"{self.column(name):<{width}} {self.cell(part, name, value)}"
