"""Prints one result in three formats: text (terminal), JSON (script), Markdown (pull request)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from inbox.cli.common.output import print_json, print_line, print_table
from inbox.errors import Invalid

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")]
TableRow = Mapping[str, object]
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "|": "\\|", "<": "&lt;"})


@dataclass(frozen=True, kw_only=True)
class OutputFormat:
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
        self, value: object, rows: Sequence[TableRow], columns: Sequence[str], *summary: str
    ) -> None:
        """Print rows under their columns, then the summary; JSON is the value alone."""
        if self.as_json:
            print_json(value)
            return
        self.show_rows(rows, columns)
        if self.as_markdown and rows and summary:
            print_line()
        for line in summary:
            print_line(line)

    def show_rows(self, rows: Sequence[TableRow], columns: Sequence[str]) -> None:
        """Print rows under their columns unless the format is JSON; prints nothing without rows."""
        if not rows:
            return
        if self.as_markdown:
            print_line("\n".join(markdown_table(rows, columns)))
        else:
            print_table(rows, columns)


def markdown_table(rows: Sequence[TableRow], columns: Sequence[str]) -> list[str]:
    """The lines of a Markdown table; empty without rows."""
    if not rows:
        return []
    return [
        _markdown_row(name.replace("_", " ") for name in columns),
        _markdown_row("---" for _ in columns),
        *(
            _markdown_row("" if row[name] is None else str(row[name]) for name in columns)
            for row in rows
        ),
    ]


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).translate(_ESCAPES) for cell in cells)} |"
