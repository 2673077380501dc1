"""Ends a process just before its n-th write, sync, link, unlink or send, or lets calls fail.

As strace's `inject=…:when=N`, with one count over all calls and at a fraction of its cost: a
seccomp filter stops the process (one thread) at these calls alone.
"""

import ctypes
import os
import platform
import signal
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

CALLS: Final = {
    "x86_64": {
        1: "write",
        18: "pwrite64",
        20: "writev",
        44: "sendto",
        46: "sendmsg",
        74: "fsync",
        75: "fdatasync",
        76: "truncate",
        77: "ftruncate",
        82: "rename",
        83: "mkdir",
        86: "link",
        87: "unlink",
        258: "mkdirat",
        263: "unlinkat",
        264: "renameat",
        265: "linkat",
        296: "pwritev",
        316: "renameat2",
    },
    "aarch64": {
        34: "mkdirat",
        35: "unlinkat",
        37: "linkat",
        38: "renameat",
        45: "truncate",
        46: "ftruncate",
        64: "write",
        66: "writev",
        68: "pwrite64",
        70: "pwritev",
        82: "fsync",
        83: "fdatasync",
        206: "sendto",
        211: "sendmsg",
        276: "renameat2",
    },
}
"""Whatever changes a disk or is said to a neighbour, by its number on each kind of machine."""

_TRACEME, _POKEUSER, _CONT, _SETOPTIONS, _SYSCALL_INFO = 0, 6, 7, 0x4200, 0x420E
_RAX, _ORIG_RAX = 10 * 8, 15 * 8  # In `struct user` of x86_64.
_O_TRACESECCOMP, _O_EXITKILL = 1 << 7, 1 << 20
_EVENT_SECCOMP = signal.SIGTRAP | 7 << 8
_NR_AT = 24  # In `struct ptrace_syscall_info`.
_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _IS, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


@dataclass(frozen=True, kw_only=True)
class Traced:
    """How a traced process ended."""

    exit_code: int
    """0, or minus the signal that killed it."""
    calls: tuple[str, ...]
    """What it came to, in order; the last was not done if it was killed."""
    notes: tuple[tuple[str, str], ...] = ()
    """With calls that fail: `failed`, `link` and `delete`, each with its path or message."""


@dataclass(frozen=True, kw_only=True)
class InjectedFailure:
    """Calls that are not done and give an error, until the process stops itself (SIGSTOP)."""

    calls: tuple[str, ...]
    error: int
    first: int
    """The first of them that fails, counted from 1."""
    last: int | None
    """The last that fails; None: all that come."""
    fatal: bool = False
    """The process is killed where it stops itself; else it goes on, and nothing fails."""


def expect_tracer() -> None:
    """In the process itself, before its errand: stop, and from then on at each of `CALLS`."""
    _ptrace(_TRACEME)
    os.kill(os.getpid(), signal.SIGSTOP)
    numbers = CALLS[platform.machine()]
    program = [(_LOAD, 0, 0, 0)]  # The number of the call.
    program += [(_IS, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    program += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _TRACE)]
    code = b"".join(struct.pack("HBBI", *each) for each in program)
    held = ctypes.create_string_buffer(code, len(code))
    what = struct.pack("HxxxxxxP", len(program), ctypes.addressof(held))
    _prctl(_NO_NEW_PRIVS, ctypes.c_ulong(1))
    _prctl(_SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.c_char_p(what))


def trace(pid: int, *, die_at: int | None = None, failing: InjectedFailure | None = None) -> Traced:
    """In its parent: let it go on; kill it at this call, counted from 1, or let some fail."""
    status = _wait(pid)
    assert os.WIFSTOPPED(status), "it ended before it could be traced"
    _ptrace(_SETOPTIONS, pid, _O_TRACESECCOMP | _O_EXITKILL)
    calls, trouble, deliver, killed = list[str](), _Trouble(pid, failing), 0, False
    while True:
        if not killed:
            _ptrace(_CONT, pid, deliver)
        status, deliver = _wait(pid), 0
        if not os.WIFSTOPPED(status):
            break
        if status >> 8 == _EVENT_SECCOMP:
            calls.append(trouble.come_to())
            killed = len(calls) == die_at
        elif os.WSTOPSIG(status) == signal.SIGSTOP:
            killed = trouble.end()
        else:
            deliver = os.WSTOPSIG(status)
        if killed:
            os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    return Traced(exit_code=code, calls=tuple(calls), notes=tuple(trouble.notes))


class _Trouble:
    """Lets calls of a stopped process fail, and notes what it does meanwhile."""

    def __init__(self, pid: int, failing: InjectedFailure | None) -> None:
        self._pid, self._failing, self._count = pid, failing, 0
        self.notes: list[tuple[str, str]] = []

    def come_to(self) -> str:
        """The name of the call at hand; it fails if it is its turn."""
        told = ctypes.create_string_buffer(88)
        assert _libc.ptrace(_SYSCALL_INFO, self._pid, len(told), ctypes.addressof(told)) > 0
        number, *arguments = struct.unpack_from("=7Q", told, _NR_AT)
        name = CALLS[platform.machine()][number]
        if self._failing is not None:
            self._note(name, arguments)
        return name

    def _note(self, name: str, arguments: Sequence[int]) -> None:
        failing = self._failing
        assert failing is not None
        if name in failing.calls:
            self._count += 1
            if failing.first <= self._count <= (failing.last or self._count):
                self._fail(failing.error)
                file = Path(f"/proc/{self._pid}/fd/{arguments[0]}").readlink()
                self.notes.append(("failed", str(file)))
        if name in ("link", "linkat"):
            self.notes.append(("link", self._text(arguments[name == "linkat"], 4096)))
        if name == "sendto" and (said := self._text(arguments[1], 100)).startswith("DELETE "):
            self.notes.append(("delete", said.split(" ")[1]))

    def _fail(self, error: int) -> None:
        """Another number, which no call has, and what is given back in its place."""
        for place, value in ((_ORIG_RAX, -1), (_RAX, -error)):
            _ptrace(_POKEUSER, self._pid, value, place)

    def _text(self, address: int, length: int) -> str:
        with Path(f"/proc/{self._pid}/mem").open("rb", buffering=0) as memory:
            memory.seek(address)
            return memory.read(length).split(b"\0")[0].decode("latin-1")

    def end(self) -> bool:
        """It has stopped itself: nothing fails any more; whether it is to die."""
        if self._failing is None:
            return False
        self._failing = replace(self._failing, calls=())
        return self._failing.fatal


def _wait(pid: int) -> int:
    return os.waitpid(pid, 0)[1]


def _ptrace(request: int, pid: int = 0, about: int = 0, place: int = 0) -> None:
    if _libc.ptrace(request, pid, place, about) == -1:
        raise OSError(ctypes.get_errno(), "this user may not trace its own children")


def _prctl(option: int, *arguments: object) -> None:
    more = [*arguments, ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)][:4]
    if _libc.prctl(option, *more) == -1:
        raise OSError(ctypes.get_errno(), "no seccomp filter may be set here")
