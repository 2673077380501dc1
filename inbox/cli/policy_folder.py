"""The policy folders that a command is given, and what it says of one that cannot be read."""

from pathlib import Path
from typing import Annotated

import typer

from inbox.access.files.folder import Draft, load_draft
from inbox.cli.opening import policy_folder_of
from inbox.cli.telling import WRONG, tell
from inbox.errors import PolicyError

Policies = Annotated[
    Path | None,
    typer.Option(
        "--policies",
        metavar="FOLDER",
        exists=True,
        file_okay=False,
        help="A policy folder; that of the settings otherwise.",
    ),
]


def draft_of(ctx: typer.Context, folder: Path | None) -> Draft:
    """The folder, or an exit with 1: finding that it is refused is what was asked for."""
    return draft_in(policy_folder_of(ctx, folder))


def draft_in(path: Path) -> Draft:
    """The same for a folder that was named."""
    try:
        return load_draft(path)
    except PolicyError as error:
        raise refused(error) from error


def refused(error: PolicyError) -> typer.Exit:
    """Say what is wrong with a folder, and where; the exit to raise."""
    tell(error)
    return typer.Exit(WRONG)
