"""Without a fresh revocation list mail waits in sight, and goes on as soon as there is one."""

from dataclasses import replace
from datetime import timedelta
from typing import BinaryIO

import httpx
from sqlmodel import col, select

from inbox.app import create_operator_app
from inbox.domain import MessageState, TaskState
from inbox.line import Terms
from inbox.line.queue import make_due
from inbox.package.inputs import STALE_LIST
from inbox.simulator.http.server import serve
from inbox.tables import Task
from inbox.vault import FolderVault
from inbox.worker import Worker
from tests.trust.crl_publisher import asking, publishing
from tests.worker_thread import until, working
from tests.worlds import World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def wait(world: World) -> str:
    """A message that waits, because the only list is eight days old."""
    world.clock.advance(8 * DAY)
    wire_id = world.send()
    world.collect()
    world.work()
    assert world.message(wire_id).state is MessageState.RECEIVED
    assert world.message(wire_id).code == STALE_LIST
    return wire_id


def put_a_fresh_list(world: World) -> None:
    (world.folder / "trust" / "root.crl").write_bytes(world.authority.crl(world.clock.now))


def told(world: World) -> set[str | None]:
    with world.line.store.reading() as tx:
        standing = col(Task.state) == TaskState.OPEN
        return set(tx.exec(select(Task.code).where(standing)))


def test_messages_waiting_for_a_fresh_revocation_list_are_shown_to_operators(
    small_world: World,
) -> None:
    wire_id = wait(small_world)
    for _ in range(8):
        small_world.clock.advance(HOUR)
        small_world.work()

    with serve(create_operator_app(small_world.line)) as url, httpx.Client(trust_env=False) as asks:
        needs = asks.get(f"{url}/health/ready").json()["needs"]
        metrics = asks.get(f"{url}/metrics").text.splitlines()
        page = asks.get(url).text

    assert small_world.message(wire_id).state is MessageState.RECEIVED
    assert needs["trust"] == STALE_LIST
    assert "inbox_trust_messages_waiting 1.0" in metrics
    assert "inbox_trust_without_list 1.0" in metrics
    assert 'Meldinger som venter på sperreliste</th><td class="number">1<' in page
    assert told(small_world) == {STALE_LIST}


def test_message_is_quarantined_when_the_revocation_list_stays_stale_past_the_limit(
    small_world: World,
) -> None:
    small_world.line = replace(
        small_world.line, terms=replace(small_world.line.terms, stale_list_wait=3 * DAY)
    )
    wire_id = wait(small_world)

    small_world.clock.advance(3 * DAY - HOUR)
    small_world.work()
    before = small_world.message(wire_id).state
    small_world.clock.advance(2 * HOUR)
    small_world.work()

    assert before is MessageState.RECEIVED
    assert small_world.message(wire_id).state is MessageState.QUARANTINED
    assert small_world.message(wire_id).code == "revocation-unknown"


def test_wait_for_a_fresh_revocation_list_defaults_to_seven_days() -> None:
    assert Terms().stale_list_wait == 7 * DAY


def test_waiting_message_is_opened_once_a_fresh_list_is_in_the_trust_folder(world: World) -> None:
    worker = Worker(world.line, poll_seconds=1, checkpoints=world.folder / "checkpoints.txt")
    wire_id = wait(world)
    worker._refresh_trust()
    worker._refresh_trust()
    world.work()
    assert world.message(wire_id).state is MessageState.RECEIVED
    worker._refresh_trust()
    assert world.work() == 0

    put_a_fresh_list(world)
    worker._refresh_trust()
    world.work()

    assert world.message(wire_id).state is MessageState.OFFERED


class _Meanwhile(FolderVault):
    """A vault that takes so long to give a message's package that a list comes meanwhile."""

    def __init__(self, world: World) -> None:
        super().__init__(world.folder / "vault")
        self._world = world

    def open(self, name: str, key: bytes) -> BinaryIO:
        if self._world.messages():
            put_a_fresh_list(self._world)
        return super().open(name, key)


def test_message_is_opened_when_a_fresh_list_arrives_while_its_package_is_read(
    small_world: World,
) -> None:
    small_world.line = replace(small_world.line, vault=_Meanwhile(small_world))
    small_world.clock.advance(8 * DAY)
    wire_id = small_world.send()
    small_world.collect()

    small_world.work()

    assert small_world.message(wire_id).state is MessageState.OFFERED


def test_waiting_message_is_opened_once_a_fresh_list_has_been_fetched(small_world: World) -> None:
    wire_id = wait(small_world)
    fresh = small_world.authority.crl(small_world.clock.now)
    with publishing(fresh) as publisher, asking(publisher.address) as schedule:
        small_world.line = replace(small_world.line, crl_schedule=schedule)
        with working(small_world):
            until(lambda: small_world.message(wire_id).state is not MessageState.RECEIVED)

    assert small_world.message(wire_id).code is None


def test_only_messages_waiting_for_a_revocation_list_are_made_due_early(small_world: World) -> None:
    wire_id = wait(small_world)
    due_at = small_world.message(wire_id).due_at

    assert make_due(small_world.line, "vault.full") == 0
    assert small_world.message(wire_id).due_at == due_at
    assert make_due(small_world.line, STALE_LIST) == 1
    assert small_world.message(wire_id).due_at == small_world.clock.now
    assert make_due(small_world.line, STALE_LIST) == 0
