"""A vault that is full or broken at every write, sync, read and removal."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inbox.line import Line
from tests.faults.conftest import Made
from tests.faults.fault_table import Row, on_both_databases, rows_for
from tests.faults.outage.faulty_vault import At, FaultyVault
from tests.faults.outage.http_world import HttpWorld, http_world

ONCE = rows_for("test_vault_error_at_any_single_operation_loses_no_message")
FULL = rows_for("test_permanent_vault_error_stops_the_line_before_the_gateway_delete")
FAULTS = {
    "D1": (At.WRITE, "vault.full"),
    "D2": (At.WRITE, "vault.io"),
    "D3": (At.SYNC, "vault.io"),
    "D4": (At.READ, "vault.io"),
    "D6": (At.WRITE, "vault.full"),
    "D7": (At.SYNC, "vault.io"),
    "D8": (At.READ, "vault.io"),
}
_BODY = hashlib.shake_128(b"seed").digest(600_000)
"""Does not shrink: several pieces on their way."""


@contextmanager
def _town(url: str, folder: Path) -> Iterator[tuple[HttpWorld, FaultyVault]]:
    made: list[FaultyVault] = []

    def change(line: Line) -> Line:
        made.append(FaultyVault(vault=line.vault))
        return replace(line, vault=made[0])

    with http_world(url, folder, change=change) as there:
        yield there, made[0]


@pytest.mark.parametrize(("row", "kind"), on_both_databases(ONCE, sample=[]))
def test_vault_error_at_any_single_operation_loses_no_message(
    made: Made, tmp_path: Path, row: Row, kind: str
) -> None:
    """The n-th time fails, n counted up until nothing fails any more."""
    at, code = FAULTS[row.number]
    with _town(made(kind), tmp_path) as (there, vault):
        for nth in range(1, 50):
            vault.stage(at, code, nth)
            there.send(content=_BODY + bytes([nth]))
            there.until_answered()
            assert there.wrong() == []
            assert there.tasks() == []
            if not vault.struck:
                break

        assert not vault.struck
        assert nth > 1
        assert len(vault.stored) == len(set(vault.stored))


@pytest.mark.parametrize(("row", "kind"), on_both_databases(FULL, sample=[("D6", "sqlite")]))
def test_permanent_vault_error_stops_the_line_before_the_gateway_delete(
    made: Made, tmp_path: Path, row: Row, kind: str
) -> None:
    with _town(made(kind), tmp_path) as (there, vault):
        wire_id = there.send()
        vault.stage(*FAULTS[row.number])
        there.pass_time(3)
        before = there.states()

        there.pass_time(9)

        assert vault.struck > 8
        assert there.states() == before
        assert there.custody.deletes == []
        assert there.world.gateway.queue() == [wire_id]
        assert there.tasks() == ["stuck"]
        assert not there.custody.holds(wire_id)
        if FAULTS[row.number][0] is not At.READ:
            assert there.readiness()["vault"] == FAULTS[row.number][1]
        vault.calm()
        there.until_answered()
        assert there.wrong() == []
        assert there.tasks() == []


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_message_is_erased_later_when_its_vault_object_cannot_be_removed(
    made: Made, tmp_path: Path, kind: str
) -> None:
    with _town(made(kind), tmp_path) as (there, vault):
        there.send()
        there.until_answered()
        vault.stage(At.REMOVE, "vault.io")
        there.world.clock.advance(timedelta(days=15))
        there.pass_time(3)
        assert vault.struck > 1
        assert [state for kind, _, state in there.states() if kind == "Message"] == ["ANSWERED"]

        vault.calm()
        there.pass_time(3)

        assert list(vault.names()) == []
        assert there.wrong() == []
