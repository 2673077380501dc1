"""The program's output: one line for an error, with what to do; tables and JSON for results."""

import json
import shutil
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import typer

from inbox.cli.common.table import hanging_lines, table_lines
from inbox.errors import ConfigurationError, InboxError, Invalid

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERNAL: Final = 1
EXIT_NOT_THERE_YET: Final = 75
"""Of `serve` and `work` alone, as sysexits has it: start it again later."""
_ADVICE: Final = {
    "database.unavailable": "the database does not answer, or its folder is not there: check"
    " `database` in the settings, and that it runs",
    "database.full": "the database's disk is full: make room, nothing is lost",
    "database.taken": "something of that name is there already, or what it names is not",
    "vault.io": "the vault's disk does not work as it should: see the system's log",
    "vault.full": "the vault's disk is full: make room, nothing is lost",
    "not_found": "there is nothing of that name",
    "config.tls_ca_file": "it is `tls_ca_file` in the settings",
    "code.wrong": "check who you are, and type your own personal code;"
    " two others can give you a new one with `inbox directory code`",
    "code.paused": "from the third wrong code in a row each makes the next ones wait longer, up to"
    " a quarter of an hour; `inbox directory code` gives a new code, and ends the waiting",
    "directory.changed": "look at it with `inbox directory diff`, and import it again",
    "directory.not_acknowledged": "see it with `inbox directory approve` without --acknowledge",
    "proposal.open": "approve that first, or let its time run out",
    "init.done": "`inbox directory import` adds people, `inbox directory code` gives a new code",
    "keys.exist": "`inbox keys add` adds one",
    "keys.missing": "run `inbox keys create`, or put the key folder of this database in its place",
    "keys.folder": "run `inbox keys create`, or put the key folder of this database in its place",
    "vault.no_folder": "it is `vault` in the settings",
    "policy.unreadable": "the folder is `policies` in the settings",
}
"""What to do about a code, beside what the error itself says."""


def advice(error: InboxError) -> str:
    """What to do about the error, if the error itself does not say."""
    return _ADVICE.get(error.code, "")


def print_error(error: InboxError) -> None:
    """Print an error as one line on standard error: the code, what is wrong, and what to do."""
    parts = [part for part in (error.reason, advice(error)) if part]
    text = " ".join("; ".join(parts).split())
    typer.echo(f"inbox: {error.code}: {text}" if text else f"inbox: {error.code}", err=True)


def print_unexpected_error(error: BaseException) -> None:
    """Print one line for a fault of the program: its type and place, never its text."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "inbox" in Path(frame.filename).parts]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
    typer.echo(
        f"inbox: internal: {type(error).__name__} at {place}; this is a fault of the program:"
        " report this line",
        err=True,
    )


def exit_code_of(error: InboxError) -> int:
    """2 for invalid usage or configuration, 1 for every other error."""
    return EXIT_USAGE if isinstance(error, ConfigurationError | Invalid) else EXIT_FAILED


def print_line(text: str = "") -> None:
    """Print a line on standard output and flush it, because the reader may wait for it."""
    typer.echo(text)
    sys.stdout.flush()


def print_hanging(text: str, *, indent: int) -> None:
    """Print a line, on a terminal broken between words, what follows under its `indent`."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in hanging_lines(text, indent=indent, width=width):
        print_line(line)


def printable(text: str) -> str:
    """The text in one line, without characters that a terminal would act on."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def print_json(value: object) -> None:
    """Print one JSON value on standard output, for a script."""
    print_line(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(rows: Sequence[Mapping[str, object]], columns: Iterable[str]) -> None:
    """Print rows as a table, on a terminal in its width; a word, as an id, is never broken."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in table_lines(rows, list(columns), width=width, is_bold=width is not None):
        print_line(line)
