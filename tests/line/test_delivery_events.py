"""A delivery that its case system was told of is told of again until it is collected."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import httpx
import pytest
from sqlmodel import col, select

from inbox import audit
from inbox.access.policy.vocabulary import Role
from inbox.domain import DeliveryState
from inbox.line.case_systems import capacity_of
from inbox.line.delivery_events import repeat_unanswered_events
from inbox.line.moves import archive_staff, case_system
from inbox.simulator.casesystem.webhook_check import HOOK, HookApp, read_event
from inbox.simulator.http.server import serve
from inbox.store import Store, Transaction
from inbox.tables import CaseSystem, Message, Task
from tests.faults.outage.case_system_world import sender_to
from tests.worlds import World

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(kw_only=True)
class Hook:
    """A case system that answers every event with 204, and forgets it."""

    status: int = 204
    heard: list[tuple[str, str]] = field(default_factory=list)
    """Event and delivery."""

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        self.heard.append((headers["webhook-id"], read_event(body)))
        return self.status


@contextmanager
def _forgetful(world: World) -> Iterator[Hook]:
    hook = Hook()
    with serve(HookApp(hook.take)) as url, httpx.Client(trust_env=False, timeout=5) as client:
        world.line = replace(world.line, events=sender_to(httpx.URL(url).port or 0, client))
        with world.line.store.transaction() as tx:
            tx.get_one(CaseSystem, "sak").webhook_url = url + HOOK
        yield hook


@pytest.fixture
def hook(small_world: World) -> Iterator[Hook]:
    with _forgetful(small_world) as made:
        yield made


def _offered(world: World) -> Message:
    wire_id = world.send("Melding om barnevern")
    world.collect()
    world.work()
    return world.message(wire_id)


def _pass(world: World, time: timedelta, *, step: timedelta = 10 * MINUTE) -> None:
    """The worker polls and works while time passes."""
    for _ in range(time // step):
        world.clock.advance(step)
        world.collect()
        world.work()


def _collect(world: World, message: Message) -> None:
    with world.line.store.reading() as tx:
        sak = capacity_of(tx.get_one(CaseSystem, "sak"))
    case_system.collect(world.line, sak, world.delivery(message.id).id)


def test_event_is_repeated_less_and_less_often_while_the_delivery_is_open(
    small_world: World, hook: Hook
) -> None:
    message = _offered(small_world)

    _pass(small_world, HOUR)
    in_an_hour = len(hook.heard)
    _pass(small_world, 2 * DAY, step=HOUR)

    delivery = small_world.delivery(message.id)
    assert in_an_hour == 4  # at once, then after 10, 20 and 40 minutes
    assert 10 <= len(hook.heard) <= 14
    assert {told for _, told in hook.heard} == {delivery.id}
    assert len({event for event, _ in hook.heard}) == len(hook.heard)
    assert delivery.state is DeliveryState.OPEN


class _SlowStore(Store):
    """Between its look and its first write another worker does what there is to do."""

    meanwhile: Callable[[], object] | None = None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            act()
        with super().transaction() as begun:
            yield begun


def test_two_workers_that_look_at_once_remind_once(small_world: World, hook: Hook) -> None:
    _offered(small_world)
    small_world.clock.advance(11 * MINUTE)
    slow = _SlowStore(small_world.line.store.engine, seal=audit.seal, clock=small_world.clock)
    slow.meanwhile = lambda: (repeat_unanswered_events(small_world.line), small_world.work())

    repeated = repeat_unanswered_events(replace(small_world.line, store=slow))
    small_world.work()

    assert (repeated, len(hook.heard)) == (0, 2)


def test_event_is_not_repeated_once_the_delivery_is_collected(
    small_world: World, hook: Hook
) -> None:
    message = _offered(small_world)
    _pass(small_world, 20 * MINUTE)
    before = len(hook.heard)

    _collect(small_world, message)
    _pass(small_world, DAY, step=HOUR)

    assert (before, len(hook.heard)) == (3, 3)


def test_uncollected_delivery_becomes_one_task_until_it_is_collected(
    small_world: World, hook: Hook
) -> None:
    message = _offered(small_world)
    _pass(small_world, 23 * HOUR, step=HOUR)
    assert small_world.open_tasks(message.id) == set()

    _pass(small_world, 2 * DAY, step=HOUR)
    assert small_world.open_tasks(message.id) == {"uncollected"}
    _collect(small_world, message)

    assert small_world.open_tasks(message.id) == set()
    assert len(hook.heard) > 5


def test_task_of_an_uncollected_delivery_is_not_opened_again_when_somebody_closed_it(
    small_world: World, hook: Hook
) -> None:
    message = _offered(small_world)
    _pass(small_world, 25 * HOUR, step=HOUR)
    with small_world.line.store.reading() as tx:
        task = tx.exec(select(Task).where(col(Task.subject_id) == message.id)).one()
    anne = small_world.person("anne", Role.ARCHIVIST, "desk")

    archive_staff.close_by_hand(small_world.line, anne, task.id, reason="Leverandøren er varslet")
    _pass(small_world, DAY, step=HOUR)

    assert (task.role, task.unit, task.code) == ("archivist", "bv", "delivery.not_collected")
    assert small_world.open_tasks(message.id) == set()
    assert len(hook.heard) > 5


def test_repeated_event_that_fails_is_retried_under_the_same_id(
    small_world: World, hook: Hook
) -> None:
    _offered(small_world)
    hook.status = 503

    _pass(small_world, HOUR)
    failed = hook.heard[1:]
    hook.status = 204
    _pass(small_world, HOUR)

    assert len(failed) > 1
    assert len(set(failed)) == 1
    assert hook.heard[1 + len(failed)] == failed[0]
