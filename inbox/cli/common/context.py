"""Opens what a command needs: the settings, the database, the line, the keys."""

from pathlib import Path

import typer

from inbox.config import Settings, environment, read_settings
from inbox.errors import ConfigurationError
from inbox.keys import Keyring
from inbox.line import Line
from inbox.store import Store
from inbox.tables import Installation
from inbox.wiring import build_line_before_rules, build_store, policy_folder


def settings_of(ctx: typer.Context) -> Settings:
    """The settings of this command."""
    return read_settings(environment(), config_of(ctx))


def config_of(ctx: typer.Context) -> Path | None:
    """The file that `--config` names, if it was given."""
    config = ctx.find_root().obj
    return config if isinstance(config, Path) else None


def store_of(settings: Settings) -> Store:
    """The database, after checking that it has this program's version."""
    store = build_store(settings)
    store.check_schema()
    return store


def line_of(ctx: typer.Context) -> Line:
    """The whole line, for a command that may run before a channel has active rules."""
    return build_line_before_rules(settings_of(ctx))


def keyring_of(settings: Settings, store: Store) -> Keyring:
    """The keys, after checking that they belong to this database. Raises `ConfigurationError`."""
    keyring = Keyring.load(settings.keys)
    with store.reading() as tx:
        installation = tx.get(Installation, 1)
    if installation is None:
        raise ConfigurationError(
            "database.empty", "the database is no installation yet: run `inbox init`"
        )
    if not keyring.matches_proof(installation.key_proof):
        raise ConfigurationError(
            "keys.not_these",
            "the keys at hand are not those that this database was made with: put the right"
            " key folder in place",
        )
    return keyring


def policy_folder_of(ctx: typer.Context, folder: Path | None) -> Path:
    """The given folder, or else that of the settings."""
    return folder or policy_folder(settings_of(ctx))
