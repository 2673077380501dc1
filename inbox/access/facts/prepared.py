"""A statement whose text is made once: only the values that it is bound to change."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Dialect
from sqlalchemy.orm import Session

_Process = Callable[[Any], object]


class Kept:
    """A SELECT compiled to the SQL text of one database dialect.

    To build a statement, and to find its text again, costs many times what the database takes to
    answer it. `names` are those of the values that come with each request; the others stay.
    """

    def __init__(
        self, statement: sa.Select[*tuple[Any, ...]], dialect: Dialect, names: Collection[str]
    ) -> None:
        made = statement.compile(dialect=dialect)
        state = made.construct_expanded_state(
            {name: None for name in made.bind_names.values() if name in names}
        )
        process: dict[str, Any] = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect)
            for bind, name in made.bind_names.items()
        } | dict(state.processors)  # which are those of an IN that became several
        self._text = state.statement
        self._order = state.positiontup
        self._given = tuple((name, process[name]) for name in state.parameters if name in names)
        self._fixed = {
            name: _processed(process[name], value) for name, value in state.parameters.items()
        }
        read = (
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in statement.selected_columns
        )
        self._read = tuple((place, each) for place, each in enumerate(read) if each is not None)

    def rows(self, session: Session, values: Mapping[str, object]) -> list[list[Any]]:
        """What the database answers in the transaction of the session; it is flushed first."""
        bound = dict(self._fixed)
        for name, process in self._given:
            bound[name] = _processed(process, values[name])
        session.flush()
        found = session.connection().exec_driver_sql(
            self._text,
            bound if self._order is None else tuple(bound[name] for name in self._order),
        )
        rows = [list(row) for row in found.all()]
        for row in rows:
            for place, process in self._read:
                # NULL is None whatever the type: most columns of a list are.
                if row[place] is not None:
                    row[place] = process(row[place])
        return rows


def _processed(process: _Process | None, value: object) -> Any:
    """The value as the driver takes it, or as the driver gave it and we mean it."""
    return value if process is None else process(value)
