"""Messages a second through the line, beside bare commits of the same number and size."""

import multiprocessing
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from inbox.line import Line
from inbox.line.queue import QUEUE_ROW_TYPES, claim, due_kinds
from inbox.line.stations import advance
from tests.bench.figure import Figure, Of, Target, in_turn, name_of
from tests.bench.neighbours import announce_all, furnished, still_line
from tests.bench.outcome import check_outcome, notified_messages

COMMITS = 9
"""A message's: three rows are claimed, six steps (fetch to notify) are settled."""
WORKERS = (1, 2, 4)
_TARGET = Target(at_most=1 / 0.6, of=Of.RATIO)
"""At least 60 % of the messages a second that the bare commits would allow."""
_SPAWN = multiprocessing.get_context("spawn")


def figures(database: str, folder: Path) -> list[Figure]:
    """150 messages, three times, by one, two and four workers."""
    return measured(database, folder, messages=150, runs=3)


def quick(database: str, folder: Path) -> list[Figure]:
    """A few messages, once."""
    return measured(database, folder, messages=4, runs=1)


def measured(database: str, folder: Path, *, messages: int, runs: int) -> list[Figure]:
    """The line and, in turn with it, commits of the same number and size."""
    furnished(database, folder)
    return [_beside_bare(database, folder, messages, runs, workers) for workers in WORKERS]


def _beside_bare(database: str, folder: Path, messages: int, runs: int, workers: int) -> Figure:
    _, size = line_seconds(database, folder, messages=workers, workers=workers)
    ours, beside = in_turn(
        lambda: line_seconds(database, folder, messages=messages, workers=workers)[0],
        lambda: bare_seconds(
            database, folder, commits=COMMITS * messages, size=size, workers=workers
        ),
        runs,
    )
    figure = Figure(
        what=f"a message through the line, {workers} at work",
        database=name_of(database),
        unit="ms",
        ours=ours,
        beside=beside,
        beside_what=f"{COMMITS} bare commits of {size} bytes",
        target=_TARGET,
    )
    return each_of(figure, messages)


def each_of(seconds: Figure, messages: int) -> Figure:
    """The figure of so many messages, in seconds, as milliseconds of each."""
    assert seconds.middle_beside
    rates = messages / seconds.middle, messages / seconds.middle_beside
    return replace(
        seconds,
        ours=tuple(run * 1000 / messages for run in seconds.ours),
        beside=tuple(run * 1000 / messages for run in seconds.beside),
        note=f"{rates[0]:.0f} beside {rates[1]:.0f} messages/s",
    )


def work(line: Line) -> None:
    """Advance everything that is due until nothing is, as a worker's thread does."""
    while True:
        with line.store.reading() as tx:
            due = due_kinds(tx)
        if not due:
            return
        for kind in due:
            job: Any = claim(line, kind)
            while job is not None:
                job = advance(line, job)


def line_seconds(url: str, folder: Path, *, messages: int, workers: int) -> tuple[float, int]:
    """How long they take, and how many bytes the database wrote for each commit."""
    line = still_line(url, folder)
    expected = announce_all(line, messages)
    package_bytes = (folder / "package").stat().st_size
    before = _written(url)
    seconds = together(url, workers, _line_process, (url, str(folder)))
    of_vault = 0 if _is_postgres(url) else package_bytes * messages
    size = max(64, (_written(url) - before - of_vault) // (COMMITS * messages))
    check_outcome("case systems heard of", expected=expected, seen=notified_messages(line))
    line.store.engine.dispose()
    return seconds, size


def bare_seconds(url: str, folder: Path, *, commits: int, size: int, workers: int) -> float:
    """How long so many commits of that size take, by as many at once."""
    address = url if _is_postgres(url) else str(folder / "bare.db")
    _prepare(address)
    seconds = together(url, workers, _bare_process, (address, commits // workers, size))
    kept = commits // workers * workers
    check_outcome("bare commits that are kept", expected=kept, seen=_take_bare_rows(address))
    for file in folder.glob("bare.db*"):
        file.unlink()
    return seconds


def _is_postgres(url: str) -> bool:
    return url.startswith("postgresql")


def together(
    url: str, workers: int, process: Callable[..., None], arguments: tuple[object, ...]
) -> float:
    """How long so many take from when all are ready: processes, or on SQLite threads of one."""
    if _is_postgres(url):
        ready: Any = _SPAWN.Barrier(workers + 1)
        running: list[Any] = [
            _SPAWN.Process(target=process, args=(ready, *arguments)) for _ in range(workers)
        ]
    else:
        ready = threading.Barrier(workers + 1)
        running = [
            threading.Thread(target=process, args=(ready, *arguments)) for _ in range(workers)
        ]
    for each in running:
        each.start()
    ready.wait()
    began = time.perf_counter()
    for each in running:
        each.join()
    seconds = time.perf_counter() - began
    ends = [getattr(each, "exitcode", 0) for each in running]
    check_outcome("exit codes of those at work", expected=[0] * workers, seen=ends)
    return seconds


def _line_process(ready: Any, url: str, folder: str) -> None:
    line = still_line(url, Path(folder))
    claim(line, QUEUE_ROW_TYPES[-1])  # Connected, and its policies read.
    ready.wait()
    work(line)


def _bare_process(ready: Any, address: str, commits: int, size: int) -> None:
    content = os.urandom(size)
    if _is_postgres(address):
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("SELECT 1")
            ready.wait()
            for _ in range(commits):
                with connection.transaction():
                    connection.execute("INSERT INTO bare (b) VALUES (%s)", (content,))
        return
    with closing(_sqlite(address)) as file:
        ready.wait()
        for _ in range(commits):
            file.execute("BEGIN IMMEDIATE")
            file.execute("INSERT INTO bare (b) VALUES (?)", (content,))
            file.execute("COMMIT")


def _prepare(address: str) -> None:
    if _is_postgres(address):
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS bare (id serial PRIMARY KEY, b bytea)")
        return
    with closing(_sqlite(address)) as file:
        file.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, b BLOB)")


def _take_bare_rows(address: str) -> int:
    """How many rows were committed; they are gone afterwards."""
    if _is_postgres(address):
        with psycopg.connect(address, autocommit=True) as connection:
            return connection.execute("DELETE FROM bare").rowcount
    with closing(_sqlite(address)) as file:
        return file.execute("DELETE FROM bare").rowcount


def _sqlite(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, isolation_level=None, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _written(url: str) -> int:
    """Bytes that the database's log has had so far; SQLite's are those of this process."""
    if not _is_postgres(url):
        text = Path("/proc/self/io").read_text(encoding="ascii")
        return int(text.split("wchar: ")[1].split()[0])
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
        row = found.fetchone()
    assert row is not None
    return int(row[0])
