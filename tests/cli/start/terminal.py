"""The real program at a terminal of a given size: what it writes, and what a person types."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from tests.cli.installation import PROGRAM, clean_environment

_SECONDS = 600


def at_a_terminal(
    *words: str | Path, typed: Sequence[tuple[str, str]] = (), columns: int = 80, rows: int = 24
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
        env={**clean_environment(), "TERM": "xterm"},
    )
    os.close(its)
    said, left, until = "", list(typed), time.monotonic() + _SECONDS
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
    return process.wait(timeout=_SECONDS), said
