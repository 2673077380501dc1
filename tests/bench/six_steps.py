"""The same six steps of the same line, queued by procrastinate in place of the rows themselves.

Each step does the station's own work and settles the row with its audit entry, as the line does;
only who finds the next piece of work differs: a table of jobs, or the state of the row.
"""

import asyncio
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import procrastinate
from procrastinate.types import JSONValue
from sqlmodel import col, select

from inbox.domain import station_of
from inbox.line import Job, Line
from inbox.line.queue import unwrap_stored_key
from inbox.line.settle import QueueRow
from inbox.line.stations import STATIONS
from inbox.line.stations.station import Settling
from inbox.tables import Arrival, Message, Outbox, WrappedKey
from tests.bench.figure import Figure, Of, Target, in_turn, name_of
from tests.bench.neighbours import announce_all, furnished, still_line
from tests.bench.outcome import check_outcome, notified_messages
from tests.bench.throughput import WORKERS, each_of, line_seconds, together

_TARGET = Target(at_most=1 / 1.2, of=Of.RATIO)
"""At least 1.2 times the messages a second."""
KINDS: dict[str, type[QueueRow]] = {"arrival": Arrival, "message": Message, "outbox": Outbox}


def figures(database: str, folder: Path) -> list[Figure]:
    """150 messages, three times, by one, two and four workers."""
    return measured(database, folder, messages=150, runs=3)


def quick(database: str, folder: Path) -> list[Figure]:
    """A few messages, once."""
    return measured(database, folder, messages=4, runs=1)


def measured(database: str, folder: Path, *, messages: int, runs: int) -> list[Figure]:
    """The line and, in turn with it, the queue; none on SQLite, which procrastinate cannot use."""
    if not database.startswith("postgresql"):
        return []
    furnished(database, folder)
    return [_beside_queue(database, folder, messages, runs, workers) for workers in WORKERS]


def _beside_queue(database: str, folder: Path, messages: int, runs: int, workers: int) -> Figure:
    ours, beside = in_turn(
        lambda: line_seconds(database, folder, messages=messages, workers=workers)[0],
        lambda: procrastinate_seconds(database, folder, messages=messages, workers=workers),
        runs,
    )
    figure = Figure(
        what=f"six steps of a message, {workers} at work",
        database=name_of(database),
        unit="ms",
        ours=ours,
        beside=beside,
        beside_what="the same steps on procrastinate",
        target=_TARGET,
    )
    return each_of(figure, messages)


def procrastinate_seconds(url: str, folder: Path, *, messages: int, workers: int) -> float:
    """How long they take."""
    line = still_line(url, folder)
    expected = announce_all(line, messages)
    with line.store.reading() as tx:
        waiting = tx.exec(select(Arrival.id).where(col(Arrival.due_at).is_not(None))).all()
    asyncio.run(_fill(url, list(waiting)))
    line.store.engine.dispose()
    seconds = together(url, workers, _process, (url, str(folder)))
    check_outcome("case systems heard of", expected=expected, seen=notified_messages(line))
    line.store.engine.dispose()
    return seconds


def app_of(line: Line, url: str) -> procrastinate.App:
    """The queue, with one task: the next step of a row."""
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=2)
    )

    @app.task(name="step")  # type: ignore[untyped-decorator] # it is skipped where not installed
    async def step(kind: str, row_id: str) -> None:
        for next_kind, next_id in do(line, KINDS[kind], row_id):
            await step.defer_async(kind=next_kind, row_id=next_id)

    return app


def do(line: Line, kind: type[QueueRow], row_id: str) -> list[tuple[str, str]]:
    """One step of a row; which rows go on from here."""
    with line.store.reading() as tx:
        row = tx.get_one(kind, row_id)
        assert isinstance(row, QueueRow)
        stored = tx.get(WrappedKey, row_id)
        key = None if stored is None else unwrap_stored_key(line, stored)
        job: Job[Any] = Job(row=row, now=tx.now, keys={} if key is None else {row_id: key})
    station = station_of(row.state) or ""
    found = STATIONS[station].act(line, job)
    with line.store.transaction() as tx:
        STATIONS[station].settle(Settling(line=line, job=job, tx=tx), found)
        match station:
            case "fetch":
                return [("arrival", row_id)]
            case "confirm":
                assert isinstance(row, Arrival)
                return [("message", row.message_id or "")]
            case "offer":
                sent = select(Outbox.id).where(col(Outbox.message_id) == row_id)
                return [("outbox", tx.exec(sent).one())]
            case "notify":
                return []
            case _:
                return [("message", row_id)]


async def _fill(url: str, waiting: list[str]) -> None:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
    async with app.open_async():
        found = await app.connector.execute_query_one_async(
            "SELECT to_regclass('procrastinate_jobs') AS jobs"
        )
        if found["jobs"] is None:
            await app.schema_manager.apply_schema_async()
        jobs: list[dict[str, JSONValue]] = [{"kind": "arrival", "row_id": each} for each in waiting]
        await app.configure_task("step").batch_defer_async(*jobs)


def _process(ready: Barrier, url: str, folder: str) -> None:
    line = still_line(url, Path(folder))
    with line.store.reading():
        pass
    app = app_of(line, url)

    async def run() -> None:
        async with app.open_async():
            ready.wait()
            await app.run_worker_async(
                wait=False, listen_notify=False, install_signal_handlers=False
            )

    asyncio.run(run())
