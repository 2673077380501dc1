"""Runs the migrations on the connection that `inbox database upgrade` (or a test) hands over."""

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

import inbox.tables  # noqa: F401 - fills the metadata that the migrations are compared with


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        transaction_per_migration=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_run(context.config.attributes["connection"])
