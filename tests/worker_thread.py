"""A worker that runs by itself beside a test, and waiting for what it does."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inbox.worker import Worker
from tests.worlds import World


@contextmanager
def working(world: World, tick: Callable[[], float] = time.monotonic) -> Iterator[Worker]:
    """It works until the `with` ends, and must stop then."""
    checkpoints = world.folder / "checkpoints.txt"
    worker = Worker(world.line, poll_seconds=0.05, checkpoints=checkpoints, tick=tick)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(timeout=60)
        assert not thread.is_alive()


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Return once it is true; fail after so many seconds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def work_once(worker: Worker) -> bool:
    """One job of each kind, in this thread; whether there was any."""
    worked = [worker._work_once(lane) for lane in worker._lanes]
    job = worker._claim_event()
    if job is not None:
        worker._send_event(job)
    return any(worked) or job is not None
