"""A prepared SELECT, whose SQL text is compiled only once.

The problem: every decision is a SELECT of a dozen EXISTS. The database answers it in less time than
SQLAlchemy needs to build the statement, or even to find its text again in its own cache.

The method: a prepared statement, but on the client's side; the database server prepares nothing.
The constructor compiles the expression for one dialect and keeps the text, the order of its
parameters, and the functions that convert a Python value to a bind value and a result column to a
Python value. `fetch` only binds and reads.

An example, in which the unit comes with each request and the state stays:

    >>> from sqlalchemy.dialects import sqlite
    >>> from inbox.access.facts.parameters import text_parameter
    >>> from inbox.tables import Message, table_of
    >>> message = table_of(Message)
    >>> where = (message.c.unit == text_parameter("unit")) & (message.c.state == "ROUTED")
    >>> made = PreparedSelect(sa.select(message.c.id).where(where), sqlite.dialect(), {"unit"})
    >>> print(made._text)
    SELECT message.id FROM message WHERE message.unit = ? AND message.state = ?
    >>> made._positional_names, made._constants["state_1"]
    (['unit', 'state_1'], 'ROUTED')

Not done here: only the text is kept and no answer, so access that is taken away is gone at once; no
ORM object is made.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Dialect
from sqlalchemy.orm import Session

_Converter = Callable[[Any], object]


class PreparedSelect:
    """A SELECT compiled to the SQL text of one database dialect.

    `names` are the parameters whose values each call of `fetch` gives; the other values are
    constants of the statement.
    """

    def __init__(
        self, statement: sa.Select[*tuple[Any, ...]], dialect: Dialect, names: Collection[str]
    ) -> None:
        made = statement.compile(dialect=dialect)
        # An IN over a list becomes one parameter for each value; that is decided here, once, so the
        # lists in a statement must be constants.
        state = made.construct_expanded_state(
            {name: None for name in made.bind_names.values() if name in names}
        )
        process: dict[str, Any] = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect)
            for bind, name in made.bind_names.items()
        } | dict(state.processors)  # the parameters that an IN was expanded to
        self._text = state.statement
        self._positional_names = state.positiontup
        self._request_converters = tuple(
            (name, process[name]) for name in state.parameters if name in names
        )
        self._constants = {
            name: _converted(process[name], value) for name, value in state.parameters.items()
        }
        read = (
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in statement.selected_columns
        )
        self._result_converters = tuple(
            (place, each) for place, each in enumerate(read) if each is not None
        )

    def fetch(self, session: Session, values: Mapping[str, object]) -> list[list[Any]]:
        """Execute the SELECT with these values in the session's transaction.

        The session is flushed first.
        """
        bound = dict(self._constants)
        for name, process in self._request_converters:
            bound[name] = _converted(process, values[name])
        # A session flushes before its own queries; `exec_driver_sql` below bypasses the session.
        session.flush()
        found = session.connection().exec_driver_sql(
            self._text,
            bound
            if self._positional_names is None
            else tuple(bound[name] for name in self._positional_names),
        )
        rows = [list(row) for row in found.all()]
        for row in rows:
            for place, process in self._result_converters:
                # NULL is None for every type, so it needs no converter.
                if row[place] is not None:
                    row[place] = process(row[place])
        return rows


def _converted(process: _Converter | None, value: object) -> Any:
    """The value after its converter.

    A bind value becomes what the driver expects, and a result value becomes what the program uses.
    """
    return value if process is None else process(value)
