"""A town in a process with a limit of its own for a while; prints what the neighbours saw."""

import hashlib
import json
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tests.faults.outage.http_world import http_world

_BODY = hashlib.shake_128(b"seed").digest(400_000)
_MINUTES = timedelta(minutes=5)


@contextmanager
def _small_files(limit: int) -> Iterator[None]:
    """No file grows beyond the limit: the kernel's own word for a disk without room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def _few_descriptors(left: int) -> Iterator[None]:
    """All descriptors but so many are taken; the simulator's servers want theirs from the rest."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(each) for each in os.listdir("/proc/self/fd"))  # noqa: PTH208 - names
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
    taken = []
    try:
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        for each in taken[len(taken) - left :]:
            os.close(each)
        del taken[len(taken) - left :]
    if len(taken) < left:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1 + left, hard))
    yield
    for each in taken:
        os.close(each)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


LIMITS = {"RLIMIT_FSIZE": _small_files, "RLIMIT_NOFILE": _few_descriptors}


def main(what: str, limit: str, url: str, folder: str) -> None:
    """Send one before and one during the limit, and go on after it."""
    with http_world(url, Path(folder)) as there:
        there.send(content=_BODY)
        with LIMITS[what](int(limit)):
            there.pass_time(3, _MINUTES)
            reached = bool(there.wrong())
        early = sum(not held for _, held in there.custody.deletes)
        there.send(content=_BODY[1:])
        there.until_answered(pause=_MINUTES)
        seen = {
            "reached": reached,
            "early": early,
            "wrong": there.wrong(),
            "tasks": there.tasks(),
        }
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
