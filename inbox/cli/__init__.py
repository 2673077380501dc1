"""The command line `inbox`: one file per group of commands, each imported when it is used."""

import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from typer.main import get_command

from inbox.cli.common.lazy import LazyGroup
from inbox.cli.common.output import (
    EXIT_INTERNAL,
    exit_code_of,
    print_error,
    print_line,
    print_unexpected_error,
)
from inbox.errors import InboxError

_EPILOG: Final = (
    "Exit codes: 0 fine; 1 something is wrong, or it was refused; 2 usage or configuration;"
    " 75, of serve and work: a disk, file or folder is not there yet."
    " An error is one line on standard error: inbox: CODE: what is wrong and what to do."
)

app = typer.Typer(cls=LazyGroup, no_args_is_help=True, add_completion=False, epilog=_EPILOG)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print_line(f"inbox {version('inbox')}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The TOML file with the settings; the default is the file in INBOX_CONFIG.",
        ),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version of the program and end.",
        ),
    ] = False,
) -> None:
    """Confidential case mail between Norwegian public bodies: the receiver's side."""
    ctx.obj = config


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; an error is one line, never a traceback.

    What it makes is closed to others, and its memory, which holds keys, is never dumped.
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        get_command(app).main(list(arguments), prog_name="inbox")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except InboxError as error:
        print_error(error)
        return exit_code_of(error)
    except Exception as error:  # noqa: BLE001 - the edge: a traceback may hold what is confidential
        print_unexpected_error(error)
        return EXIT_INTERNAL
    return 0


def main() -> None:
    """The program `inbox`."""
    sys.exit(run(sys.argv[1:]))
