"""`inbox database`: upgrade the database to this program's version, and show its version."""

from typing import Final

import typer

from inbox.cli.common.context import settings_of
from inbox.cli.common.output import print_line
from inbox.store import SCHEMA_REVISION
from inbox.wiring import build_store, upgrade_database

database: Final = typer.Typer(
    no_args_is_help=True, add_completion=False, help="The database's tables and their version."
)


@database.command()
def upgrade(ctx: typer.Context) -> None:
    """Create the tables, or upgrade them to this program's version; a second run does nothing.

    Take a backup first. A database that a newer program has upgraded is refused.
    """
    upgrade_database(settings_of(ctx))
    print_line(f"the database is of version {SCHEMA_REVISION}")


@database.command()
def version(ctx: typer.Context) -> None:
    """Print the version of the database; ends with 2 unless it is this program's version."""
    build_store(settings_of(ctx)).check_schema()
    print_line(f"the database is of version {SCHEMA_REVISION}, as this program")
