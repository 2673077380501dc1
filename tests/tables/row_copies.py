"""All rows of a database, read once and written into others that have the schema and nothing in it.

The program's own session has no part in it, so nothing is written to the audit: its entries are
rows as any other.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, insert, select
from sqlmodel import SQLModel

Rows = Mapping[str, list[dict[str, Any]]]
"""The rows by the name of their table."""


def read_rows(engine: Engine) -> Rows:
    """Every row of every table."""
    with engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in SQLModel.metadata.sorted_tables
        }


def write_rows(engine: Engine, rows: Rows) -> None:
    """Insert them as they were read, on either kind of database."""
    with engine.begin() as connection:
        for table in SQLModel.metadata.sorted_tables:
            if rows[table.name]:
                connection.execute(insert(table), rows[table.name])
