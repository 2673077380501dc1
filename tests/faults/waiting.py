"""Waiting for what others do by themselves."""

import time
from collections.abc import Callable


def until(true: Callable[[], bool], *, seconds: float = 10, pause: float = 0.01) -> None:
    """Return once it is true; fail after so many seconds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(pause)
