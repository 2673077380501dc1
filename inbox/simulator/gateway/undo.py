"""The last writes that clients caused, so that a crash of the gateway can undo them."""

from collections import deque
from collections.abc import Callable

KEPT = 32
"""So many writes can be undone at most."""


class WriteLog:
    """How to undo each of the last writes; the caller holds the lock."""

    def __init__(self) -> None:
        self._undo: deque[Callable[[], None]] = deque(maxlen=KEPT)

    def add(self, undo: Callable[[], None]) -> None:
        """One more write, and what takes it back."""
        self._undo.append(undo)

    def undo(self, count: int) -> int:
        """Take back the last writes, the newest first; how many there were."""
        undone = 0
        while self._undo and undone < count:
            self._undo.pop()()
            undone += 1
        return undone
