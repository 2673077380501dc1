"""A flood with a very large message in the middle: the small ones go on, and all end well."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx
import pytest

from inbox.line.slots import Slots
from inbox.simulator.arkivmelding import Letter, arkivmelding_xml
from inbox.simulator.envelopes import sbd_json
from inbox.simulator.packages import Document, Parcel, write_package
from inbox.worker import Worker
from tests import databases
from tests.faults import rig
from tests.faults.inside import Inside
from tests.faults.rig import Outside
from tests.faults.village import TITLES, Town, sender_to, town_around
from tests.worlds import OURS, SENDER

MIB = 1 << 20
HELD_AT = 33 * MIB
"""A transfer that has come so far has left its small slot."""


def work_until_told(inside: Inside) -> None:
    """The worker with its threads, in a process of its own, until SIGTERM."""
    with httpx.Client(trust_env=False, timeout=15) as client:
        port, small, long = (int(inside.plan.words[name]) for name in ("port", "small", "long"))
        slots, events = Slots(small=small, long=long), sender_to(port, client)
        line = replace(inside.line, events=events, slots=slots)
        worker = Worker(line, poll_seconds=0.2, checkpoints=inside.folder / "checkpoints.txt")
        signal.signal(signal.SIGTERM, lambda *_: worker.stop())
        worker.run()
    check_all_free(slots, long)


def check_all_free(slots: Slots, long: int) -> None:
    """Hold every slot there is at the same time: none has leaked."""
    together = threading.Barrier(slots.threads + 1, timeout=10)
    grown = threading.Barrier(long + 1, timeout=10)

    def hold(*, grow: bool) -> None:
        with slots.job():
            if grow:
                slots.outgrow()
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

    town: Town
    process: BaseProcess
    jumped: timedelta = timedelta()
    """By how much more time has passed than on the real clock."""

    def until(self, true: Callable[[], bool], seconds: float) -> None:
        """Wait; the worker must live."""
        end = time.monotonic() + seconds
        while not true():
            assert self.process.is_alive(), "the worker has ended"
            assert time.monotonic() < end, "it did not happen"
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
    town: Town, outside: Outside, *held: "Held", small: int = 3, long: int = 2
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


@pytest.fixture
def town(outside: Outside) -> Iterator[Town]:
    """Case systems around a line that others work on."""
    with town_around(outside) as made:
        yield made


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Path]:
    """Where a large package is kept for as long as the test takes."""
    yield tmp_path / "large.asice"
    for each in (*tmp_path.glob("*large.asice"), *(tmp_path / "vault").rglob("*.*")):
        each.unlink()


def small(town: Town) -> str:
    """A small message for `sak`; its wire id."""
    content = f"nummer {len(town.wire_ids)}".encode()
    town.wire_ids.append(town.world.send(TITLES[0], content=content))
    return town.wire_ids[-1]


def write_large(town: Town, path: Path, size: int) -> None:
    """A genuine package with a document of this size, which cannot be compressed."""
    block = os.urandom(MIB)

    def chunks() -> Iterator[bytes]:
        for _ in range(size // MIB):
            yield block

    letter = replace(Letter(), public_title=TITLES[0], file_names=("stor.pdf",))
    parcel = Parcel(
        sender=SENDER,
        receiver=OURS,
        signer=town.world.authority.issue(SENDER),
        documents=(Document("stor.pdf", "application/pdf", chunks),),
        arkivmelding=arkivmelding_xml(letter),
        signed_at=town.world.clock.now,
    )
    with path.open("wb") as out:
        write_package(out, parcel)


def put_large(town: Town, package: Path | Callable[[], Iterator[bytes]]) -> str:
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


def pops(town: Town, wire_id: str) -> int:
    """How often its bytes were asked for."""
    journal = town.world.gateway.journal
    return sum("/pop/" in seen.path and seen.message_id == wire_id for seen in journal)


@pytest.mark.long
def test_small_ones_come_and_go_while_more_large_ones_than_slots_stand_still(
    outside: Outside, spool: Path
) -> None:
    with town_around(outside) as town:
        _stand_still(town, outside, spool, large=3, others=50, slots=(3, 2))


def test_small_ones_come_and_go_while_a_large_one_stands_still(tmp_path: Path, spool: Path) -> None:
    url = databases.sqlite_database(tmp_path)
    with rig.outside(url, tmp_path) as outside, town_around(outside) as town:
        _stand_still(town, outside, spool, large=1, others=2, slots=(1, 1))


def _stand_still(
    town: Town, outside: Outside, spool: Path, *, large: int, others: int, slots: tuple[int, int]
) -> None:
    still = [Held(spool.with_name(f"{number}-{spool.name}")) for number in range(large)]
    for number, each in enumerate(still):
        write_large(town, each.path, (34 + number) * MIB)
    held = [put_large(town, each) for each in still]
    early = [small(town) for _ in range(others)]

    with flood_of(town, outside, *still, small=slots[0], long=slots[1]) as flood:
        flood.until(lambda: all(pops(town, each) for each in held), 60)
        late = [small(town) for _ in range(others)]
        flood.until(lambda: set(early + late) <= town.registered().keys(), 120)
        assert set(held) & town.registered().keys() == set()
        for each in still:
            each.free.set()
        flood.until(flood.answered, 120)
        flood.end()

    town.check_one_of_each()


@pytest.mark.long
def test_a_gateway_that_is_silent_before_the_first_byte_is_asked_once(
    town: Town, outside: Outside, spool: Path
) -> None:
    silent = Held(spool, at=0)
    write_large(town, spool, MIB)
    held = put_large(town, silent)

    with flood_of(town, outside, silent) as flood:
        flood.until(lambda: pops(town, held) == 1, 60)
        flood.jumped = timedelta(minutes=4, seconds=50)  # it may be silent for five
        due_later = small(town)
        flood.until(lambda: due_later in town.registered(), 60)
        assert pops(town, held) == 1
        silent.free.set()
        flood.until(flood.answered, 60)
        flood.end()

    town.check_one_of_each()


@pytest.mark.long
def test_a_thousand_with_one_of_a_gigabyte_in_the_middle(
    town: Town, outside: Outside, spool: Path
) -> None:
    write_large(town, spool, 1000 * MIB)
    for _ in range(500):
        small(town)
    large = put_large(town, spool)
    behind = [small(town) for _ in range(500)]

    with flood_of(town, outside) as flood:
        flood.until(flood.answered, 1500)
        peak = flood.peak_bytes()
        flood.end()

    offered = town.offered()
    overtook = sum(offered[each] < offered[large] for each in behind)
    began = next(s.at for s in town.world.gateway.journal if s.message_id == large)
    longest = longest_wait(town, large, began, offered[large])
    print(  # noqa: T201 - the figures of `make long`
        f"large: {offered[large] - began}, overtaken by {overtook} of {len(behind)}, "
        f"longest wait {longest}, peak {peak / MIB:.0f} MiB"
    )
    town.check_one_of_each()
    assert pops(town, large) == 1
    assert overtook >= len(behind) / 10
    assert longest < (offered[large] - began) / 4
    assert peak < 256 * MIB


def longest_wait(town: Town, large: str, began: datetime, ended: datetime) -> timedelta:
    """The longest time in which no small one was offered while the large one was under way."""
    offered = town.offered()
    during = sorted(at for each, at in offered.items() if each != large and began < at < ended)
    moments = [began, *during, ended]
    return max(later - sooner for sooner, later in pairwise(moments))
