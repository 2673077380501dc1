"""A process of the line that has done its work once and forks others, which begin warm.

A process costs a few milliseconds so, and its system calls begin with its errand: nothing of
starting Python is among them.
"""

import ctypes
import json
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from io import FileIO
from multiprocessing.process import BaseProcess
from pathlib import Path
from select import select
from typing import Any

from tests.faults.harness import syscall_injection
from tests.faults.harness.line_process import LineProcess, open_line
from tests.faults.harness.message_journey import journey
from tests.faults.harness.outside_world import OutsideWorld
from tests.faults.harness.syscall_injection import InjectedFailure, Traced

_PATIENCE = 120.0
_PR_SET_PDEATHSIG, _PR_SET_PTRACER = 1, 0x59616D61
_ANYBODY = ctypes.c_ulong(-1)


def serve_forks(inside: LineProcess) -> None:
    """The errand: warm up by a journey, then fork a process for every order that comes."""
    words = inside.plan.words
    if words.get("warm") != "no":
        journey(inside)
    with Path(words["orders"]).open() as orders, Path(words["answers"]).open("w") as answers:
        print("ready", file=answers, flush=True)
        for order in iter(orders.readline, "end\n"):
            asked = json.loads(order)
            pid = os.fork()
            if pid == 0:
                _live(inside, asked)
            print(pid, file=answers, flush=True)
            ended = _see_out(pid, asked)
            print(json.dumps(ended), file=answers, flush=True)


def _see_out(pid: int, asked: Mapping[str, Any]) -> Mapping[str, object]:
    if asked["counted"]:
        failing = None if asked["failing"] is None else InjectedFailure(**asked["failing"])
        return asdict(syscall_injection.trace(pid, die_at=asked["die_at"], failing=failing))
    _, status = os.waitpid(pid, 0)
    return asdict(Traced(exit_code=os.waitstatus_to_exitcode(status), calls=()))


def _live(inside: LineProcess, asked: Mapping[str, Any]) -> None:
    """Be one process: wait for whoever traces it, do the errand, end."""
    try:
        errand: Callable[[LineProcess], None] = getattr(
            import_module(asked["module"]), asked["name"]
        )
        own = open_line(inside.plan)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if asked["waits"]:
            # Where only parents may trace (yama), we say that others may too.
            ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
        if asked["counted"]:
            syscall_injection.expect_tracer()
        errand(own)
    except BaseException:  # noqa: BLE001 - a fork of a loop must never return into it
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


@dataclass(kw_only=True)
class ForkServer:
    """The outside's hold on it: one process at a time."""

    process: BaseProcess
    orders: FileIO
    answers: FileIO

    def start(self, errand: Callable[[LineProcess], None], **how: object) -> int:
        """The id of a new process. One that `waits` stops before its errand until continued."""
        named = {"module": errand.__module__, "name": errand.__name__}
        order = {**named, "waits": False, "counted": False, "die_at": None, "failing": None, **how}
        self.orders.write(json.dumps(order).encode() + b"\n")
        return int(self.hear())

    def ended(self) -> Traced:
        """Wait for its end."""
        told = json.loads(self.hear())
        return Traced(
            exit_code=told["exit_code"],
            calls=tuple(told["calls"]),
            notes=tuple((what, about) for what, about in told["notes"]),
        )

    def run(self, errand: Callable[[LineProcess], None]) -> int:
        """Start one and wait for its end: 0, or minus the signal that killed it."""
        self.start(errand)
        return self.ended().exit_code

    def count(self, errand: Callable[[LineProcess], None], *, die_at: int | None = None) -> Traced:
        """Run one whose calls are counted; at this one, from 1, it dies."""
        self.start(errand, counted=True, die_at=die_at)
        return self.ended()

    def trouble(self, errand: Callable[[LineProcess], None], failing: InjectedFailure) -> Traced:
        """Run one of whose calls some fail."""
        self.start(errand, counted=True, failing=asdict(failing))
        return self.ended()

    def hear(self) -> bytes:
        """Its next line."""
        until = time.monotonic() + _PATIENCE
        while not select([self.answers], [], [], 0.2)[0]:
            assert self.process.is_alive(), "the nursery has died"
            assert time.monotonic() < until, "the nursery does not answer"
        return self.answers.readline()


@contextmanager
def fork_server_for(outside: OutsideWorld, **words: str) -> Iterator[ForkServer]:
    """A nursery for this world; every process that it bears hears the same words."""
    paths = {name: outside.folder / name for name in ("orders", "answers")}
    for path in paths.values():
        os.mkfifo(path)
    told = words | {name: str(path) for name, path in paths.items()}
    outside.line.store.engine.dispose()
    # Opened for both: opening waits for nobody then, and a death of the other side ends nothing.
    with (
        paths["orders"].open("r+b", buffering=0) as orders,
        paths["answers"].open("r+b", buffering=0) as answers,
    ):
        process = outside.start(
            replace(outside.plan(serve_forks, die_at=None, **told), watched=False)
        )
        try:
            ready = ForkServer(process=process, orders=orders, answers=answers)
            assert ready.hear() == b"ready\n"
            yield ready
            orders.write(b"end\n")
            process.join(_PATIENCE)
        finally:
            process.kill()
            process.join()
