"""Refused keys of case systems: noted in the audit, and answered at a pace.

A key has 256 random bits, so nobody guesses one; what is bounded here is what trying costs us, and
what it can write. A valid key is never delayed by the refusals of others.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from inbox import audit
from inbox.line.case_systems import case_system_of_key
from inbox.store import Transaction

UNKNOWN: Final = "unknown"
"""The subject of the entry for a key that is nobody's."""
_STRANGER: Final = "stranger"
_ENTRY_EVERY: Final = timedelta(minutes=1)
_STEP_SECONDS: Final = 0.1
_LONGEST_SECONDS: Final = 3.0


class RefusalPace:
    """One refused answer after the other in this process, a step apart, none held for long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._free_at = 0.0

    def next_delay(self) -> float:
        """How many seconds this refused answer waits for its turn."""
        with self._lock:
            now = self._clock()
            self._free_at = min(max(now, self._free_at) + _STEP_SECONDS, now + _LONGEST_SECONDS)
            return self._free_at - now


class RefusedKeys:
    """Notes refused keys in the audit: the first at once, then their number once a minute."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._noted: dict[str, tuple[datetime, int]] = {}

    def note(self, tx: Transaction, key: str) -> None:
        """Have it noted after this session: of which case system the key was, if of any."""
        system = case_system_of_key(tx, key)
        subject = UNKNOWN if system is None else system.id
        with self._lock:
            noted_at, more = self._noted.get(subject, (None, 0))
            if noted_at is not None and abs(tx.now - noted_at) < _ENTRY_EVERY:
                self._noted[subject] = (noted_at, more + 1)
                return
            self._noted[subject] = (tx.now, 0)
        entry = audit.Entry(
            event="case_system:key_refused", who=_STRANGER, subject=subject, code=f"more.{more}"
        )
        tx.write_afterwards(lambda its_own: audit.record(its_own, entry))
