"""Days without a case system, and mail that comes again and again: nothing lost, one of each."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import BinaryIO

import pytest
from sqlmodel import col, select

from inbox.line.task_kinds import TaskKind
from inbox.tables import Task
from inbox.vault import StoredObject, Vault
from tests.faults.outage.case_system_world import CaseSystemWorld, case_systems_around
from tests.worlds import World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def town(world: World) -> Iterator[CaseSystemWorld]:
    """Case systems around a line, on each database."""
    with case_systems_around(world) as made:
        yield made


@pytest.fixture
def small_town(small_world: World) -> Iterator[CaseSystemWorld]:
    """The same on SQLite, for the samples."""
    with case_systems_around(small_world) as made:
        yield made


def _told_once(town: CaseSystemWorld) -> int:
    """How many subjects a person was told of as stuck, ever; each at most once."""
    with town.world.line.store.reading() as tx:
        query = select(Task.subject_id).where(col(Task.kind) == TaskKind.STUCK.value)
        told = Counter(tx.exec(query))
    assert [subject for subject, times in told.items() if times > 1] == []
    return len(told)


def _days_away(town: CaseSystemWorld, *, messages: int, step: timedelta) -> None:
    """Seven days in which messages keep coming and neither case system is there."""
    world, steps = town.world, int(7 * DAY / step)
    town.gone()
    for number in range(steps):
        if number == steps // 2:
            town.there()  # it answers 503 from now on
        if number * step % DAY == timedelta():
            fresh = world.authority.crl(world.clock.now)
            (world.folder / "trust" / "root.crl").write_bytes(fresh)
        while len(town.wire_ids) * steps < messages * (number + 1):
            town.send()
        town.drain()
        assert world.gateway.queue() == []
        world.clock.advance(step)
    town.drain()  # in vain once more, just before they are back
    assert town.receipts() == town.registered() == Counter()
    assert town.unlike(("OPPRETTET", "SENDT", "MOTTATT", "LEVERT")) == []
    assert set(town.sak.hooks) == {503}


@pytest.mark.long
def test_thousand_messages_are_answered_within_minutes_after_a_week_long_case_system_outage(
    town: CaseSystemWorld,
) -> None:
    _away_and_back(town, messages=1000, step=6 * HOUR)


@pytest.mark.long
def test_messages_are_answered_within_minutes_after_a_week_long_case_system_outage(
    small_town: CaseSystemWorld,
) -> None:
    _away_and_back(small_town, messages=6, step=12 * HOUR)


def _away_and_back(town: CaseSystemWorld, *, messages: int, step: timedelta) -> None:
    _days_away(town, messages=messages, step=step)

    in_vain = _told_once(town)
    assert in_vain >= messages / 8
    assert town.told() == {"stuck": in_vain}
    town.at_work()
    town.later(within=timedelta(minutes=10))  # waiting for the longest back-off takes an hour
    assert _told_once(town) == in_vain
    town.check_one_of_each()


def _again_before_delete(town: CaseSystemWorld, *, messages: int) -> None:
    """Every message once more while it waits; then while it is taken, or just after DELETE."""
    gateway = town.world.gateway
    for number in range(messages):
        wire_id = town.send(life=None)
        gateway.redeliver(wire_id)
        gateway.stage(*(f"{fault} of {wire_id}" for fault in _AGAIN[number % len(_AGAIN)]))
    town.later(within=timedelta(minutes=10))


def _again_after_delete(town: CaseSystemWorld) -> None:
    """Every message once more when it has been answered, and once more when it is erased."""
    _once_more(town)
    town.world.clock.advance(timedelta(days=15))
    town.drain()
    assert town.objects() == 0  # erased: what is left knows them all the same
    _once_more(town)
    assert town.objects() == 0


_AGAIN = (
    ("redeliver 0 s after the first pop",),
    ("redeliver 0 s after the first delete",),
    ("lose the answer to the first delete",),
    ("lose the answer to the first delete", "redeliver 0 s after the first delete"),
)


def _once_more(town: CaseSystemWorld) -> None:
    """All of them come again, and the answer to every other DELETE is lost."""
    gateway, before = town.world.gateway, len(town.world.gateway.journal)
    gateway.calm()
    for number, wire_id in enumerate(town.wire_ids):
        gateway.redeliver(wire_id)
        if number % 2:
            gateway.stage(f"lose the answer to the first delete of {wire_id}")
    assert len(gateway.queue()) == len(town.wire_ids)
    for _ in range(3):
        town.at_rest()
        town.world.clock.advance(timedelta(minutes=1))
    fetched = {seen.message_id for seen in gateway.journal[before:] if "/pop/" in seen.path}
    assert fetched == set(town.wire_ids)


@pytest.mark.long
def test_thousand_redelivered_messages_are_registered_and_answered_once(
    town: CaseSystemWorld,
) -> None:
    _again_before_delete(town, messages=1000)
    _again_after_delete(town)

    town.check_one_of_each()


def test_redelivered_messages_are_registered_and_answered_once(small_town: CaseSystemWorld) -> None:
    _again_before_delete(small_town, messages=4)
    _again_after_delete(small_town)

    small_town.check_one_of_each()


@dataclass(frozen=True)
class _Forgetful:
    """A planted fault: a vault that says another digest each time, so that nothing is known."""

    real: Vault

    def store(self, name: str, chunks: Iterable[bytes], key: bytes) -> StoredObject:
        return replace(self.real.store(name, chunks, key), sha256=sha256(name.encode()).hexdigest())

    def open(self, name: str, key: bytes) -> BinaryIO:
        return self.real.open(name, key)

    def remove(self, name: str) -> None:
        self.real.remove(name)

    def names(self) -> Iterator[tuple[str, datetime]]:
        return self.real.names()

    def set_aside(self, name: str) -> None:
        self.real.set_aside(name)

    def restore_from_aside(self, name: str) -> bool:
        return self.real.restore_from_aside(name)

    def remove_set_aside(self, before: datetime) -> int:
        return self.real.remove_set_aside(before)

    def remove_partial_objects(self, before: datetime) -> int:
        return self.real.remove_partial_objects(before)

    def free_bytes(self) -> int:
        return self.real.free_bytes()


@pytest.mark.long
def test_redelivery_check_fails_when_the_vault_reports_a_new_digest_each_time(
    small_town: CaseSystemWorld,
) -> None:
    _again_before_delete(small_town, messages=4)
    line = small_town.world.line
    small_town.world.line = replace(line, vault=_Forgetful(line.vault))

    with pytest.raises(AssertionError):
        _again_after_delete(small_town)

    assert set(small_town.told()) == {"quarantine", "other_bytes"}
    with pytest.raises(AssertionError):
        small_town.check_one_of_each()
