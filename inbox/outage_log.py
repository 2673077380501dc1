"""Logs a failure that repeats once at its start, once a minute, and once at its end.

While a database is away every thread of the worker fails every second: ten equal lines a second
would bury what else happens, and fill a disk.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from inbox import log
from inbox.log import LogEvent, LogField

EVERY_SECONDS: Final = 60.0
QUIET_SECONDS: Final = 5.0
"""Work that succeeds so long after the last failure ends it: one thread may succeed in between."""


@dataclass
class _Outage:
    began: float
    logged: float
    latest: float
    failures: int = 0
    sources: set[str] = field(default_factory=set)
    """Whose work failed: others that go on say nothing about it."""


class OutageLog:
    """Failures by code and type of exception; safe between threads. `clock` counts seconds.

    `source` is whose work it was. A failure that many share ends when one of them works again.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._outages: dict[tuple[str, str], _Outage] = {}

    def failed(self, code: str, error: str, source: str = "") -> None:
        """Note one failure; its line tells how many there were since the start."""
        now = self._clock()
        with self._lock:
            outage = self._outages.get((code, error))
            first = outage is None
            if outage is None:
                outage = self._outages[code, error] = _Outage(now, now, now)
            outage.failures, outage.latest = outage.failures + 1, now
            outage.sources.add(source)
            if not first and now - outage.logged < EVERY_SECONDS:
                return
            outage.logged = now
            fields = _fields(code, error, outage, now)
        log.emit(LogEvent.FAILED, fields)

    def failures(self) -> int:
        """How many failures there were of what has not ended yet."""
        with self._lock:
            return sum(outage.failures for outage in self._outages.values())

    def worked(self, source: str = "") -> None:
        """Note that work succeeded: failures of it that have stopped since have ended."""
        if not self._outages:
            return
        now = self._clock()
        with self._lock:
            over = {
                cause: outage
                for cause, outage in self._outages.items()
                if source in outage.sources and now - outage.latest >= QUIET_SECONDS
            }
            for cause in over:
                del self._outages[cause]
        for (code, error), outage in over.items():
            log.emit(LogEvent.RECOVERED, _fields(code, error, outage, now))


def _fields(
    code: str, error: str, outage: _Outage, now: float
) -> dict[LogField, str | int | float | None]:
    return {
        LogField.CODE: code,
        LogField.ERROR: error,
        LogField.COUNT: outage.failures,
        LogField.SECONDS: round(now - outage.began, 3),
    }
