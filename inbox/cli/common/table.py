"""Lays out rows as text in a given width, so that an id can be copied whole.

Words are never broken. Where the words of all columns fit side by side it is a table, whose widest
columns are wrapped between words; where they do not, each row is a block of its own, a line for
each column.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

_GAP: Final = 2
_BOLD: Final = "\x1b[1m"
_PLAIN: Final = "\x1b[0m"
Cells = Sequence[str]


def table_lines(
    rows: Sequence[Mapping[str, object]],
    columns: Sequence[str],
    *,
    width: int | None,
    is_bold: bool = False,
) -> Iterator[str]:
    """The lines of a table; without a width nothing is wrapped."""
    heads = [name.replace("_", " ") for name in columns]
    cells = [[_text(row[name]) for name in columns] for row in rows]
    wide = [max(map(_longest_line, column)) for column in zip(heads, *cells, strict=True)]
    least = [max(map(_longest_word, column)) for column in zip(heads, *cells, strict=True)]
    bold = (_BOLD, _PLAIN) if is_bold else ("", "")
    if width is not None and _whole(least) > width:
        yield from _blocks(heads, cells, width, bold)
        return
    fitted = wide if width is None else _fit(wide, least, width)
    for number, row in enumerate([heads, *cells]):
        for line in _row_lines(row, fitted):
            yield f"{bold[0]}{line}{bold[1]}" if number == 0 else line


def hanging_lines(text: str, *, indent: int, width: int | None) -> Iterator[str]:
    """One line of text in the width; without a width nothing is wrapped."""
    if width is None or width <= 2 * indent:
        yield text
        return
    yield from textwrap.wrap(
        text,
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def _text(value: object) -> str:
    """A value as text without characters that a terminal would act on."""
    lines = ("" if value is None else str(value)).splitlines()
    return "\n".join(
        "".join(sign if sign.isprintable() else "\ufffd" for sign in line) for line in lines
    )


def _longest_line(text: str) -> int:
    return max(map(len, text.split("\n")))


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _whole(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _fit(wide: Sequence[int], least: Sequence[int], width: int) -> list[int]:
    """The widths of the columns in all: the widest that can give way does, column by column."""
    fitted = list(wide)
    while _whole(fitted) > width:
        widest = max(
            (n for n in range(len(fitted)) if fitted[n] > least[n]), key=lambda n: fitted[n]
        )
        fitted[widest] -= 1
    return fitted


def _row_lines(row: Cells, widths: Sequence[int]) -> Iterator[str]:
    wrapped = [_wrap(text, width) for text, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, wrapped))):
        parts = [cell[number] if number < len(cell) else "" for cell in wrapped]
        line = (" " * _GAP).join(
            part.ljust(width) for part, width in zip(parts, widths, strict=True)
        )
        yield line.rstrip()


def _wrap(text: str, width: int) -> list[str]:
    """The lines of a cell, wrapped between words only."""
    return [
        piece
        for line in text.split("\n")
        for piece in textwrap.wrap(
            line, max(1, width), break_long_words=False, break_on_hyphens=False
        )
        or [""]
    ]


def _blocks(
    heads: Cells, rows: Sequence[Cells], width: int, bold: tuple[str, str]
) -> Iterator[str]:
    """Each row as a block: the name of a column, then what it holds, which may begin below it."""
    longest = max(map(len, heads))
    for number, row in enumerate(rows):
        if number:
            yield ""
        for head, text in zip(heads, row, strict=True):
            if not text:
                continue
            room = width - longest - _GAP
            first, *others = _wrap(text, max(room, _longest_word(text)))
            yield f"{bold[0]}{head.ljust(longest)}{bold[1]}{' ' * _GAP}{first}"
            yield from (f"{' ' * (longest + _GAP)}{line}" for line in others)
