"""`inbox config`: what the settings are and whether they can be used; never a password."""

from typing import Final

import typer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from inbox.cli.opening import settings_of
from inbox.cli.telling import say, say_json
from inbox.config import Settings
from inbox.errors import ConfigurationError

config: Final = typer.Typer(
    no_args_is_help=True,
    help="The settings: the TOML file, and INBOX_<KEY> in the environment before it.",
)

_HIDDEN: Final = "***"
_NOT_SECRET: Final = frozenset({"host", "hostaddr", "port", "sslmode", "dbname", "user"})
"""What may be shown of the parameters in the address of a database."""


@config.command()
def show(ctx: typer.Context) -> None:
    """Print the settings in use as JSON, defaults included. Passwords are not among them."""
    say_json(_shown(settings_of(ctx)))


@config.command()
def check(ctx: typer.Context) -> None:
    """Read the settings and stop; `inbox doctor` looks at what they name."""
    _address(settings_of(ctx).database)
    say("the settings can be used; `inbox doctor` looks at what they name")


def _shown(settings: Settings) -> dict[str, object]:
    values: dict[str, object] = settings.model_dump(mode="json")
    values["database"] = _address(settings.database)
    return values


def _address(database: str) -> str:
    """The address of the database without what signs in there."""
    try:
        url = make_url(database)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError("config.database", "database: not an address") from error
    query = {
        key: value if key in _NOT_SECRET else _HIDDEN for key, value in url.query.items()
    }
    return url.set(query=query).render_as_string(hide_password=True)
