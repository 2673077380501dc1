"""The database: one engine, `reading()` and `transaction()`, and one clock for all processes."""

import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool
from sqlmodel import Session

from inbox.database_faults import fault_of
from inbox.errors import ConcurrentWrite, ConfigurationError, NotThereYet, Unavailable
from inbox.errors import IntegrityError as Damaged

SCHEMA_REVISION = "0012"
"""The revision in `alembic/versions` that this code runs on."""

SQLITE_CONNECTIONS: Final = 48
"""As many as a worker has threads that may use one at the same moment, and some for requests."""
POSTGRES_CONNECTIONS: Final = 20
_KEPT_CONNECTIONS: Final = 10
_WAIT_SECONDS: Final = 30.0
_IDLE_SECONDS: Final = 1.0
_WRITES: Final = "inbox_writes"
"""The option of a connection that says whether its transaction writes."""
_CACHE_KIB: Final = 512
"""Of each connection to SQLite: a process has a dozen, and the system keeps the pages too."""
_POSTGRES_TIMEOUTS: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
    "client_encoding": "utf8",
    "options": "-c lock_timeout=30s -c idle_in_transaction_session_timeout=60s",
}
"""A process that stands still in a transaction holds the head of the audit: it loses both."""
_SNAPSHOT_TRANSACTION: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
"""SQLite sees one moment in any transaction."""
_JITTER: Final = timedelta(seconds=1)
_JUMP: Final = timedelta(minutes=1)
"""A clock that gains more than this between two readings has jumped."""
Clock = Callable[[Session], datetime]
RowKey = Callable[[], bytes]
"""Gives the key of the marks by which audit entries vouch for rows."""
Check = Callable[[], None]
Write = Callable[["Transaction"], None]
Sealer = Callable[["Transaction"], None]


def create_engine(
    url: str, *, connections: int | None = None, wait_seconds: float = _WAIT_SECONDS
) -> Engine:
    """An engine for a database of ours; `postgresql://` means psycopg 3.

    A process has `connections` at most. No thread ever needs two at once, so a thread that waits
    for one gets it when another is done; after `wait_seconds` in vain, it is `Unavailable`.

    SQLite writes with `BEGIN IMMEDIATE`: SQLAlchemy's own default begins late and loses writes to a
    busy error. Parameters never stand in an exception's text.
    """
    if url.startswith("postgresql://"):
        url = "postgresql+psycopg://" + url.removeprefix("postgresql://")
    if not url.startswith("sqlite"):
        engine = sa.create_engine(
            url,
            hide_parameters=True,
            connect_args=_POSTGRES_TIMEOUTS,
            **_pool(connections or POSTGRES_CONNECTIONS, wait_seconds),
        )
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", _ping_if_idle)
        return engine
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": 30, "isolation_level": None},
        **_pool(connections or SQLITE_CONNECTIONS, wait_seconds),
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _pool(connections: int, wait_seconds: float) -> dict[str, Any]:
    """The settings of a pool that keeps some connections and opens the others when needed."""
    kept = min(connections, _KEPT_CONNECTIONS)
    return {
        "poolclass": QueuePool,
        "pool_size": kept,
        "max_overflow": connections - kept,
        "pool_timeout": wait_seconds,
    }


def _note_use(connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    del connection
    entry.info["used"] = time.monotonic()


def _ping_if_idle(
    connection: DBAPIConnection, entry: ConnectionPoolEntry, proxy: PoolProxiedConnection
) -> None:
    """A connection that has rested may be dead; one in steady use is not asked each time."""
    del proxy
    used = entry.info.get("used")
    if used is None or time.monotonic() - used < _IDLE_SECONDS:
        return
    try:
        with closing(connection.cursor()) as cursor:
            cursor.execute(";")
    except psycopg.Error as error:
        raise DisconnectionError from error


def _prepare_sqlite(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    del entry
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=30000",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"cache_size=-{_CACHE_KIB}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def database_clock(session: Session) -> datetime:
    """The time of the database, in UTC: one clock for all processes. SQLite's is the machine's."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    moment = session.connection().exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    assert isinstance(moment, datetime)
    return moment.astimezone(UTC)


class SteadyClock:
    """A clock that the monotonic clock of this process guards.

    It never runs backwards of its own course: a reading that is behind is replaced by the course,
    which lengthens no lease, grant or break-glass. A reading far ahead of it is given out, because
    it may be right (the machine slept), but the course stays until somebody else's clock confirms
    it; when the clock comes back, so does this one. `backward` and `ahead` say how far the last
    reading was off, for the alarm and for code that must not trust a clock that jumped.
    """

    def __init__(self, read: Clock, *, tick: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._tick = tick
        self._lock = Lock()
        self._course: tuple[datetime, float] | None = None
        self._latest: datetime | None = None
        self.backward = timedelta(0)
        self.ahead = timedelta(0)

    def __call__(self, session: Session) -> datetime:
        """Now; earlier than an earlier answer only where that was far ahead of the course."""
        moment, tick = self._read(session), self._tick()
        with self._lock:
            expected = moment if self._course is None else self._expected(self._course, tick)
            gap = moment - expected
            self.backward = max(timedelta(0), -gap)
            if gap > _JUMP:
                self.ahead = gap
            else:
                if -gap > _JITTER:
                    moment = expected
                if self._latest is not None and not self.ahead:
                    moment = max(moment, self._latest)
                self.ahead, self._course = timedelta(0), (moment, tick)
            self._latest = moment
        return moment

    def confirm(self) -> None:
        """Follow the clock to where it jumped: somebody else's clock agrees with it."""
        with self._lock:
            if self.ahead and self._latest is not None:
                self.ahead, self._course = timedelta(0), (self._latest, self._tick())

    @staticmethod
    def _expected(course: tuple[datetime, float], tick: float) -> datetime:
        return course[0] + timedelta(seconds=tick - course[1])


class Transaction(Session):
    """A session, the time when it began, and what it owes before and after its commit.

    Where nothing is written (`Store.reading`, `Store.snapshot`) nothing is owed before a commit.
    """

    now: datetime
    """The database's time when it began."""

    def __init__(
        self, bind: Engine | Connection, *, row_key: RowKey | None = None, **options: Any
    ) -> None:
        super().__init__(bind, expire_on_commit=False, **options)
        self.writes: Final = bind.get_execution_options().get(_WRITES, False)
        """Whether it can be committed."""
        self.row_key: Final = row_key
        self.entries: Final[list[Any]] = []
        """What `audit.record` noted: appended to the audit by `audit.seal`, last of all."""
        self.written_rows: Any = None
        """What `audit.row_changes` noted of the deciding rows that were written."""
        self.met_duties: Final[set[str]] = set()
        """What was done about the duties of the policy, see `line.authorize`."""
        self._checks: Final[list[Check]] = []
        self._afterwards: Final[list[Write]] = []

    def begin_at(self, clock: Clock) -> None:
        """Begin, and read the time, which is not before the beginning."""
        self.connection()  # On SQLite a writer waits here for its turn.
        self.now = clock(self)

    def check_before_commit(self, check: Check) -> None:
        """Have something checked before the commit; what it raises prevents the commit."""
        self._checks.append(check)

    def write_afterwards(self, write: Write) -> None:
        """Have something written in a transaction of its own once this one has ended.

        It is written whether this one was committed, rolled back or only read: that somebody was
        refused must outlast the transaction that the refusal ends.
        """
        self._afterwards.append(write)

    def run_checks(self) -> None:
        """Run the checks, in the order in which they were added."""
        for check in self._checks:
            check()

    def take_afterwards(self) -> list[Write]:
        """What is to be written afterwards; the second time nothing."""
        found, self._afterwards[:] = list(self._afterwards), []
        return found


class Store:
    """The only code that opens, commits and rolls back transactions.

    `seal` runs last in every transaction, before the commit: it appends the audit entries. The
    connections that lie idle are closed when nobody has the store any more, and when the process
    ends by itself.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        seal: Sealer,
        clock: Clock = database_clock,
        row_key: RowKey | None = None,
    ) -> None:
        self.engine = engine
        self.row_key = row_key
        """Asked when rows are written; a `Line` sets that of its own keys."""
        self.clock = clock
        self._writing = engine.execution_options(**{_WRITES: True})
        self._seal = seal
        weakref.finalize(self, engine.dispose)

    @contextmanager
    def _begin(self, engine: Engine) -> Iterator[Transaction]:
        """A transaction, and after its end what is to be written then."""
        tx = Transaction(engine, row_key=self.row_key)
        try:
            with translate_errors(), tx:
                yield tx
        finally:
            for write in tx.take_afterwards():
                with self.transaction() as its_own:
                    write(its_own)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A read-only transaction; what is read is detached and never written back."""
        with self._begin(self.engine) as tx:
            tx.begin_at(self.clock)
            yield tx
            tx.expunge_all()

    @contextmanager
    def reading_untimed(self) -> Iterator[Session]:
        """As `reading`, for what does not depend on the time: the clock is not asked."""
        with self._begin(self.engine) as tx:
            yield tx
            tx.expunge_all()

    @contextmanager
    def snapshot(self) -> Iterator[Transaction]:
        """As `reading`, and all statements see the same moment, on each database."""
        with self._begin(self.engine) as tx:
            connection = tx.connection()
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(_SNAPSHOT_TRANSACTION)
            tx.begin_at(self.clock)
            yield tx
            tx.expunge_all()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One transaction with its audit entries, all or nothing."""
        with self._begin(self._writing) as tx:
            tx.begin_at(self.clock)
            yield tx
            tx.flush()
            tx.run_checks()
            self._seal(tx)
            tx.commit()

    def check_schema(self) -> None:
        """Raise `ConfigurationError` unless the database is of this code's version, in UTF-8.

        A file of SQLite that is not there is not made: its disk may come later (`NotThereYet`).
        """
        _check_file(self.engine)
        with translate_errors(), self.engine.connect() as connection:
            check_encoding(connection)
            if not sa.inspect(connection).has_table("alembic_version"):
                raise ConfigurationError(
                    "database.empty", "the database has no tables yet: run `inbox database upgrade`"
                )
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if found != SCHEMA_REVISION:
            raise ConfigurationError(
                "database.version",
                f"the database is of version {found}, this program of {SCHEMA_REVISION}:"
                " run `inbox database upgrade` with the newer of the two programs",
            )


def _check_file(engine: Engine) -> None:
    """Raise `NotThereYet` if SQLite's folder is there and its file is not."""
    path = Path(engine.url.database or "")
    if engine.dialect.name == "sqlite" and path.parent.is_dir() and not path.exists():
        raise NotThereYet(
            "database.empty",
            "there is no database in that folder: run `inbox database upgrade`, or mount its disk",
        )


def check_encoding(connection: Connection) -> None:
    """Raise `ConfigurationError` unless the database keeps its texts in UTF-8."""
    if connection.dialect.name != "postgresql":
        return
    found = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if found != "UTF8":
        raise ConfigurationError(
            "database.encoding",
            f"the database is in {found}, and must be in UTF8: make another with CREATE DATABASE"
            " name OWNER role ENCODING 'UTF8' TEMPLATE template0",
        )


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn what a driver raises into our errors: each cause has its own code."""
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable("database.busy", "every connection is in use") from error
    except IntegrityError as error:
        raise ConcurrentWrite("database.taken", type(error.orig).__name__) from error
    except OperationalError as error:
        if str(error.orig).startswith("Could not decode to UTF-8"):
            # The driver's text would quote what stands there.
            raise Damaged("database.damaged", "a text in it is not UTF-8 any more") from None
        raise Unavailable(*fault_of(error.orig)) from error
    except DBAPIError as error:
        if type(error) is DatabaseError:
            raise Damaged("database.damaged", "its file is not a database of ours") from error
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise Unavailable(*fault_of(error.orig)) from error
        if not error.connection_invalidated:
            raise
        raise Unavailable("database.unavailable", type(error.orig).__name__) from error
