"""What a run of tests or benchmarks starts ends with it: servers, other processes, folders.

A run that is killed (SIGKILL, a closed terminal, no memory left) can end nothing itself. So it
starts a process that outlives it: this file, as a program in a session of its own, which waits
until its parent says so or is gone. It knows what belongs to the run by a variable in the
environment of every process that the run started, and by a folder: temporary files of the run are
made in it, and a PostgreSQL that works in it is the run's. Two things are not removed: what pytest
keeps of the last three runs, and what a test wrote outside of every temporary folder.
"""

import os
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_MARK = "STARTED_BY_TESTS_IN"
_OF_THE_RUN = {_MARK, "LD_PRELOAD"}
"""What the watcher does without: the mark, and a clock that is moved for the run."""
_KEPT = "PYTEST_DEBUG_TEMPROOT"
"""Where pytest keeps its folders: a variable of its own."""
_POSTGRES = {b"postgres\n", b"initdb\n", b"pg_ctl\n"}
_SECONDS_TO_QUIT = 5.0
_SECONDS_TO_END = 30.0


def watch_run() -> None:
    """Have what this process starts, and its temporary files, ended once it is gone.

    pytest's own folders stay where they were, so that those of a failed test can be looked at.
    """
    usual = tempfile.gettempdir()
    os.environ.setdefault(_KEPT, usual)
    # Short: runs may nest, and the path of a socket has 107 bytes at most.
    folder = Path(usual) / f"inbox-t-{os.urandom(4).hex()}"
    _start_watcher(folder)
    _make(folder)
    os.environ[_MARK] = os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


@contextmanager
def watched_folder(folder: Path) -> Iterator[Path]:
    """Make it; it and its servers end with the `with`, and with this process however that ends."""
    folder = folder.absolute()
    watcher, end = _start_watcher(folder)
    _make(folder)
    try:
        yield folder
    finally:
        os.write(end, b"end")
        os.close(end)
        if os.waitpid(watcher, 0)[1]:
            raise ChildProcessError(f"something of {folder} is left")


def _make(folder: Path) -> None:
    """A folder through which the user that PostgreSQL runs as may pass, whatever the umask."""
    folder.mkdir()
    folder.chmod(0o711)


def _start_watcher(folder: Path) -> tuple[int, int]:
    """Its process id, and the end of a pipe: it acts when something comes, or this process ends.

    Not by `subprocess`, which warns of a child that its parent does not wait for.
    """
    its_end, end = os.pipe()
    watcher = os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", __file__, str(folder), str(os.getpid())],
        {name: text for name, text in os.environ.items() if name not in _OF_THE_RUN},
        file_actions=[(os.POSIX_SPAWN_DUP2, its_end, 0)],
        setsid=True,
    )
    os.close(its_end)
    return watcher, end


def _wait_for_end_of(parent: int) -> None:
    """Return when the parent says so or is gone; a fork of it may still hold its side open."""
    while os.getppid() == parent and not select.select([0], [], [], 0.25)[0]:
        pass


def _belonging_to(folder: str) -> Iterator[tuple[int, bool]]:
    """The processes of the run, and whether each is one of PostgreSQL's.

    Python's resource tracker is left out: it ends when those are gone whose resources it frees.
    """
    mark = os.fsencode(f"{_MARK}={folder}")
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with suppress(OSError):
            is_postgres = (entry / "comm").read_bytes() in _POSTGRES
            marked = mark in (entry / "environ").read_bytes().split(b"\0")
            if marked and b"resource_tracker" in (entry / "cmdline").read_bytes():
                continue
            works_here = is_postgres and f"{(entry / 'cwd').readlink()}/".startswith(f"{folder}/")
            if marked or works_here:
                yield int(entry.name), is_postgres


def _end_all(folder: str) -> bool:
    """Whether every process of the run is gone. PostgreSQL may quit, which frees its memory."""
    began = time.monotonic()
    while left := list(_belonging_to(folder)):
        waited = time.monotonic() - began
        if waited > _SECONDS_TO_END:
            return False
        for process, is_postgres in left:
            gently = is_postgres and waited < _SECONDS_TO_QUIT
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGQUIT if gently else signal.SIGKILL)
        time.sleep(0.05)
    return True


def _release_pytest_folders(parent: int) -> None:
    """Let pytest count the folder of a killed run as any other, of which it keeps three."""
    for lock in Path(os.environ.get(_KEPT, "/")).glob("pytest-of-*/pytest-*/.lock"):
        with suppress(OSError):
            if lock.read_text() == str(parent):
                lock.unlink()


def _main(folder: str, parent: int) -> int:
    os.chdir("/")
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    _wait_for_end_of(parent)
    ended = _end_all(folder)
    shutil.rmtree(folder, ignore_errors=True)
    if os.getppid() != parent:
        _release_pytest_folders(parent)
    return int(not ended or Path(folder).exists())


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], int(sys.argv[2])))
