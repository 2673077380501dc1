"""Attaches `strace` to a process that waits, to write down its system calls."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PATIENCE = 60.0


def needed() -> None:
    """Skip where there is no strace; where INBOX_STRACE is set, fail."""
    if shutil.which("strace") is None:
        assert "INBOX_STRACE" not in os.environ, "INBOX_STRACE is set, but there is no strace"
        pytest.skip("there is no strace on this machine")


def named(calls: tuple[str, ...]) -> str:
    """As strace wants them; a name that this machine has not is passed over."""
    return ",".join(f"?{call}" for call in calls)


@contextmanager
def attached(pid: int, *options: str, record: Path | None = None) -> Iterator[None]:
    """Trace a stopped process and let it go on; at the end it is let go, if it still lives."""
    _until(lambda: _state(pid) == "T", "the process does not wait")
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", str(record or os.devnull), *options, "-p", str(pid)],
        stdin=subprocess.DEVNULL,
    )
    try:
        _until(lambda: _traced(pid) or tracer.poll() is not None, "strace does not attach")
        assert tracer.poll() is None, "strace could not attach: may this user trace?"
        os.kill(pid, signal.SIGCONT)
        yield
    finally:
        tracer.terminate()
        tracer.wait(_PATIENCE)


def _until(true: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + _PATIENCE
    while not true():
        assert time.monotonic() < until, otherwise
        time.sleep(0.0005)


def _state(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "Z"
    return stat.rpartition(")")[2].split()[0]


def _traced(pid: int) -> bool:
    return "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()
