"""Ends a process just before its n-th write, sync, link, unlink or send.

As strace's `inject=…:signal=KILL:when=N`, with one count over all calls and at a hundredth of its
cost: a seccomp filter stops the process (one thread) at these calls alone.
"""

import ctypes
import os
import platform
import signal
import struct
from dataclasses import dataclass
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

_TRACEME, _CONT, _SETOPTIONS, _SYSCALL_INFO = 0, 7, 0x4200, 0x420E
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


def trace(pid: int, *, die_at: int | None) -> Traced:
    """In its parent: let it go on, and kill it at this call, counted from 1."""
    names, calls = CALLS[platform.machine()], list[str]()
    status = _wait(pid)
    assert os.WIFSTOPPED(status), "it ended before it could be traced"
    _ptrace(_SETOPTIONS, pid, _O_TRACESECCOMP | _O_EXITKILL)
    deliver = 0
    while True:
        _ptrace(_CONT, pid, deliver)
        status = _wait(pid)
        if not os.WIFSTOPPED(status):
            return Traced(exit_code=os.waitstatus_to_exitcode(status), calls=tuple(calls))
        deliver = 0
        if status >> 8 != _EVENT_SECCOMP:
            deliver = os.WSTOPSIG(status)
            continue
        calls.append(names[_number(pid)])
        if len(calls) == die_at:
            os.kill(pid, signal.SIGKILL)
            return Traced(exit_code=os.waitstatus_to_exitcode(_wait(pid)), calls=tuple(calls))


def _wait(pid: int) -> int:
    return os.waitpid(pid, 0)[1]


def _number(pid: int) -> int:
    told = ctypes.create_string_buffer(88)
    assert _libc.ptrace(_SYSCALL_INFO, pid, len(told), ctypes.addressof(told)) > 0
    (number,) = struct.unpack_from("=Q", told, _NR_AT)
    return int(number)


def _ptrace(request: int, pid: int = 0, about: int = 0) -> None:
    if _libc.ptrace(request, pid, 0, about) == -1:
        raise OSError(ctypes.get_errno(), "this user may not trace its own children")


def _prctl(option: int, *arguments: object) -> None:
    more = [*arguments, ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)][:4]
    if _libc.prctl(option, *more) == -1:
        raise OSError(ctypes.get_errno(), "no seccomp filter may be set here")
