"""What a case system has still to do: deliveries, each tried again later if it did not work."""

import threading
import time
from dataclasses import dataclass

_FIRST_WAIT, _LONGEST_WAIT, _TRIES = 0.2, 5.0, 40


@dataclass(kw_only=True)
class _Errand:
    due: float
    tries: int = 0


class Errands:
    """The deliveries to see to; one is given out at a time. May be shared by threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, _Errand] = {}
        self._done: set[str] = set()
        self._held = False

    def add(self, delivery_id: str) -> None:
        """One more, unless it waits already or is done with."""
        with self._changed:
            if delivery_id not in self._done:
                self._waiting.setdefault(delivery_id, _Errand(due=time.monotonic()))
                self._changed.notify_all()

    def next(self, until: float) -> str | None:
        """The first that is due; None if nothing is by then (monotonic seconds), or woken up."""
        with self._changed:
            ready = self._ready()
            if ready is None:
                soonest = min([until, *(errand.due for errand in self._waiting.values())])
                self._changed.wait(timeout=max(soonest - time.monotonic(), 0))
                ready = self._ready()
            self._held = ready is not None
            return ready

    def wake(self) -> None:
        """Wake the thread that waits in `next`."""
        with self._changed:
            self._changed.notify_all()

    def finish(self, delivery_id: str) -> None:
        """Nothing more is to be done about it, ever."""
        with self._changed:
            self._held = False
            self._waiting.pop(delivery_id, None)
            self._done.add(delivery_id)

    def put_off(self, delivery_id: str) -> None:
        """Later, and later still each time; after many times only if another event comes."""
        with self._changed:
            self._held = False
            errand = self._waiting[delivery_id]
            errand.tries += 1
            errand.due = time.monotonic() + min(_FIRST_WAIT * 2**errand.tries, _LONGEST_WAIT)
            if errand.tries >= _TRIES:
                del self._waiting[delivery_id]

    def none_left(self) -> bool:
        """Whether nothing waits and nothing is being seen to."""
        with self._changed:
            return not self._waiting and not self._held

    def _ready(self) -> str | None:
        now = time.monotonic()
        return next((name for name, each in self._waiting.items() if each.due <= now), None)
