"""One place opens, commits and rolls back; one clock; errors of the database are ours."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from inbox.errors import Conflict, Unavailable
from inbox.store import SteadyClock, Store, create_engine, database_clock
from inbox.tables import Pulse
from tests import databases
from tests.worlds import closing_engine

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def _store(url: str, sealed: list[datetime] | None = None) -> Store:
    def seal(session: Session, now: datetime) -> None:
        del session
        if sealed is not None:
            sealed.append(now)

    return Store(create_engine(url), seal=seal)


def _names(store: Store) -> list[str]:
    with store.reading() as (session, _):
        return [pulse.name for pulse in session.exec(select(Pulse))]


def test_what_fails_half_way_leaves_nothing(database: str) -> None:
    store = _store(database)

    with pytest.raises(RuntimeError), store.transaction() as (session, _):
        session.add(Pulse(name="half"))
        session.flush()
        raise RuntimeError

    assert _names(store) == []
    store.engine.dispose()


def test_the_audit_is_sealed_last_and_its_failure_undoes_everything(database: str) -> None:
    def fails(session: Session, now: datetime) -> None:
        del now
        assert session.get(Pulse, "seen") is not None
        raise RuntimeError

    store = Store(create_engine(database), seal=fails)
    with pytest.raises(RuntimeError), store.transaction() as (session, _):
        session.add(Pulse(name="seen"))

    assert _names(store) == []
    store.engine.dispose()


def test_the_same_key_twice_is_a_conflict_that_says_nothing_of_the_row(database: str) -> None:
    store = _store(database)
    with store.transaction() as (session, _):
        session.add(Pulse(name="Fornavn Etternavn"))

    with pytest.raises(Conflict) as told, store.transaction() as (session, _):
        session.add(Pulse(name="Fornavn Etternavn"))

    assert "Etternavn" not in str(told.value)
    store.engine.dispose()


def test_a_database_that_is_away_is_unavailable(tmp_path: Path) -> None:
    store = _store(f"sqlite:///{tmp_path}/nowhere/inbox.db")

    with pytest.raises(Unavailable, match="database.unavailable"), store.reading():
        pass


def test_a_full_disk_is_unavailable_and_named(tmp_path: Path) -> None:
    store = _store(databases.sqlite_database(tmp_path))
    with pytest.raises(Unavailable, match="database.full"), store.transaction() as (session, _):
        session.connection().exec_driver_sql("PRAGMA max_page_count = 1")
        session.add_all(Pulse(name=f"{n}", code="x" * 80) for n in range(5000))
    store.engine.dispose()


def test_sqlite_is_as_durable_and_strict_as_it_gets(tmp_path: Path) -> None:
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


def test_two_writers_wait_for_each_other_instead_of_losing(tmp_path: Path) -> None:
    store = _store(databases.sqlite_database(tmp_path))
    with store.transaction() as (session, _):
        session.add(Pulse(name="n", code="0"))

    import threading

    def add() -> None:
        for _ in range(25):
            with store.transaction() as (session, _):
                pulse = session.get_one(Pulse, "n")
                pulse.code = str(int(pulse.code or "0") + 1)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with store.reading() as (session, _):
        assert session.get_one(Pulse, "n").code == "100"
    store.engine.dispose()


def test_the_clock_of_the_database_is_utc_and_aware(database: str) -> None:
    store = _store(database)

    with store.reading() as (session, now):
        again = database_clock(session)

    assert now.tzinfo is UTC or now.utcoffset() == timedelta(0)
    assert timedelta(0) <= again - now < timedelta(seconds=5)
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)
    store.engine.dispose()


def test_a_clock_that_jumps_back_goes_on_from_where_it_was() -> None:
    times = iter([NOON, NOON - timedelta(hours=1), NOON - timedelta(hours=1)])
    clock = SteadyClock(lambda session: next(times))
    session = Session(sa.create_engine("sqlite://"))

    first, second, third = clock(session), clock(session), clock(session)

    assert first == NOON
    assert first <= second <= third < NOON + timedelta(seconds=5)
    assert clock.backward > timedelta(minutes=59)


def test_a_naive_time_is_refused(tmp_path: Path) -> None:
    store = _store(databases.sqlite_database(tmp_path))

    with pytest.raises(sa.exc.StatementError), store.transaction() as (session, _):
        session.add(Pulse(name="x", at=datetime(2026, 1, 1)))  # noqa: DTZ001 - that is the point
    store.engine.dispose()


def test_a_process_that_stands_still_in_a_transaction_does_not_hold_up_the_others(
    postgres_server: str,
) -> None:
    engine = create_engine(databases.postgres_database(postgres_server))
    with closing_engine(engine), engine.connect() as connection:
        waits = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("idle_in_transaction_session_timeout", "lock_timeout")
        }

    assert waits == {"idle_in_transaction_session_timeout": "1min", "lock_timeout": "30s"}
