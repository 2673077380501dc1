"""What the sandbox prints: a line for each thing that happens, and under it what it means."""

import sys
import textwrap
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import typer

from inbox.cli.common.output import print_line, printable
from inbox.days import in_norway

COLUMNS: Final = 80
_INDENT: Final = "            "


class Mark(StrEnum):
    """How a remark is meant."""

    RIGHT = "ok"
    WRONG = "!!"
    NOTE = "--"


_COLOURS: Final = {Mark.RIGHT: typer.colors.GREEN, Mark.WRONG: typer.colors.RED}


@dataclass(frozen=True)
class Remark:
    """One thing to say about a call, in whole words."""

    mark: Mark
    text: str


def right(text: str) -> Remark:
    """What was done as it should be."""
    return Remark(Mark.RIGHT, text)


def wrong(text: str) -> Remark:
    """What has to be mended, and how."""
    return Remark(Mark.WRONG, text)


def note(text: str) -> Remark:
    """What is neither, and good to know."""
    return Remark(Mark.NOTE, text)


def remark_lines(remark: Remark) -> list[str]:
    """The lines of a remark, none wider than the screen; what a caller sent cannot steer it."""
    begin = f"{_INDENT}{remark.mark.value}  "
    return textwrap.wrap(
        printable(remark.text),
        COLUMNS - 1,
        initial_indent=begin,
        subsequent_indent=" " * len(begin),
        break_on_hyphens=False,
    )


class Screen:
    """Prints from many threads, one whole piece at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._coloured = sys.stdout.isatty()

    def say(self, *lines: str) -> None:
        """Print lines as they are."""
        with self._lock:
            for line in lines:
                print_line(line)

    def show(self, event: str, remarks: Iterable[Remark] = ()) -> None:
        """Print what happened, with the time, and what there is to say about it."""
        at = in_norway(datetime.now(UTC)).strftime("%H:%M:%S")
        text = printable(event)
        with self._lock:
            for number, line in enumerate(textwrap.wrap(text, COLUMNS - 11) or [""]):
                print_line(f"{at}  {line}" if number == 0 else f"{_INDENT}{line}")
            for remark in remarks:
                for line in remark_lines(remark):
                    print_line(self._colour(remark.mark, line))

    def _colour(self, mark: Mark, line: str) -> str:
        if not self._coloured or mark not in _COLOURS:
            return line
        return typer.style(line, fg=_COLOURS[mark])
