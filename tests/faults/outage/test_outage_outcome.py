"""The judgement finds what is planted: an early DELETE, a double, an early receipt, a leak."""

import logging
import uuid
from contextlib import suppress
from pathlib import Path

from inbox.domain import WireId
from inbox.errors import InboxError
from tests.faults.conftest import Made
from tests.faults.outage.http_world import http_world
from tests.faults.outage.outage_outcome import CANARY


def test_outcome_check_reports_duplicate_entry_early_delete_missing_receipt_and_log_leak(
    made: Made, tmp_path: Path
) -> None:
    with http_world(made("sqlite"), tmp_path) as there:
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


def test_outcome_check_reports_a_receipt_sent_before_registration(
    made: Made, tmp_path: Path
) -> None:
    with http_world(made("sqlite"), tmp_path) as there:
        there.send()
        with suppress(InboxError):
            there.line.gateways["eformidling"].send_receipt(WireId(str(uuid.uuid4())))

        assert "a kvittering before anything was registered" in there.wrong()
