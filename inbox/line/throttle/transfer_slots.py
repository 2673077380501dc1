"""Long transfers use separate slots, so that small messages do not wait behind a large one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock, local
from typing import Final

from inbox.errors import Unavailable

LONG_TRANSFER_BYTES: Final = 32 * 1024 * 1024
"""What is larger than this is a long transfer."""


class TransferSlots:
    """At most `small` short jobs and `long` long transfers at once in each lane of the work.

    A lane is the work for one gateway, or the work on this machine: a gateway that hangs fills its
    own. Safe between threads.
    """

    def __init__(self, *, small: int = 3, long: int = 2) -> None:
        self.threads = small + long
        """The threads that a lane can use."""
        self._small_and_long = (small, long)
        self._lanes: dict[str, _Lane] = {}
        self._lock = Lock()
        self._held = local()

    @contextmanager
    def job_slot(self, lane: str = "") -> Iterator[None]:
        """Hold a small slot of the lane until the job ends or is moved to a long slot."""
        used = self._lane(lane)
        used.small.acquire()
        self._held.lane, self._held.slot = used, used.small
        try:
            yield
        finally:
            self._held.slot.release()
            self._held.lane = self._held.slot = None

    def move_to_long_slot(self) -> None:
        """Move this thread's job to a long slot. Raises `Unavailable` if none is free.

        Outside a job (a tool, a test) there is nothing to move.
        """
        lane: _Lane | None = getattr(self._held, "lane", None)
        if lane is None or self._held.slot is not lane.small:
            return
        if not lane.long.acquire(blocking=False):
            raise Unavailable("transfer.no_long_slot", "all long slots are taken")
        lane.small.release()
        self._held.slot = lane.long

    def _lane(self, name: str) -> "_Lane":
        small, long = self._small_and_long
        with self._lock:
            return self._lanes.setdefault(
                name, _Lane(small=BoundedSemaphore(small), long=BoundedSemaphore(long))
            )


@dataclass(frozen=True, kw_only=True)
class _Lane:
    small: BoundedSemaphore
    long: BoundedSemaphore
