"""Logs a failure that repeats once at its start, once a minute, and once at its end.

While a database is away every thread of the worker fails every second: ten equal lines a second
would bury what else happens, and fill a disk.
"""

from collections.abc import Callable
from dataclasses import dataclass
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
    failures: int = 1


class OutageLog:
    """Failures by code and type of exception; safe between threads. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._outages: dict[tuple[str, str], _Outage] = {}

    def failed(self, code: str, error: str) -> None:
        """Note one failure; its line tells how many there were since the start."""
        now = self._clock()
        with self._lock:
            outage = self._outages.get((code, error))
            if outage is None:
                outage = self._outages[code, error] = _Outage(now, now, now)
            else:
                outage.failures, outage.latest = outage.failures + 1, now
                if now - outage.logged < EVERY_SECONDS:
                    return
                outage.logged = now
            fields = _fields(code, error, outage, now)
        log.emit(LogEvent.FAILED, fields)

    def failures(self) -> int:
        """How many failures there were of what has not ended yet."""
        with self._lock:
            return sum(outage.failures for outage in self._outages.values())

    def worked(self) -> None:
        """Note that work succeeded: failures that have stopped since are over."""
        if not self._outages:
            return
        now = self._clock()
        with self._lock:
            over = {
                cause: outage
                for cause, outage in self._outages.items()
                if now - outage.latest >= QUIET_SECONDS
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
