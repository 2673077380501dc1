"""The database migrations: where they are, which is the newest, and how to apply them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from inbox.errors import ConfigurationError
from inbox.store import SCHEMA_REVISION, check_encoding, translate_errors

# alembic is imported where it is used: `inbox serve` never migrates, and it takes 11 MB.
if TYPE_CHECKING:
    from alembic.config import Config


def shipped_folder(folder: str) -> Path:
    """A folder that is shipped with the program: beside it in a checkout, inside it in a wheel."""
    package = Path(__file__).parent
    inside = package / "_data" / folder
    return inside if inside.is_dir() else package.parent / folder


def upgrade(
    engine: sa.Engine,
    to: str = "head",
    *,
    check: Callable[[sa.Connection], None] | None = None,
) -> None:
    """Upgrade the database to a revision. Repeated, it does nothing.

    One that a newer program has been at is refused: this program does not know what it would lose.
    `check` is called before anything is changed, and may refuse as well.
    """
    from alembic import command

    def change(config: "Config") -> None:
        if check is not None:
            check(config.attributes["connection"])
        command.upgrade(config, to)

    _run(engine, change)


def downgrade(engine: sa.Engine, to: str) -> None:
    """Downgrade the database to a revision; for tests of the migrations."""
    from alembic import command

    _run(engine, lambda config: command.downgrade(config, to))


def _run(engine: sa.Engine, change: "Callable[[Config], None]") -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(shipped_folder("alembic")))
    with translate_errors(), engine.execution_options(inbox_writes=True).begin() as connection:
        check_encoding(connection)
        found = None
        if sa.inspect(connection).has_table("alembic_version"):
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            raise ConfigurationError(
                "database.version",
                f"the database is of version {found},"
                f" which this program ({SCHEMA_REVISION}) does not know",
            )
        config.attributes["connection"] = connection
        change(config)
