"""A word of a case system that comes after its delivery has ended: people can always settle it."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.domain import MessageState
from inbox.errors import NotFound
from inbox.line.case_systems import capacity_of
from inbox.line.moves import archive_staff, case_system
from inbox.line.moves.case_system import Said
from inbox.tables import CaseSystem, Delivery, Task
from tests.faults.race import message_builders
from tests.worlds import World


def _says_another_reference(world: World, delivery: Delivery) -> Said:
    with world.line.store.reading() as tx:
        system = capacity_of(tx.get_one(CaseSystem, delivery.case_system))
    return case_system.acknowledge_registered(
        world.line, system, delivery.id, reference=message_builders.LATE
    )


def _close_open_task(world: World, message_id: str) -> None:
    archivist = world.person("anne", Role.ARCHIVIST, "desk")
    with world.line.store.reading() as tx:
        task = tx.exec(
            select(Task.id).where(col(Task.subject_id) == message_id, col(Task.closed_at).is_(None))
        ).one()
    archive_staff.close_by_hand(world.line, archivist, task, reason="Avklart")


def test_late_word_about_an_erased_message_is_a_task_that_an_archivist_can_close(
    small_world: World,
) -> None:
    message, delivery = message_builders.superseded(small_world)
    small_world.settle(pause=timedelta(days=20))
    assert small_world.message(message.wire_id).state is MessageState.ERASED

    said = _says_another_reference(small_world, delivery)
    _close_open_task(small_world, message.id)

    assert said is Said.KEPT
    assert small_world.open_tasks(message.id) == set()


def test_late_word_about_a_message_that_is_kept_is_not_closed_as_a_common_task(
    small_world: World,
) -> None:
    message, delivery = message_builders.superseded(small_world)

    _says_another_reference(small_world, delivery)

    assert small_world.open_tasks(message.id) == {"late_word"}
    with pytest.raises(NotFound):
        _close_open_task(small_world, message.id)
