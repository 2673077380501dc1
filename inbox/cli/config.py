"""`inbox config`: show the settings and check that they are usable; never a password."""

import json
from collections.abc import Iterator
from typing import Final

import typer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from inbox.cli.common.context import settings_of
from inbox.cli.common.formats import Json
from inbox.cli.common.output import print_json, print_line
from inbox.config import Settings
from inbox.errors import ConfigurationError
from inbox.settings_digest import settings_digests

config: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The settings: the TOML file; INBOX_<KEY> in the environment takes precedence.",
)

_HIDDEN: Final = "***"
_NOT_SECRET: Final = frozenset({"host", "hostaddr", "port", "sslmode", "dbname", "user"})
"""What may be shown of the parameters in the address of a database."""


@config.command()
def show(
    ctx: typer.Context,
    as_json: Json = False,
) -> None:
    """Print the settings in use, including defaults but not passwords.

    Each line is `key = value`, as in TOML; a setting that is not set is printed as a comment.
    """
    shown = _printable_settings(settings_of(ctx))
    if as_json:
        print_json(shown)
        return
    for line in _toml_lines("", shown):
        print_line(line)


@config.command()
def check(ctx: typer.Context) -> None:
    """Check that the settings can be read; `inbox doctor` checks what they refer to."""
    _address_without_secrets(settings_of(ctx).database)
    print_line("the settings can be used; `inbox doctor` looks at what they name")


@config.command()
def digests(ctx: typer.Context, as_json: Json = False) -> None:
    """Print the digest of each part of the settings that decides, as each start notes it.

    A reviewer compares them with the entries `settings:in_force` of the audit.
    """
    found = settings_digests(settings_of(ctx))
    if as_json:
        print_json(dict(found))
        return
    for part, digest in found.items():
        print_line(f"{part} {digest}")


def _printable_settings(settings: Settings) -> dict[str, object]:
    values: dict[str, object] = settings.model_dump(mode="json")
    values["database"] = _address_without_secrets(settings.database)
    return values


def _toml_lines(key: str, value: object) -> Iterator[str]:
    """A line for each value, under its whole key; of several alike, each under its number."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _toml_lines(f"{key}.{name}" if key else name, inner)
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for number, inner in enumerate(value):
            yield from _toml_lines(f"{key}.{number}", inner)
    elif value is None:
        yield f"# {key} is not set"
    else:
        yield f"{key} = {json.dumps(value, ensure_ascii=False)}"


def _address_without_secrets(database: str) -> str:
    """The address of the database without what signs in there."""
    try:
        url = make_url(database)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError("config.database", "database: not an address") from error
    query = {key: value if key in _NOT_SECRET else _HIDDEN for key, value in url.query.items()}
    return url.set(query=query).render_as_string(hide_password=True)
