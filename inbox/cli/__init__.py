"""The command line `inbox`: one file per group of commands, each imported when it is used."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from inbox.errors import ConfigurationError, InboxError

app = typer.Typer(no_args_is_help=True, add_completion=False)


class Options:
    """What was said before the command."""

    config: Path | None = None


@app.callback()
def options(
    config: Annotated[
        Path | None, typer.Option(help="The TOML file; INBOX_CONFIG names it otherwise.")
    ] = None,
) -> None:
    """Confidential case mail between Norwegian public bodies: the receiver's side."""
    Options.config = config


def main() -> None:
    """Run a command; an error of ours is one line and an exit code, never a traceback."""
    from inbox.cli.demo import demo
    from inbox.cli.serve import serve

    app.command()(demo)
    app.command()(serve)
    try:
        app()
    except InboxError as error:
        print(f"inbox: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)


