"""What it means that a database refuses: one code and one sentence for each cause.

PostgreSQL tells the cause of a statement by SQLSTATE. Of a connection that it refuses the library
passes on words only, so those are looked for; what is not recognised is `database.unavailable`. The
text itself is never shown: it may name a role, a database or a row.
"""

from typing import Final, NamedTuple

import psycopg


class DatabaseFault(NamedTuple):
    """A stable code, and what is wrong with what to do about it."""

    code: str
    reason: str


_PASSWORD: Final = DatabaseFault(
    "database.password",
    "PostgreSQL refuses the password of the role: put the right one into ~/.pgpass or PGPASSFILE of"
    " the program's user",
)
_NOT_ADMITTED: Final = DatabaseFault(
    "database.not_admitted",
    "PostgreSQL does not let the role in from here: see that the role exists, may log in and"
    " connect, and has a line in pg_hba.conf",
)
_NO_DATABASE: Final = DatabaseFault(
    "database.no_database",
    "PostgreSQL answers, but has no database of that name: CREATE DATABASE name OWNER role"
    " ENCODING 'UTF8' TEMPLATE template0",
)
_NOT_OWNER: Final = DatabaseFault(
    "database.not_owner",
    "the role may not make or use what is in the database, because it does not own it: ALTER"
    " DATABASE name OWNER TO role, and the tables that are there too",
)
_TLS: Final = DatabaseFault(
    "database.tls",
    "no protected connection to PostgreSQL: check sslmode in the address, and that sslrootcert"
    " names the authority of its certificate",
)
_NAME: Final = DatabaseFault(
    "database.name", "the name of PostgreSQL's machine is not known: check the host in the address"
)
_CONNECTIONS: Final = DatabaseFault(
    "database.connections",
    "PostgreSQL has no connection left: a process takes up to 20, raise max_connections",
)
_STARTING: Final = DatabaseFault(
    "database.starting", "PostgreSQL is starting or stopping: wait for it"
)
_DOWN: Final = DatabaseFault(
    "database.unavailable", "nothing listens there: see that PostgreSQL runs, and host and port"
)
_SILENT: Final = DatabaseFault(
    "database.unavailable", "no answer in time: see that no firewall stands between"
)
_BY_SQLSTATE: Final = {
    "28P01": _PASSWORD,
    "28000": _NOT_ADMITTED,
    "3D000": _NO_DATABASE,
    "42501": _NOT_OWNER,
    "53300": _CONNECTIONS,
    "57P03": _STARTING,
}
_BY_WORDS: Final = (
    ("password authentication failed", _PASSWORD),
    ("no password supplied", _PASSWORD),
    ("pg_hba.conf", _NOT_ADMITTED),
    ("permission denied for database", _NOT_ADMITTED),
    ("is not permitted to log in", _NOT_ADMITTED),
    ("authentication failed", _NOT_ADMITTED),
    ("role ", _NOT_ADMITTED),
    ("database ", _NO_DATABASE),
    ("too many clients", _CONNECTIONS),
    ("connection slots are reserved", _CONNECTIONS),
    ("the database system is", _STARTING),
    ("SSL", _TLS),
    ("certificate", _TLS),
    ("could not translate host name", _NAME),
    ("failed to resolve host", _NAME),
    ("Connection refused", _DOWN),
    ("No such file or directory", _DOWN),
    ("timeout", _SILENT),
    ("timed out", _SILENT),
)
_MUST_NOT_EXIST: Final = frozenset({"role ", "database "})


def fault_of(error: BaseException | None) -> DatabaseFault:
    """What an operational error of a driver means."""
    if isinstance(error, psycopg.Error) and error.sqlstate in _BY_SQLSTATE:
        return _BY_SQLSTATE[error.sqlstate]
    text = str(error)
    if _is_full(error, text):
        return DatabaseFault("database.full", type(error).__name__)
    if isinstance(error, psycopg.Error):
        for words, fault in _BY_WORDS:
            if words in text and (words not in _MUST_NOT_EXIST or "does not exist" in text):
                return fault
    return DatabaseFault("database.unavailable", type(error).__name__)


def _is_full(error: BaseException | None, text: str) -> bool:
    """SQLite says so in words, PostgreSQL by a code (`disk_full`)."""
    return isinstance(error, psycopg.errors.DiskFull) or "disk is full" in text
