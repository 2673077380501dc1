"""What decides is a closed list: what is added decides, unless the list says why it does not."""

import ast
from pathlib import Path

from sqlmodel import SQLModel

import inbox
from inbox.audit.deciding_rows import (
    DECIDING_TABLES,
    NOT_DECIDING_COLUMNS,
    NOT_DECIDING_TABLES,
)
from inbox.tables import table_of

SOURCE = Path(inbox.__file__).parent
_SEES_ITS_ROWS = {
    "access/facts/prepared_select.py": "it only reads",
    "audit/__init__.py": "it writes the tree",
    "audit/row_changes.py": "it reads what was written",
    "line/settle.py": "it notes the rows that the statement returns",
    "store.py": "it begins the transaction",
}
"""Modules that execute on the connection itself, past what the session sees."""


def _modules_with_connections() -> set[str]:
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "connection":
                found.add(path.relative_to(SOURCE).as_posix())
    return found


def test_every_table_decides_or_is_listed_with_a_reason() -> None:
    excepted = {table_of(kind).name: reason for kind, reason in NOT_DECIDING_TABLES.items()}

    assert set(DECIDING_TABLES) | set(excepted) == set(SQLModel.metadata.tables)
    assert not set(DECIDING_TABLES) & set(excepted)
    assert all(excepted.values())


def test_every_column_decides_or_is_listed_with_a_reason() -> None:
    for kind, excepted in NOT_DECIDING_COLUMNS.items():
        deciding = DECIDING_TABLES[table_of(kind).name]
        assert set(deciding.names) | set(excepted) == set(table_of(kind).c.keys())
        assert not set(deciding.names) & set(excepted)
        assert all(excepted.values())


def test_a_key_is_never_excepted() -> None:
    for table in DECIDING_TABLES.values():
        assert {column.name for column in table.table.primary_key} <= set(table.names)


def test_only_listed_modules_execute_on_the_connection_itself() -> None:
    assert _modules_with_connections() == set(_SEES_ITS_ROWS)
