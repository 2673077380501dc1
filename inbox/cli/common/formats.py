"""Prints one result in three formats: text (terminal), JSON (script), Markdown (pull request)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from inbox.cli.common.output import say, say_json, say_table
from inbox.errors import Invalid

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")]
Row = Mapping[str, object]
_SIGNS: Final = str.maketrans({"\\": "\\\\", "|": "\\|", "<": "&lt;"})


@dataclass(frozen=True, kw_only=True)
class Form:
    """The format in which a result is printed."""

    as_json: bool
    as_markdown: bool

    def __post_init__(self) -> None:
        if self.as_json and self.as_markdown:
            raise Invalid("form.both", "either --json or --markdown")

    @property
    def is_text(self) -> bool:
        """Whether the format is text for a terminal."""
        return not (self.as_json or self.as_markdown)

    def show(
        self, value: object, rows: Sequence[Row], columns: Sequence[str], *summary: str
    ) -> None:
        """Print rows under their columns, then the summary; JSON is the value alone."""
        if self.as_json:
            say_json(value)
            return
        self.show_rows(rows, columns)
        if self.as_markdown and rows and summary:
            say()
        for line in summary:
            say(line)

    def show_rows(self, rows: Sequence[Row], columns: Sequence[str]) -> None:
        """Print rows under their columns unless the format is JSON; prints nothing without rows."""
        if not rows:
            return
        if self.as_markdown:
            say("\n".join(table(rows, columns)))
        else:
            say_table(rows, columns)


def table(rows: Sequence[Row], columns: Sequence[str]) -> list[str]:
    """The lines of a Markdown table; empty without rows."""
    if not rows:
        return []
    return [
        _line(name.replace("_", " ") for name in columns),
        _line("---" for _ in columns),
        *(_line("" if row[name] is None else str(row[name]) for name in columns) for row in rows),
    ]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).translate(_SIGNS) for cell in cells)} |"
