"""Changes to an installation behind the program's back: what a fault, or an intruder, would do."""

import sqlite3
from contextlib import closing

from inbox.config import Settings, read_settings
from inbox.wiring import build_store
from tests.cli.installation import Installed
from tests.rows import audited
from tests.worlds import closing_engine


def settings_of(installed: Installed) -> Settings:
    """What its TOML file says."""
    return read_settings({}, installed.config)


def leaves_of(installed: Installed) -> list[bytes]:
    """Every leaf of its audit, in its order."""
    store = build_store(settings_of(installed))
    with closing_engine(store.engine), store.reading() as tx:
        return audited(tx)


def change(installed: Installed, *statements: str) -> None:
    """Run statements on its database, in one transaction."""
    with closing(sqlite3.connect(installed.folder / "inbox.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)
