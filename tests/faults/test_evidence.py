"""The judgement finds what is planted: an early DELETE, a double, an early receipt, a leak."""

import logging
import uuid
from contextlib import suppress
from pathlib import Path

from inbox.domain import WireId
from inbox.errors import InboxError
from tests.faults.conftest import Made
from tests.faults.evidence import CANARY
from tests.faults.town import town


def test_each_planted_wrong_is_found_and_nothing_else(made: Made, tmp_path: Path) -> None:
    with town(made("sqlite"), tmp_path) as there:
        wire_id = there.send()
        there.until_answered()
        assert there.wrong() == []
        (entry,) = there.told.registered

        there.told._registry.enter(message_id=wire_id, sha256="other", at=entry.at)
        assert there.wrong() == ["journal: 2 of 1"]

        other = there.send()
        (notice,) = there.line.gateways["eformidling"].waiting_notices(1)
        there.line.gateways["eformidling"].confirm(notice)
        assert f"early DELETE of {other}" in there.wrong()
        assert "receipts: 0 of 1" in there.wrong()

        assert there.logged.leaks() == []
        logging.getLogger("somebody").warning("about %s", CANARY)
        assert len(there.logged.leaks()) == 1


def test_a_kvittering_before_anything_is_registered_is_found(made: Made, tmp_path: Path) -> None:
    with town(made("sqlite"), tmp_path) as there:
        there.send()
        with suppress(InboxError):
            there.line.gateways["eformidling"].send_receipt(WireId(str(uuid.uuid4())))

        assert "a kvittering before anything was registered" in there.wrong()
