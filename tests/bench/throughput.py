"""Messages a second through the line, beside bare commits of the same number and size."""

import multiprocessing
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier as ProcessBarrier
from pathlib import Path
from typing import Any

import psycopg

from inbox.line import Line
from inbox.line.stations import advance
from inbox.line.work import KINDS, claim
from inbox.store import create_engine
from tests.bench.neighbours import announce_all, still_line

COMMITS = 9
"""A message's: three rows are claimed, six steps are settled."""
STEPS = ("fetch", "confirm", "open", "route", "offer", "notify")
_SPAWN = multiprocessing.get_context("spawn")


def work(line: Line) -> None:
    """Advance everything that is due, until nothing is."""
    while True:
        job: Any = next((found for kind in KINDS if (found := claim(line, kind))), None)
        if job is None:
            return
        while job is not None:
            job = advance(line, job)


def line_seconds(url: str, folder: Path, *, messages: int, workers: int) -> tuple[float, int]:
    """How long they take, and how many bytes the database wrote for each commit."""
    line = still_line(url, folder)
    announce_all(line, messages)
    before = _written(url)
    seconds = _together(url, workers, _line_process, (url, str(folder)), lambda: work(line))
    size = max(64, (_written(url) - before) // (COMMITS * messages))
    line.store.engine.dispose()
    return seconds, size


def bare_seconds(url: str, folder: Path, *, commits: int, size: int, workers: int) -> float:
    """How long so many commits of that size take, by as many at once."""
    share = commits // workers
    address = url if url.startswith("postgresql") else str(folder / "bare.db")
    _prepare(address)
    seconds = _together(
        url, workers, _bare_process, (address, share, size), lambda: bare(address, share, size)
    )
    if not url.startswith("postgresql"):
        for file in folder.glob("bare.db*"):
            file.unlink()
    return seconds


def _together(
    url: str,
    workers: int,
    process: Callable[..., None],
    arguments: tuple[object, ...],
    errand: Callable[[], None],
) -> float:
    """Processes on PostgreSQL, threads of one on SQLite: as the product runs them."""
    if not url.startswith("postgresql"):
        threads = [threading.Thread(target=errand) for _ in range(workers)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - began
    ready = _SPAWN.Barrier(workers + 1)
    processes = [_SPAWN.Process(target=process, args=(ready, *arguments)) for _ in range(workers)]
    for each in processes:
        each.start()
    ready.wait()
    began = time.perf_counter()
    for each in processes:
        each.join()
    seconds = time.perf_counter() - began
    assert {each.exitcode for each in processes} == {0}
    return seconds


def _line_process(ready: ProcessBarrier, url: str, folder: str) -> None:
    line = still_line(url, Path(folder))
    claim(line, KINDS[-1])  # Connected, and its policies read.
    ready.wait()
    work(line)


def _bare_process(ready: ProcessBarrier, url: str, commits: int, size: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT 1")
        ready.wait()
        _bare_postgres(connection, commits, os.urandom(size))


def _prepare(address: str) -> None:
    if address.startswith("postgresql"):
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS bare (id serial PRIMARY KEY, b bytea)")
        return
    connection_ = _sqlite(address)
    connection_.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, b BLOB)")
    connection_.close()


def _sqlite(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, isolation_level=None, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def bare(address: str, commits: int, size: int) -> None:
    """So many commits of one row each on SQLite."""
    connection, content = _sqlite(address), os.urandom(size)
    for _ in range(commits):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO bare (b) VALUES (?)", (content,))
        connection.execute("COMMIT")
    connection.close()


def _bare_postgres(connection: psycopg.Connection, commits: int, content: bytes) -> None:
    for _ in range(commits):
        with connection.transaction():
            connection.execute("INSERT INTO bare (b) VALUES (%s)", (content,))


def _written(url: str) -> int:
    """Bytes that the database's log has had so far; SQLite's are those of this process."""
    if not url.startswith("postgresql"):
        text = Path("/proc/self/io").read_text(encoding="ascii")
        return int(text.split("wchar: ")[1].split()[0])
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT pg_current_wal_insert_lsn() - '0/0'")
        written = int(found.scalar_one())
    engine.dispose()
    return written
