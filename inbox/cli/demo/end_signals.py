"""Ends the demo in good order: by Ctrl-C or SIGTERM, whenever they come."""

import signal
import threading
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_ENDED_BY_SIGNAL: Final = 128


class EndSignals:
    """Takes the two signals: before `wait` they end what is being done, then they end the wait.

    Either way everything that was started is ended by its `with`. To be made in the main thread.
    """

    def __init__(self) -> None:
        self._told = threading.Event()
        self._expected = False
        for each in _SIGNALS:
            signal.signal(each, self._take)

    def expect(self) -> None:
        """From now on a signal only ends `wait`."""
        self._expected = True

    def wait(self, seconds: float) -> bool:
        """Whether a signal came by then."""
        return self._told.wait(seconds)

    def _take(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._told.set()
        if not self._expected:
            self._expected = True
            raise SystemExit(_ENDED_BY_SIGNAL + number)
