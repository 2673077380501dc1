"""A gateway that is away, slow, resetting, garbled or forgetful, by the rows of the page."""

from pathlib import Path

import pytest

from tests.faults.conftest import Made
from tests.faults.page import Row, both, rows_for
from tests.faults.town import Town, town

LASTING = rows_for("test_while_it_lasts_nothing_moves_and_after_it_the_line_goes_on")
ONCE = rows_for("test_what_happens_once_is_got_over")
MISSED = rows_for("test_what_never_comes_is_missed_and_a_person_is_told_once")


def _struck(there: Town) -> bool:
    return any(seen.faults for seen in there.world.gateway.journal)


@pytest.mark.parametrize(("row", "kind"), both(LASTING, sample=[("G3", "sqlite")]))
def test_while_it_lasts_nothing_moves_and_after_it_the_line_goes_on(
    made: Made, tmp_path: Path, row: Row, kind: str
) -> None:
    with town(made(kind), tmp_path) as there:
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


@pytest.mark.parametrize(("row", "kind"), both(ONCE, sample=[("G41", "postgresql")]))
def test_what_happens_once_is_got_over(made: Made, tmp_path: Path, row: Row, kind: str) -> None:
    with town(made(kind), tmp_path) as there:
        there.send()
        there.world.gateway.stage(*row.sentences)

        there.until_answered()

        assert _struck(there)
        assert there.wrong(times=2 if "delivered twice" in row.comes_to else 1) == []
        assert there.tasks() == []


@pytest.mark.parametrize(("row", "kind"), both(MISSED, sample=[]))
def test_what_never_comes_is_missed_and_a_person_is_told_once(
    made: Made, tmp_path: Path, row: Row, kind: str
) -> None:
    with town(made(kind), tmp_path) as there:
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
