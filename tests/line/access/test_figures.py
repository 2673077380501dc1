"""The records manager sees the figures of a unit, and the audit says so; nobody else does."""

from collections.abc import Iterator

import pytest

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import MessageState, UnitId, new_id
from inbox.errors import NotFound
from inbox.line.access.figures import unit_figures
from inbox.tables import CapacityRow, Message
from tests.line.school import School, school_on

SCHOOL = UnitId("skole")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def hall(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[School]:
    with school_on(request, tmp_path_factory.mktemp("hall")) as made:
        made.world.edited = True
        yield made


@pytest.fixture
def olga(hall: School) -> Capacity:
    """The records manager."""
    with hall.line.store.transaction() as tx:
        tx.add(
            CapacityRow(
                id=new_id(), person="olga", unit="desk", role="records_manager", active_from=tx.now
            )
        )
    return hall.world.person("olga", Role.RECORDS_MANAGER, "desk", strong=False)


def test_figures_of_a_unit_count_its_open_messages_by_state(hall: School, olga: Capacity) -> None:
    hall.message()
    hall.message(MessageState.OFFERED)
    hall.message(MessageState.REGISTERED)
    hall.message(unit="ppt")
    climbed = hall.message()
    with hall.line.store.transaction() as tx:
        tx.get_one(Message, climbed).transfers = 3

    figures = unit_figures(hall.line, olga, SCHOOL)

    assert figures.states == {MessageState.ROUTED: 2, MessageState.OFFERED: 1}
    assert figures.escalated == 1
    (leaf,) = hall.leaves("unit:figures_shown", SCHOOL)
    assert (leaf["who"], leaf["rule"]) == (olga.id, "A50")


def test_figures_are_for_the_records_manager_alone(hall: School, olga: Capacity) -> None:
    nobody = UnitId("nowhere")

    for other in (hall.anne(), hall.handler(), hall.siv()):
        with pytest.raises(NotFound):
            unit_figures(hall.line, other, SCHOOL)
    with pytest.raises(NotFound):
        unit_figures(hall.line, olga, nobody)

    assert hall.leaves("unit:figures_shown", SCHOOL) == []
