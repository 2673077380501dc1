"""The real program at a terminal of a given size: what it writes, and what a person types."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from tests.cli.installation import PROGRAM, clean_environment

_SECONDS = 120


def _take_terminal() -> None:
    """Make the terminal this session's own, so that Ctrl-C typed there interrupts the program."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def at_a_terminal(
    *words: str | Path,
    typed: Sequence[tuple[str, str]] = (),
    columns: int = 80,
    rows: int = 24,
    seconds: int = _SECONDS,
) -> tuple[int, str]:
    """Run the program; each text is typed once what it waits for stands there. Code and output."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        [PROGRAM, *words],
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509 - no thread of the tests holds a lock then
        env={**clean_environment(), "TERM": "xterm"},
    )
    os.close(its)
    said, left, until = "", list(typed), time.monotonic() + seconds
    while time.monotonic() < until:
        if not select.select([ours], [], [], 1.0)[0]:
            continue
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux says so when the other side has been closed
            break
        said += piece.decode("utf-8", errors="replace")
        if left and left[0][0] in said.rpartition("\x1b[2J")[2]:
            os.write(ours, left.pop(0)[1].encode())
    os.close(ours)
    try:
        return process.wait(timeout=_SECONDS), said
    finally:
        process.kill()
