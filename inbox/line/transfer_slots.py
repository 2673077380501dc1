"""Long transfers use separate slots, so that small messages do not wait behind a large one."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, local
from typing import Final

from inbox.errors import Unavailable

LONG_TRANSFER_BYTES: Final = 32 * 1024 * 1024
"""What is larger than this is a long transfer."""


class TransferSlots:
    """At most `small` short jobs and `long` long transfers at once; safe between threads."""

    def __init__(self, *, small: int = 3, long: int = 2) -> None:
        self.threads = small + long
        self._small = BoundedSemaphore(small)
        self._long = BoundedSemaphore(long)
        self._held = local()

    @contextmanager
    def job_slot(self) -> Iterator[None]:
        """Hold a small slot until the job ends or is moved to a long slot."""
        self._small.acquire()
        self._held.slot = self._small
        try:
            yield
        finally:
            self._held.slot.release()
            self._held.slot = None

    def move_to_long_slot(self) -> None:
        """Move this thread's job to a long slot. Raises `Unavailable` if none is free.

        Outside a job (a tool, a test) there is nothing to move.
        """
        if getattr(self._held, "slot", None) is not self._small:
            return
        if not self._long.acquire(blocking=False):
            raise Unavailable("transfer.no_long_slot", "all long slots are taken")
        self._small.release()
        self._held.slot = self._long
