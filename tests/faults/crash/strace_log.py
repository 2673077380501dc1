"""Attaches `strace` to a process that waits, to write down its system calls."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_PATIENCE = 60.0


def require_strace() -> None:
    """Skip where there is no strace; where INBOX_STRACE is set, fail."""
    if shutil.which("strace") is None:
        assert "INBOX_STRACE" not in os.environ, "INBOX_STRACE is set, but there is no strace"
        pytest.skip("there is no strace on this machine")


def syscall_filter(calls: tuple[str, ...]) -> str:
    """As strace wants them; a name that this machine has not is passed over."""
    return ",".join(f"?{call}" for call in calls)


@contextmanager
def attach_strace(pid: int, *options: str, record: Path | None = None) -> Iterator[None]:
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


CALLS = (
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "mkdir",
    "mkdirat",
    "link",
    "linkat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "sendto",
    "recvfrom",
)
OPTIONS = ("-yy", "-xx", "-s", "1000000", "-e", "signal=none")
"""Descriptors with their paths; every byte, in hexadecimal digits."""

_LINE = re.compile(r"(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)")
_QUOTED = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FD = re.compile(r"\d+<(.*?)>(?:\(deleted\))?(?:,|$)")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One system call that succeeded."""

    name: str
    paths: tuple[str, ...] = ()
    """The file, folder or socket of its descriptor, or the paths that it names."""
    content: bytes = b""
    offset: int | None = None
    """Where it wrote; None is at the end of what is there."""
    length: int = 0
    created: bool = False
    """An `openat` that may make the file."""

    @property
    def path(self) -> str:
        """The first of its paths."""
        return self.paths[0]


def read_record(path: Path) -> list[Call]:
    """The calls, in order. Fails on a line that it does not know: nothing is passed over."""
    return list(_calls(path.read_text()))


def _calls(text: str) -> Iterator[Call]:
    for line in text.splitlines():
        if "+++" in line or "---" in line:
            continue
        matched = _LINE.search(line)
        assert matched is not None, f"not a line of a record: {line[:200]}"
        name, arguments, result = matched[1], matched[2], int(matched[3])
        if result >= 0:
            yield _call(name.removesuffix("at") if name != "openat" else name, arguments, result)


def _call(name: str, arguments: str, result: int) -> Call:
    quoted = [bytes.fromhex(each.replace("\\x", "")) for each in _QUOTED.findall(arguments)]
    if name in ("openat", "mkdir", "link", "unlink", "rename"):
        created = "O_CREAT" in arguments
        return Call(name=name, paths=tuple(map(bytes.decode, quoted)), created=created)
    descriptor = _FD.match(arguments)
    paths = () if descriptor is None else (_plain(descriptor[1]),)
    if name in ("fsync", "fdatasync"):
        return Call(name="fsync", paths=paths)
    last = arguments.rpartition(",")[2].strip()
    if name == "ftruncate":
        return Call(name=name, paths=paths, length=int(last, 0))
    offset = int(last, 0) if name == "pwrite64" else None
    return Call(name=name, paths=paths, content=quoted[0][:result], offset=offset, length=result)


def _plain(described: str) -> str:
    """With -xx, strace writes the path of a descriptor in hexadecimal digits, too."""
    if "\\x" in described:
        return re.sub(r"(?:\\x[0-9a-f]{2})+", lambda m: _text(m[0]), described)
    return described


def _text(escaped: str) -> str:
    return bytes.fromhex(escaped.replace("\\x", "")).decode()
