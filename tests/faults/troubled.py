"""The worker's duties while the disk fails, as its threads do them, but by one; then without."""

import json
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from inbox.errors import InboxError
from tests.faults.inside import Inside
from tests.faults.journey import case_systems, leave, people, prepare, worker_of

_LONGEST = 100


class _Troubles(logging.Handler):
    """What the worker says has failed: kinds of errors, and codes."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds, self.codes = set[str](), set[str]()

    def emit(self, record: logging.LogRecord) -> None:
        fields = getattr(record, "inbox_fields", {})
        if "error" in fields:
            self.kinds.add(fields["error"])
            self.codes.add(str(fields.get("code")))

    def met(self, error: Exception) -> None:
        """One that people or case systems met."""
        self.kinds.add(type(error).__name__)
        self.codes.add(error.code if isinstance(error, InboxError) else "internal")


def through_trouble(inside: Inside) -> None:
    """Work while the disk fails; stop, for whoever is to end the trouble; and go on by itself."""
    prepare(inside)
    troubles = _Troubles()
    logger = logging.getLogger("inbox")
    logger.addHandler(troubles)
    logger.propagate = False
    for _ in range(2):
        _a_while(inside, troubles)
        inside.clock.advance(timedelta(minutes=10))
    os.kill(os.getpid(), signal.SIGSTOP)
    for _ in range(4):
        inside.clock.advance(timedelta(hours=1))
        _a_while(inside, troubles)
    report = {"kinds": sorted(troubles.kinds), "codes": sorted(troubles.codes)}
    report_of(inside.folder).write_text(json.dumps(report))
    leave(inside)


def report_of(folder: Path) -> Path:
    """Where a process says what it met."""
    return folder / "troubles.json"


def _a_while(inside: Inside, troubles: _Troubles) -> None:
    worker = worker_of(inside)

    def attempt(duty: Callable[[], object]) -> bool:
        try:
            return bool(duty())
        except Exception as error:  # noqa: BLE001 - noted, and judged outside
            troubles.met(error)
            return False

    def work() -> None:
        for _ in range(_LONGEST):
            if not worker._work_once():
                return
        raise AssertionError("the line does not come to rest")

    attempt(worker._poll_gateways)
    attempt(work)
    attempt(lambda: people(inside))
    attempt(work)
    attempt(lambda: case_systems(inside))
    attempt(work)
    with suppress(InboxError, OSError):
        worker._checkpoint()
