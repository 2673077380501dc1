"""How many calls may be on their way to each case system, and when one that is away is asked again.

Every case system has places of its own, so one that takes connections and never answers fills its
own and nobody else's. One that fails several times in a row counts as away (a circuit breaker, as
in M. Nygard, "Release It!"): it gets one call at a time, a probe, after pauses that grow. What
waits for it stays due and costs nothing. The first probe that gets through ends that.

Example: 12 places, 2 for each case system. `a` hangs: two calls, 15 seconds each, then a third; it
is away. From now on one call to `a` every 5, 10, 20, 30, 30 … seconds, and at most four such probes
at once for all that are away. `b` has had its two places all the time.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

FAILURES_UNTIL_AWAY: Final = 3
"""Failures in a row, of whatever kind, after which a case system is away."""
_FIRST_PROBE: Final = timedelta(seconds=5)
_LONGEST_PAUSE: Final = timedelta(seconds=30)
_MAX_DOUBLINGS: Final = 10


@dataclass
class _CaseSystem:
    in_flight: int = 0
    failures: int = 0
    probe_at: datetime | None = None
    """When it is asked next; None unless it is away."""


class CaseSystemPlaces:
    """The places of one worker process; safe between threads. Times are arguments.

    `total` calls at once; `each` of them to one case system, and never more than a third of all.
    """

    def __init__(self, *, total: int = 12, each: int = 2) -> None:
        self.total = total
        self.each = max(1, min(each, total // 3))
        self._lock = Lock()
        self._systems: defaultdict[str, _CaseSystem] = defaultdict(_CaseSystem)

    def enter(self, case_system: str) -> None:
        """Take a place for a call."""
        with self._lock:
            self._systems[case_system].in_flight += 1

    def leave(self, case_system: str) -> None:
        """Give the place back, however the call ended."""
        with self._lock:
            self._systems[case_system].in_flight -= 1

    def closed(self) -> frozenset[str]:
        """The case systems that get no ordinary call now: their places are taken, or away."""
        with self._lock:
            return frozenset(
                name
                for name, system in self._systems.items()
                if system.probe_at is not None or system.in_flight >= self.each
            )

    def probes_due(self, now: datetime) -> tuple[str, ...]:
        """The case systems that are away and may be asked again, the longest due first.

        None while a third of all places is taken by calls to those that are away.
        """
        with self._lock:
            away = {n: s for n, s in self._systems.items() if s.probe_at is not None}
            if sum(system.in_flight for system in away.values()) >= max(1, self.total // 3):
                return ()
            due = [
                (system.probe_at, name)
                for name, system in away.items()
                if system.in_flight == 0 and _is_due(system.probe_at, now)
            ]
        return tuple(name for _, name in sorted(due, key=lambda each: each[0] or now))

    def failed(self, case_system: str, now: datetime) -> bool:
        """Note a failed call; whether the case system counts as away."""
        with self._lock:
            system = self._systems[case_system]
            system.failures += 1
            beyond = system.failures - FAILURES_UNTIL_AWAY
            if beyond < 0:
                return False
            pause = _FIRST_PROBE * float(2 ** min(beyond, _MAX_DOUBLINGS))
            system.probe_at = now + min(pause, _LONGEST_PAUSE)
            return True

    def answered(self, case_system: str) -> bool:
        """Note a call that got through; whether the case system was away until now."""
        with self._lock:
            system = self._systems[case_system]
            was_away = system.probe_at is not None
            system.failures, system.probe_at = 0, None
            return was_away

    def remember_away(self, case_systems: Iterable[str], now: datetime) -> None:
        """Begin with what an earlier process found: these are away, and may be asked at once."""
        with self._lock:
            for name in case_systems:
                self._systems[name].failures = FAILURES_UNTIL_AWAY
                self._systems[name].probe_at = now


def _is_due(probe_at: datetime | None, now: datetime) -> bool:
    """Whether the time has come; one further ahead than any pause is the word of a wrong clock."""
    return probe_at is not None and not now < probe_at <= now + _LONGEST_PAUSE
