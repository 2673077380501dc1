"""SQLite that is locked or full, an audit that cannot be written, limits of the process itself."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from inbox import audit
from inbox.errors import Unavailable
from inbox.line import Line
from inbox.store import Store, Transaction, create_engine
from tests.databases import sqlite_database
from tests.faults.conftest import Made
from tests.faults.fault_table import ROOT, Row, on_both_databases, rows_for
from tests.faults.outage.http_world import HttpWorld, http_world
from tests.faults.outage.outage_outcome import CANARY

LIMITED = rows_for("test_process_at_its_resource_limits_sends_no_early_delete_and_recovers")


@contextmanager
def _tuned(url: str, folder: Path, pragma: dict[str, int]) -> Iterator[HttpWorld]:
    """A town whose line sets these pragmas anew at each checkout of a connection."""
    engine = create_engine(url)

    def tune(connection: sa.engine.interfaces.DBAPIConnection, *_: object) -> None:
        cursor = connection.cursor()
        for name, value in pragma.items():
            cursor.execute(f"PRAGMA {name}={value}")
        cursor.close()

    event.listen(engine, "checkout", tune)

    def change(line: Line) -> Line:
        return replace(line, store=Store(engine, seal=audit.seal, clock=line.store.clock))

    try:
        with http_world(url, folder, change=change) as there:
            yield there
    finally:
        engine.dispose()


@pytest.mark.long
def test_line_waits_while_sqlite_is_locked_by_another_connection(tmp_path: Path) -> None:
    url = sqlite_database(tmp_path)
    with _tuned(url, tmp_path, {"busy_timeout": 10}) as there:
        wire_id = there.send()
        there.worker._poll_gateway("eformidling")
        other = create_engine(url)
        with other.connect() as holding:
            holding.exec_driver_sql("COMMIT")
            holding.exec_driver_sql("BEGIN EXCLUSIVE")
            before = there.states(), there.effects()
            there.pass_time(3)
            assert (there.states(), there.effects()) == before
            assert there.world.gateway.queue() == [wire_id]
            assert "gateway:eformidling" in there.readiness()
        other.dispose()

        there.until_answered()

        assert there.wrong() == []
        assert there.tasks() == []


@pytest.mark.long
def test_sqlite_database_that_is_full_at_any_page_loses_no_message(tmp_path: Path) -> None:
    """So many pages more, counted up until a whole life of a message fits."""
    pragma = {"max_page_count": 2**30}
    with _tuned(sqlite_database(tmp_path), tmp_path, pragma) as there:
        struck = 0
        for pages in range(60):
            with there.looking.engine.connect() as connection:
                size = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            pragma["max_page_count"] = size + pages
            there.send(content=b"%d" % pages)
            there.pass_time(5, timedelta(minutes=5))
            fits = there.wrong() == []
            pragma["max_page_count"] = 2**30
            there.until_answered(pause=timedelta(minutes=5))
            assert there.wrong() == []
            assert there.tasks() == []
            struck += not fits
            if fits and pages > 3:
                break

        assert fits
        assert struck > 1


@contextmanager
def _sealing(url: str, folder: Path, refused: set[int]) -> Iterator[tuple[HttpWorld, list[int]]]:
    """A town whose audit cannot be written at some of its entries; with how many were tried."""
    tried = [0]

    def seal(tx: Transaction) -> None:
        if tx.entries:
            tried[0] += 1
            if tried[0] in refused or 0 in refused:
                raise Unavailable("database.unavailable", "by the test")
        audit.seal(tx)

    def change(line: Line) -> Line:
        return replace(line, store=Store(line.store.engine, seal=seal, clock=line.store.clock))

    with http_world(url, folder, change=change) as there:
        yield there, tried


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_message_is_answered_despite_a_failed_audit_write_at_any_step(
    made: Made, tmp_path: Path, kind: str
) -> None:
    refused: set[int] = set()
    with _sealing(made(kind), tmp_path, refused) as (there, tried):
        for nth in range(1, 60):
            refused.clear()
            refused.add(tried[0] + nth)
            there.send(content=b"%d" % nth)
            there.until_answered(pause=timedelta(minutes=5))
            assert there.wrong() == []
            assert there.tasks() == []
            if max(refused) > tried[0]:
                break

        assert nth > 8


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_failing_audit_stops_every_step_and_returns_503_to_case_systems(
    made: Made, tmp_path: Path, kind: str
) -> None:
    refused: set[int] = set()
    with _sealing(made(kind), tmp_path, refused) as (there, _):
        there.send("Sakkyndig vurdering")
        there.turn()
        (delivery,) = there.asking_for()
        there.send()
        refused.add(0)
        before = there.states()

        there.pass_time(2)
        answers = [
            httpx.get(
                f"{there.api_url}/api/v1/deliveries/{delivery}{end}",
                headers={"authorization": f"Bearer {there.world.keys['fag'][0]}"},
                trust_env=False,
            )
            for end in ("", "/package", "/documents/1")
        ]

        assert there.states() == before
        assert [answer.status_code for answer in answers] == [503, 503, 503]
        assert not any(CANARY.encode() in answer.content for answer in answers)
        refused.clear()
        with there.asking:
            there.until_answered()
        assert there.wrong() == []


@pytest.mark.parametrize(("row", "kind"), on_both_databases(LIMITED, sample=[]))
def test_process_at_its_resource_limits_sends_no_early_delete_and_recovers(
    made: Made, tmp_path: Path, row: Row, kind: str
) -> None:
    """In a process of its own, which says what the simulated neighbours saw."""
    what = row.sentences[0]
    limits = [0, 50_000, 300_000, 600_000] if what == "RLIMIT_FSIZE" else [0, 2, 5, 9, 14]
    reached = 0
    for number, limit in enumerate(limits):
        (tmp_path / str(number)).mkdir()
        url = sqlite_database(tmp_path / str(number)) if kind == "sqlite" else made(kind)
        told = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.faults.outage.rlimit_process",
                what,
                str(limit),
                url,
                tmp_path / str(number),
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=120,
        )
        assert told.returncode == 0, told.stderr[-2000:]
        seen = json.loads(told.stdout)
        assert seen["early"] == 0
        assert seen["wrong"] == []
        assert seen["tasks"] == []
        reached += seen["reached"]
    assert reached > 0
