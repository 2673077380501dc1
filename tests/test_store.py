"""One place opens, commits and rolls back; one clock; errors of the database are ours."""

import gc
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from inbox.errors import Conflict, Unavailable
from inbox.store import (
    SQLITE_CONNECTIONS,
    SteadyClock,
    Store,
    Transaction,
    create_engine,
    database_clock,
)
from inbox.tables import Pulse
from tests import databases
from tests.worlds import closing_engine

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def _store(url: str, sealed: list[datetime] | None = None) -> Store:
    def seal(tx: Transaction) -> None:
        if sealed is not None:
            sealed.append(tx.now)

    return Store(create_engine(url), seal=seal)


def _names(store: Store) -> list[str]:
    with store.reading() as tx:
        return [pulse.name for pulse in tx.exec(select(Pulse))]


def test_failed_transaction_leaves_no_rows(database: str) -> None:
    store = _store(database)

    with pytest.raises(RuntimeError), store.transaction() as tx:
        tx.add(Pulse(name="half"))
        tx.flush()
        raise RuntimeError

    assert _names(store) == []
    store.engine.dispose()


def test_audit_seal_runs_last_and_its_failure_rolls_back_the_transaction(database: str) -> None:
    def fails(tx: Transaction) -> None:
        assert tx.get(Pulse, "seen") is not None
        raise RuntimeError

    store = Store(create_engine(database), seal=fails)
    with pytest.raises(RuntimeError), store.transaction() as tx:
        tx.add(Pulse(name="seen"))

    assert _names(store) == []
    store.engine.dispose()


def test_duplicate_key_raises_conflict_without_quoting_the_row(database: str) -> None:
    store = _store(database)
    with store.transaction() as tx:
        tx.add(Pulse(name="Fornavn Etternavn"))

    with pytest.raises(Conflict) as told, store.transaction() as tx:
        tx.add(Pulse(name="Fornavn Etternavn"))

    assert "Etternavn" not in str(told.value)
    store.engine.dispose()


def test_unreachable_database_raises_unavailable(tmp_path: Path) -> None:
    store = _store(f"sqlite:///{tmp_path}/nowhere/inbox.db")

    with pytest.raises(Unavailable, match="database.unavailable"), store.reading():
        pass


def test_full_disk_raises_unavailable_with_code_database_full(tmp_path: Path) -> None:
    store = _store(databases.sqlite_database(tmp_path))
    with pytest.raises(Unavailable, match="database.full"), store.transaction() as tx:
        tx.connection().exec_driver_sql("PRAGMA max_page_count = 1")
        tx.add_all(Pulse(name=f"{n}", code="x" * 80) for n in range(5000))
    store.engine.dispose()


def test_sqlite_uses_wal_full_sync_foreign_keys_and_secure_delete(tmp_path: Path) -> None:
    store = _store(databases.sqlite_database(tmp_path))

    with store.engine.connect() as connection:
        found = {
            pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }

    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
    }
    store.engine.dispose()


def test_concurrent_sqlite_writers_wait_and_lose_no_update(tmp_path: Path) -> None:
    store = _store(databases.sqlite_database(tmp_path))
    with store.transaction() as tx:
        tx.add(Pulse(name="n", code="0"))

    import threading

    def add() -> None:
        for _ in range(25):
            with store.transaction() as tx:
                pulse = tx.get_one(Pulse, "n")
                pulse.code = str(int(pulse.code or "0") + 1)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with store.reading() as tx:
        assert tx.get_one(Pulse, "n").code == "100"
    store.engine.dispose()


def test_database_clock_is_utc_and_timezone_aware(database: str) -> None:
    store = _store(database)

    with store.reading() as tx:
        again = database_clock(tx)

    assert tx.now.tzinfo is UTC or tx.now.utcoffset() == timedelta(0)
    assert timedelta(0) <= again - tx.now < timedelta(seconds=5)
    assert abs(tx.now - datetime.now(UTC)) < timedelta(seconds=5)
    store.engine.dispose()


def test_store_that_nobody_has_any_more_leaves_no_open_connection(tmp_path: Path) -> None:
    store = _store(databases.sqlite_database(tmp_path))
    with store.transaction() as tx:
        tx.add(Pulse(name="x"))
    assert _open_files_in(tmp_path) > 0

    del store, tx
    gc.collect()

    assert _open_files_in(tmp_path) == 0


def _open_files_in(folder: Path) -> int:
    found = 0
    for each in Path("/proc/self/fd").iterdir():
        try:
            found += each.readlink().is_relative_to(folder)
        except OSError:  # The one that lists them.
            continue
    return found


def test_steady_clock_does_not_go_back_when_the_database_clock_does() -> None:
    times = iter([NOON, NOON - timedelta(hours=1), NOON - timedelta(hours=1)])
    clock = SteadyClock(lambda session: next(times))
    session = Session(sa.create_engine("sqlite://"))

    first, second, third = clock(session), clock(session), clock(session)

    assert first == NOON
    assert first <= second <= third < NOON + timedelta(seconds=5)
    assert clock.backward > timedelta(minutes=59)


def test_steady_clock_follows_a_clock_that_ran_ahead_back_to_its_course() -> None:
    ahead, ticks = timedelta(days=400), [0.0]
    readings = iter([NOON, NOON + ahead, NOON + ahead, NOON + timedelta(seconds=7)])
    clock = SteadyClock(lambda session: next(readings), tick=lambda: ticks[0])
    session = Session(sa.create_engine("sqlite://"))

    said = []
    for tick in (0.0, 1.0, 2.0, 7.0):
        ticks[0] = tick
        said.append((clock(session), clock.ahead > timedelta(days=399)))

    assert said == [
        (NOON, False),
        (NOON + ahead, True),
        (NOON + ahead, True),
        (NOON + timedelta(seconds=7), False),
    ]


def test_steady_clock_keeps_a_jump_that_another_clock_confirmed() -> None:
    readings = iter([NOON, NOON + timedelta(hours=8), NOON])
    clock = SteadyClock(lambda session: next(readings), tick=lambda: 0.0)
    session = Session(sa.create_engine("sqlite://"))
    clock(session)
    clock(session)

    clock.confirm()

    assert clock.ahead == timedelta(0)
    assert clock(session) == NOON + timedelta(hours=8)


def test_storing_a_naive_datetime_is_refused(tmp_path: Path) -> None:
    store = _store(databases.sqlite_database(tmp_path))

    with pytest.raises(sa.exc.StatementError), store.transaction() as tx:
        tx.add(Pulse(name="x", at=datetime(2026, 1, 1)))  # noqa: DTZ001 - that is the point
    store.engine.dispose()


def test_postgres_sessions_have_idle_and_lock_timeouts(
    postgres_server: str,
) -> None:
    engine = create_engine(databases.postgres_database(postgres_server))
    with closing_engine(engine), engine.connect() as connection:
        waits = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("idle_in_transaction_session_timeout", "lock_timeout")
        }

    assert waits == {"idle_in_transaction_session_timeout": "1min", "lock_timeout": "30s"}


def test_wait_for_a_connection_in_vain_is_unavailable_and_not_an_unknown_error(
    database: str,
) -> None:
    engine = create_engine(database, connections=1, wait_seconds=0.05)
    store = Store(engine, seal=lambda tx: None)

    with store.reading(), pytest.raises(Unavailable) as raised, store.reading():
        pass

    assert raised.value.code == "database.busy"
    engine.dispose()


def test_threads_of_a_process_on_sqlite_all_have_a_connection_at_once(tmp_path: Path) -> None:
    store = _store(databases.sqlite_database(tmp_path))

    with ExitStack() as stack:
        for _ in range(SQLITE_CONNECTIONS):
            tx = stack.enter_context(store.reading())
            assert tx.get(Pulse, "none") is None
    store.engine.dispose()
    assert SQLITE_CONNECTIONS >= 40
