"""A gateway that is away, slow, resetting, garbled or forgetful, by the rows of the page."""

from pathlib import Path

import pytest

from tests.faults.conftest import Made
from tests.faults.fault_table import Row, on_both_databases
from tests.faults.outage.gateway_faults import LASTING, MISSED, ONCE
from tests.faults.outage.http_world import HttpWorld, http_world


def _struck(there: HttpWorld) -> bool:
    return any(seen.faults for seen in there.world.gateway.journal)


@pytest.mark.parametrize(("row", "kind"), on_both_databases(LASTING, sample=[("G3", "sqlite")]))
def test_line_pauses_during_a_lasting_gateway_fault_and_recovers_afterwards(
    made: Made, tmp_path: Path, row: Row, kind: str
) -> None:
    with http_world(made(kind), tmp_path) as there:
        there.send()
        there.world.gateway.stage(*row.sentences)
        there.pass_time(5)
        before, receipts = there.states(), there.world.gateway.receipts_at_sender()

        there.pass_time(9)

        assert _struck(there)
        assert there.states() == before
        assert there.world.gateway.receipts_at_sender() == receipts
        assert there.tasks() == ([] if before == [] else ["stuck"])
        there.turn()
        assert list(there.readiness()) == (["gateway:eformidling"] if " peek" in row.means else [])
        there.world.gateway.calm()
        there.until_answered()
        assert there.wrong() == []
        assert there.tasks() == []


@pytest.mark.parametrize(("row", "kind"), on_both_databases(ONCE, sample=[("G41", "postgresql")]))
def test_message_is_answered_once_despite_a_single_gateway_fault(
    made: Made, tmp_path: Path, row: Row, kind: str
) -> None:
    with http_world(made(kind), tmp_path) as there:
        there.send()
        there.world.gateway.stage(*row.sentences)

        there.until_answered()

        assert _struck(there)
        assert there.wrong(times=2 if "delivered twice" in row.comes_to else 1) == []
        assert there.tasks() == []


@pytest.mark.parametrize(("row", "kind"), on_both_databases(MISSED, sample=[]))
def test_message_that_can_never_be_fetched_is_missed_and_opens_one_task(
    made: Made, tmp_path: Path, row: Row, kind: str
) -> None:
    with http_world(made(kind), tmp_path) as there:
        wire_id = there.send()
        there.world.gateway.stage(*row.sentences)

        there.pass_time(30)

        assert _struck(there)
        assert there.tasks() == ["missed"]
        assert there.custody.deletes == []
        assert list(there.line.vault.names()) == []
        assert there.told.registered == []
        assert there.world.gateway.receipts_at_sender() == []
        if "then answered" not in row.comes_to:
            return
        assert there.world.gateway.queue() == [wire_id]
        there.world.gateway.calm()
        there.until_answered()
        assert there.wrong() == []
        assert there.tasks() == []
