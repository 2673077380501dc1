"""PostgreSQL that is away, slow, full, cut, or stopped around a COMMIT, by the rows of the page."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inbox import audit
from inbox.domain import ReceiptState
from inbox.line import Line
from inbox.store import Store, create_engine
from inbox.worker import Worker
from tests.databases import postgres_database, run
from tests.faults.fault_table import Row, rows_for
from tests.faults.harness.breakable_postgres import CommitFault, Proxy, cluster, proxy_to
from tests.faults.outage.http_world import TERMS, HttpWorld, http_world, wait_until

COMMITS = {"P1": CommitFault.LOST, "P2": CommitFault.DROPPED}
REFUSALS = {"P6": "disk_full", "P7": "io_error", "P8": "serialization_failure"}
"""What the server itself says, by its own error classes."""
REFUSED = (
    *("arrival", "message", "delivery", "receipt", "outbox"),
    *("audit_entry", "audit_node", "audit_head", "wrapped_key"),
)


@contextmanager
def _proxied(url: str, folder: Path) -> Iterator[tuple[HttpWorld, Proxy]]:
    """A town whose line reaches its database through the proxy; the test looks past it."""
    with ExitStack() as stack:
        proxy, through = stack.enter_context(proxy_to(url))
        engine = create_engine(through)
        stack.callback(engine.dispose)

        def change(line: Line) -> Line:
            return replace(line, store=Store(engine, seal=audit.seal, clock=line.store.clock))

        yield stack.enter_context(http_world(url, folder, change=change)), proxy


@pytest.mark.parametrize(
    ("row", "nths"),
    [
        pytest.param(row, nths, id=f"{row.number}-{name}", marks=marks)
        for row in rows_for("test_message_is_answered_once_when_the_outcome_of_a_commit_is_unknown")
        for name, nths, marks in (
            ("one", range(6, 7), () if row.number == "P1" else pytest.mark.long),
            ("all", range(3, 200), pytest.mark.long),
        )
    ],
)
def test_message_is_answered_once_when_the_outcome_of_a_commit_is_unknown(
    postgres_server: str, tmp_path: Path, row: Row, nths: range
) -> None:
    """The n-th COMMIT of a message's whole life, n counted up until there is no such COMMIT."""
    with _proxied(postgres_database(postgres_server), tmp_path) as (there, proxy):
        struck = 0
        for nth in nths:
            proxy.stage(COMMITS[row.number], nth)
            there.send(content=b"%d" % nth)
            there.until_answered(pause=timedelta(minutes=5))
            assert there.wrong() == []
            assert there.tasks() == []
            struck += proxy.struck
            if not proxy.struck:
                break

        assert (proxy.struck, struck > 20) == ((1, False) if len(nths) == 1 else (0, True))


@pytest.mark.long
def test_line_calls_no_gateway_while_postgres_is_down_and_recovers_afterwards(
    postgres_server: str, tmp_path: Path
) -> None:
    with _proxied(postgres_database(postgres_server), tmp_path) as (there, proxy):
        wire_id = there.send()
        there.worker._poll_gateway("eformidling")
        proxy.away = True
        proxy.cut()
        before = there.states(), there.effects()

        there.pass_time(5)

        assert (there.states(), there.effects()) == before
        assert there.world.gateway.queue() == [wire_id]
        unmet = there.readiness()
        assert unmet.pop("gateway:eformidling", "") != ""
        assert set(unmet) == {"database", "keys", "policies", "trust"}
        assert set(unmet.values()) == {"database.unavailable"}
        proxy.away = False
        there.until_answered()
        assert there.wrong() == []
        assert there.tasks() == []


@pytest.mark.long
def test_messages_are_answered_once_despite_cut_postgres_connections_and_a_slow_network(
    postgres_server: str, tmp_path: Path
) -> None:
    with _proxied(postgres_database(postgres_server), tmp_path) as (there, proxy):
        proxy.delay = 0.005
        stop = threading.Event()

        def cutting() -> None:
            while not stop.wait(0.15):
                proxy.cut()

        cutter = threading.Thread(target=cutting)
        cutter.start()
        for number in range(6):
            there.send(content=b"%d" % number)
            there.pass_time(4)
        stop.set()
        cutter.join()
        proxy.delay = 0

        there.until_answered()

        assert there.wrong() == []
        assert there.tasks() == []


def _refuse(url: str, table: str, condition: str) -> None:
    """From now on the server refuses what is written to the table, as one without disk would."""
    run(
        url,
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{condition}'; END $$",
    )
    run(
        url,
        f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse()",
    )


@pytest.mark.parametrize(
    ("row", "tables"),
    [
        pytest.param(row, tables, id=f"{row.number}-{name}", marks=marks)
        for row in rows_for("test_line_waits_while_postgres_refuses_writes_to_a_table")
        for name, tables, marks in (
            ("arrival", ("arrival",), pytest.mark.long),
            ("all", REFUSED, pytest.mark.long),
        )
    ],
)
def test_line_waits_while_postgres_refuses_writes_to_a_table(
    postgres_server: str, tmp_path: Path, row: Row, tables: tuple[str, ...]
) -> None:
    url = postgres_database(postgres_server)
    with http_world(url, tmp_path) as there:
        for table in tables:
            there.send(content=table.encode())
            _refuse(url, table, REFUSALS[row.number])
            there.pass_time(3)
            before = there.states(), there.world.gateway.receipts_at_sender()
            there.pass_time(3)
            assert (there.states(), there.world.gateway.receipts_at_sender()) == before, table
            assert any(
                state != "ANSWERED" for kind, _, state in before[0] if kind == "Message"
            ) or (len(there.world.gateway.queue()) == 1), table

            run(url, f"DROP TRIGGER refuse ON {table}")

            there.until_answered()
            assert there.wrong() == [], table
            assert there.tasks() == [], table


@pytest.mark.long
def test_worker_answers_all_messages_after_repeated_immediate_postgres_shutdowns(
    tmp_path: Path,
) -> None:
    """The real worker with its threads, on a server that is stopped again and again."""
    terms = replace(
        TERMS,
        lease=timedelta(seconds=2),
        first_retry=timedelta(seconds=0.05),
        longest_retry=timedelta(seconds=0.2),
    )
    with (
        cluster() as server,
        http_world(postgres_database(server.url), tmp_path, terms=terms) as there,
    ):
        ticking = Worker(there.line, poll_seconds=0.1, checkpoints=tmp_path / "checkpoints.txt")
        thread = threading.Thread(target=ticking.run, daemon=True)
        clock = there.world.clock
        thread.start()
        for number in range(4):
            there.send(content=b"%d" % number)
            for _ in range(5):
                clock.advance(timedelta(seconds=1))
                ticking.wake()
                there.rest(0.1)
            server.stop()
            clock.advance(timedelta(seconds=1))
            ticking.wake()
            there.rest(0.3)
            server.start()

        def answered() -> bool:
            clock.advance(timedelta(seconds=2))
            ticking.wake()
            return len(there.world.gateway.receipts_at_sender()) == 4

        wait_until(answered, seconds=60, pause=0.1)
        ticking.stop()
        thread.join(timeout=20)

        assert not thread.is_alive()
        there.until_answered()
        assert there.wrong() == []
        assert {s for kind, _, s in there.states() if kind == "Receipt"} == {
            ReceiptState.CONFIRMED.value
        }
