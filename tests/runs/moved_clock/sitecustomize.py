"""Make `time.sleep` work under libfaketime: every Python of such a run imports this as it starts.

Python sleeps until a time of the monotonic clock, by `clock_nanosleep`. libfaketime (0.9.10, as in
Debian 12) takes that time for one of the clock that it moves, and refuses it as invalid. Where it
moves the monotonic clock too, waiting for a lock with a time limit never ends instead.
"""

import select
import time
from typing import SupportsFloat, SupportsIndex


def sleep(seconds: SupportsFloat | SupportsIndex, /) -> None:
    """Wait for so many seconds."""
    wait = float(seconds)
    if wait < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], wait)


try:
    time.sleep(0.000_001)
except OSError:
    time.sleep = sleep
