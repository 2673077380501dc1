"""A worker with its threads in a process of its own, and large messages to flood it with."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx

from inbox.line.throttle.transfer_slots import TransferSlots
from inbox.simulator.packages.arkivmelding import ArkivmeldingLetter, arkivmelding_xml
from inbox.simulator.packages.builder import Parcel, ParcelDocument, write_package
from inbox.simulator.packages.envelopes import sbd_json
from inbox.worker import Worker
from tests.faults.harness.line_process import LineProcess
from tests.faults.harness.outside_world import OutsideWorld
from tests.faults.outage.case_system_world import TITLES, CaseSystemWorld, sender_to
from tests.worlds import OURS, SENDER

MIB = 1 << 20
HELD_AT = 33 * MIB
"""A transfer that has come so far has left its small slot."""


def work_until_told(inside: LineProcess) -> None:
    """The worker with its threads, in a process of its own, until SIGTERM."""
    with httpx.Client(trust_env=False, timeout=15) as client:
        port, small, long = (int(inside.plan.words[name]) for name in ("port", "small", "long"))
        slots, events = TransferSlots(small=small, long=long), sender_to(port, client)
        line = replace(inside.line, events=events, transfer_slots=slots)
        worker = Worker(line, poll_seconds=0.2, checkpoints=inside.folder / "checkpoints.txt")
        signal.signal(signal.SIGTERM, lambda *_: worker.stop())
        worker.run()
    for lane in ("", *line.gateways):
        check_all_free(slots, long, lane)


def check_all_free(slots: TransferSlots, long: int, lane: str) -> None:
    """Hold every slot of a lane at the same time: none has leaked."""
    together = threading.Barrier(slots.threads + 1, timeout=10)
    grown = threading.Barrier(long + 1, timeout=10)

    def hold(*, grow: bool) -> None:
        with slots.job_slot(lane):
            if grow:
                slots.move_to_long_slot()
                grown.wait()
            together.wait()

    threads = [threading.Thread(target=hold, kwargs={"grow": True}) for _ in range(long)]
    for thread in threads:
        thread.start()
    grown.wait()
    small = slots.threads - long
    threads += [threading.Thread(target=hold, kwargs={"grow": False}) for _ in range(small)]
    for thread in threads[long:]:
        thread.start()
    together.wait()
    for thread in threads:
        thread.join()


@dataclass(kw_only=True)
class Flood:
    """A town whose worker is a process of its own, while time passes as it does."""

    town: CaseSystemWorld
    process: BaseProcess
    jumped: timedelta = timedelta()
    """By how much more time has passed than on the real clock."""

    def until(
        self, true: Callable[[], bool], seconds: float, *, hurry: timedelta = timedelta()
    ) -> None:
        """Wait; the worker must live. Time may hurry by so much at each look, for back-off."""
        end = time.monotonic() + seconds
        while not true():
            assert self.process.is_alive(), "the worker has ended"
            assert time.monotonic() < end, "it did not happen"
            self.jumped += hurry
            time.sleep(0.05)

    def answered(self) -> bool:
        """Whether every sender has its answer."""
        return len(self.town.receipts()) == len(self.town.wire_ids)

    def peak_bytes(self) -> int:
        """The most memory that the worker ever had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (each for each in status.splitlines() if each.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def end(self) -> None:
        """Stop the worker as an operator does; it must have kept no slot."""
        assert self.process.pid is not None
        self.process.terminate()
        self.process.join(60)
        assert self.process.exitcode == 0


@contextmanager
def flood_of(
    town: CaseSystemWorld, outside: OutsideWorld, *held: "Held", small: int = 3, long: int = 2
) -> Iterator[Flood]:
    """Start the worker; the shared clock runs from where it is, at the pace of the real one.

    In the end the transfers that are held are let go, so that a test that fails does not wait.
    """
    ended, began, first = threading.Event(), time.monotonic(), outside.clock.now
    plan = outside.plan(work_until_told, port=str(town.port), small=str(small), long=str(long))
    process = outside.start(plan)
    flood = Flood(town=town, process=process)

    def tick() -> None:
        while not ended.wait(0.01):
            passed = timedelta(seconds=time.monotonic() - began)
            outside.clock.now = first + passed + flood.jumped

    ticking = threading.Thread(target=tick)
    ticking.start()
    try:
        yield flood
    finally:
        for each in held:
            each.free.set()
        if process.is_alive():
            process.kill()
        process.join(10)
        ended.set()
        ticking.join()


def small(town: CaseSystemWorld) -> str:
    """A small message for `sak`; its wire id."""
    content = f"nummer {len(town.wire_ids)}".encode()
    town.wire_ids.append(town.world.send(TITLES[0], content=content))
    return town.wire_ids[-1]


def write_large(town: CaseSystemWorld, path: Path, size: int) -> None:
    """A genuine package with a document of this size, which cannot be compressed."""
    block = os.urandom(MIB)

    def chunks() -> Iterator[bytes]:
        for _ in range(size // MIB):
            yield block

    letter = replace(ArkivmeldingLetter(), public_title=TITLES[0], file_names=("stor.pdf",))
    parcel = Parcel(
        sender=SENDER,
        receiver=OURS,
        signer=town.world.authority.issue(SENDER),
        documents=(ParcelDocument("stor.pdf", "application/pdf", chunks),),
        arkivmelding=arkivmelding_xml(letter),
        signed_at=town.world.clock.now,
    )
    with path.open("wb") as out:
        write_package(out, parcel)


def put_large(town: CaseSystemWorld, package: Path | Callable[[], Iterator[bytes]]) -> str:
    """Put it into the gateway's queue, from where it is streamed; its wire id."""
    now = town.world.clock.now
    envelope = sbd_json(sender=SENDER, receiver=OURS, created_at=now, life=timedelta(hours=24))
    town.wire_ids.append(town.world.gateway.put(envelope, package))
    return town.wire_ids[-1]


@dataclass(frozen=True)
class Held:
    """A package whose transfer stands still in the midst of it until it is let go."""

    path: Path
    free: threading.Event = field(default_factory=threading.Event)
    at: int = HELD_AT

    def __call__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            while chunk := file.read(256 * 1024):
                if file.tell() > self.at:
                    self.free.wait(120)
                yield chunk


def pops(town: CaseSystemWorld, wire_id: str) -> int:
    """How often its bytes were asked for."""
    journal = town.world.gateway.journal
    return sum("/pop/" in seen.path and seen.message_id == wire_id for seen in journal)
