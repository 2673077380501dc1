"""How fast this process erases, and how long a confirmation of the clock holds.

Both by the monotonic clock alone, which no wrong time can move.
"""

import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

CONFIRMED_FOR: Final = timedelta(minutes=1)
TOLERANCE: Final = timedelta(minutes=5)
"""How far two clocks may differ and still confirm each other."""
_HOUR: Final = 3600.0


class ErasurePace:
    """Counts the erasures of the last hour, and remembers when the clock was last confirmed."""

    def __init__(self, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._lock = Lock()
        self._erased: deque[float] = deque()
        self._confirmed: tuple[datetime, float] | None = None

    def take(self, per_hour: int | None) -> bool:
        """Whether one more may be erased now; it is counted if so. None means no limit."""
        with self._lock:
            now = self._tick()
            while self._erased and now - self._erased[0] >= _HOUR:
                self._erased.popleft()
            if per_hour is not None and len(self._erased) >= per_hour:
                return False
            self._erased.append(now)
            return True

    def confirm(self, now: datetime) -> None:
        """Remember that somebody else's clock agreed with this time just now."""
        with self._lock:
            self._confirmed = (now, self._tick())

    def is_confirmed(self, now: datetime) -> bool:
        """Whether this time follows from one that was confirmed a moment ago."""
        with self._lock:
            if self._confirmed is None:
                return False
            moment, tick = self._confirmed
            passed = timedelta(seconds=self._tick() - tick)
        return passed < CONFIRMED_FOR and abs(now - (moment + passed)) <= TOLERANCE
