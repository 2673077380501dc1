"""`inbox database`: upgrade the database to this program's version, and show its version."""

from typing import Annotated, Final

import typer

from inbox.access.files.before_upgrade import check_active_policy
from inbox.cli.common.context import settings_of
from inbox.cli.common.output import print_line
from inbox.store import SCHEMA_REVISION
from inbox.wiring import build_store, upgrade_database

database: Final = typer.Typer(
    no_args_is_help=True, add_completion=False, help="The database's tables and their version."
)


@database.command()
def upgrade(
    ctx: typer.Context,
    although_all_is_denied: Annotated[
        bool,
        typer.Option(
            "--although-all-is-denied",
            help="Upgrade although this program cannot read the active policy: everything is then"
            " denied until two people activate another.",
        ),
    ] = False,
) -> None:
    """Create the tables, or upgrade them to this program's version; a second run does nothing.

    Take a backup first. A database that a newer program has upgraded is refused; so is one whose
    active policy uses a name that this program does not know, before anything is changed.
    """
    check = None if although_all_is_denied else check_active_policy
    upgrade_database(settings_of(ctx), check=check)
    print_line(f"the database is of version {SCHEMA_REVISION}")


@database.command()
def version(ctx: typer.Context) -> None:
    """Print the version of the database; ends with 2 unless it is this program's version."""
    build_store(settings_of(ctx)).check_schema()
    print_line(f"the database is of version {SCHEMA_REVISION}, as this program")
