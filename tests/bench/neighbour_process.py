"""Processes for the two sides of a measurement: the neighbour never shares ours' interpreter."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from inbox.errors import InboxError
from tests.bench.outcome import WrongOutcome

_PATIENCE = 600.0
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    ["tests.faults.harness.line_process"]
)  # as the tests of faults: one server


@contextmanager
def apart(errand: Callable[..., None], *values: object) -> Iterator[Connection]:
    """Run `errand(connection, *values)` in a process of its own, ended with the `with`."""
    here, there = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_run, args=(there, errand, *values), daemon=True)
    process.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        process.join(timeout=10)
        if process.is_alive():
            process.kill()
            process.join()


def _run(out: Connection, errand: Callable[..., None], *values: object) -> None:
    try:
        errand(out, *values)
    except (WrongOutcome, InboxError) as wrong:
        out.send(WrongOutcome(str(wrong)))


def told(by: Connection) -> Any:
    """What it sends next; a process that ended or says nothing for minutes is an error."""
    if not by.poll(_PATIENCE):
        raise TimeoutError("a process of the benchmark says nothing")
    said = by.recv()
    if isinstance(said, WrongOutcome):
        raise said
    return said


def is_asked(by: Connection) -> bool:
    """Wait for the other side: True when it asks, False when it has closed the connection."""
    try:
        return bool(by.recv())
    except EOFError:
        return False


def wait_for_the_end(by: Connection) -> None:
    """Return when the other side has closed the connection."""
    try:
        by.recv()
    except EOFError:
        return


def memory_mb(field: str, process: int | str = "self") -> float:
    """A figure of Linux about a process's memory: `VmRSS` now, `VmHWM` the most ever."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (kilobytes,) = [line.split()[1] for line in lines if line.startswith(f"{field}:")]
    return int(kilobytes) * 1024 / 1e6
