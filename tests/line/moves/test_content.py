"""People read a message in every state in which a unit has it; the audit says who and why."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import col, select

from inbox.domain import READABLE_STATES, DeliveryState, MessageState, PersonId, UnitId
from inbox.errors import Conflict, NotFound, NotPermitted
from inbox.line.access.grants import breakglass, delegate
from inbox.line.moves import content, unit
from inbox.tables import CaseSystem, Delivery, Message, Opening
from tests.line.school import School, school_on

NINA, OLA = PersonId("nina"), PersonId("ola")
REASON = "Barnet er på vei inn"


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
)
def hall(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[School]:
    """One world for all: each test has messages of its own."""
    with school_on(request, tmp_path_factory.mktemp("hall")) as made:
        yield made


@pytest.fixture
def own_hall(hall: School) -> Iterator[School]:
    """The same for a test that moves the time: it is put back."""
    now = hall.world.clock.now
    yield hall
    hall.world.clock.now = now


def assigned(hall: School, state: MessageState = MessageState.OFFERED) -> str:
    """A message in this state that nina has."""
    message_id = hall.offered() if state is MessageState.OFFERED else hall.message(state)
    if state in {MessageState.REGISTERED, MessageState.ANSWERED}:
        _put(hall, message_id, MessageState.ROUTED)
    unit.take(hall.line, hall.handler(), message_id)
    _put(hall, message_id, state)
    return message_id


def _put(hall: School, message_id: str, state: MessageState) -> None:
    with hall.line.store.transaction() as tx:
        tx.get_one(Message, message_id).state = state


def row(hall: School, message_id: str) -> Message:
    with hall.line.store.reading() as tx:
        message = tx.get_one(Message, message_id)
        tx.expunge(message)
    return message


def readings(hall: School, message_id: str) -> int:
    return len(hall.leaves("message:read", message_id))


@pytest.mark.parametrize("state", READABLE_STATES)
def test_assigned_handler_reads_in_every_readable_state_and_moves_nothing(
    hall: School, state: MessageState
) -> None:
    message_id = assigned(hall, state)
    version = row(hall, message_id).version

    found = content.read(hall.line, hall.handler(), message_id)

    after = row(hall, message_id)
    assert found.message.id == message_id
    assert (after.state, after.version) == (state, version)
    assert after.opened_at == after.worked_at == hall.world.clock.now
    assert [leaf["rule"] for leaf in hall.leaves("message:read", message_id)] == ["A09"]


@pytest.mark.parametrize("state", [s for s in MessageState if s not in READABLE_STATES])
def test_nobody_reads_in_any_other_state(hall: School, state: MessageState) -> None:
    message_id = assigned(hall)
    _put(hall, message_id, state)

    with pytest.raises((NotPermitted, NotFound, Conflict)):
        content.read(hall.line, hall.handler(), message_id)
    assert (row(hall, message_id).opened_at, readings(hall, message_id)) == (None, 0)


def test_reading_by_hand_collects_nothing_and_collecting_takes_who_works_on_it(
    hall: School,
) -> None:
    message_id, lars = hall.offered(), hall.handler("lars")
    breakglass(hall.line, lars, message_id, reason=REASON)
    unit.take(hall.line, hall.handler(), message_id)

    content.read(hall.line, lars, message_id)
    looked = row(hall, message_id)
    with pytest.raises(NotPermitted):
        content.collect_by_hand(hall.line, lars, message_id)
    content.read(hall.line, hall.handler(), message_id)
    read = hall.world.delivery(message_id).state
    content.collect_by_hand(hall.line, hall.handler(), message_id)
    content.collect_by_hand(hall.line, hall.handler(), message_id)

    assert (looked.opened_at, looked.worked_at) == (hall.world.clock.now, None)
    assert row(hall, message_id).worked_at == hall.world.clock.now
    assert read is DeliveryState.OPEN
    assert hall.world.delivery(message_id).state is DeliveryState.COLLECTED
    assert len(hall.leaves("delivery:collected", hall.world.delivery(message_id).id)) == 1


def test_message_of_a_case_system_is_read_and_not_collected_by_people(hall: School) -> None:
    message_id = assigned(hall)
    _to_a_case_system(hall, message_id)

    content.read(hall.line, hall.handler(), message_id)
    with pytest.raises(Conflict, match="delivery.not_by_hand"):
        content.collect_by_hand(hall.line, hall.handler(), message_id)

    assert hall.world.delivery(message_id).state is DeliveryState.OPEN


def _to_a_case_system(hall: School, message_id: str) -> None:
    with hall.line.store.transaction() as tx:
        other = tx.exec(select(CaseSystem).where(col(CaseSystem.id) != "hand")).first()
        assert other is not None
        delivery = tx.exec(select(Delivery).where(col(Delivery.message_id) == message_id)).one()
        delivery.case_system = other.id


def test_further_ranges_of_a_part_share_the_entry_for_a_quarter_of_an_hour(
    own_hall: School,
) -> None:
    hall, nina = own_hall, own_hall.handler()
    message_id = assigned(hall)

    def ranges(part: str, *, goes_on: bool) -> int:
        before = readings(hall, message_id)
        content.read(hall.line, nina, message_id, part=part, goes_on=goes_on)
        return readings(hall, message_id) - before

    assert ranges("2", goes_on=True) == 1
    assert ranges("2", goes_on=True) == 0
    assert ranges("2", goes_on=False) == 1
    assert ranges("1", goes_on=True) == 1
    hall.later(minutes=15)
    assert ranges("2", goes_on=True) == 1
    parts = [leaf.get("code") for leaf in hall.leaves("message:read", message_id)]
    assert parts == ["part.2", "part.2", "part.1", "part.2"]


def test_ranges_under_another_rule_have_an_entry_of_their_own(hall: School) -> None:
    message_id, nina = hall.offered(), hall.handler()
    breakglass(hall.line, nina, message_id, reason=REASON)
    content.read(hall.line, nina, message_id, part="1")
    unit.take(hall.line, nina, message_id)

    content.read(hall.line, nina, message_id, part="1", goes_on=True)

    rules = [leaf["rule"] for leaf in hall.leaves("message:read", message_id)]
    assert rules == ["A21", "A09"]


def test_reason_that_is_owed_is_written_once_for_each_message_and_quarter(
    own_hall: School,
) -> None:
    hall, nina = own_hall, own_hall.handler()
    first, second = hall.offered(), hall.offered()
    for each in (first, second):
        unit.assign(hall.line, hall.kari(), each, to=OLA)
    week = hall.world.clock.now + timedelta(days=7)
    skole = UnitId("skole")
    delegate(hall.line, hall.kari(), unit=skole, absent=OLA, substitute=NINA, until=week)

    with pytest.raises(NotPermitted):
        content.read(hall.line, nina, first)
    content.read(hall.line, nina, first, reason=REASON)
    hall.later(minutes=14)
    content.read(hall.line, nina, first, part="1")
    with pytest.raises(NotPermitted):
        content.read(hall.line, nina, second)
    hall.later(minutes=1)
    with pytest.raises(NotPermitted):
        content.read(hall.line, nina, first, part="1")

    committed = [set(leaf["committed"]) for leaf in hall.leaves("message:read", first)]
    assert committed == [{"reason"}, set()]


def test_openings_count_messages_and_not_parts(hall: School) -> None:
    message_id = assigned(hall)
    for part in ("", "1", "2"):
        content.read(hall.line, hall.handler(), message_id, part=part)

    with hall.line.store.reading() as tx:
        rows = tx.exec(select(Opening).where(col(Opening.message_id) == message_id)).all()
        assert sorted((each.part, each.rule) for each in rows) == [
            ("", "A09"),
            ("1", "A09"),
            ("2", "A09"),
        ]


def test_message_offered_to_people_is_handed_back_until_somebody_collects_it(
    hall: School,
) -> None:
    read_only, collected = assigned(hall), assigned(hall)
    nina = hall.handler()
    content.read(hall.line, nina, read_only)
    content.collect_by_hand(hall.line, nina, collected)

    _hand_back(hall, read_only)
    with pytest.raises(NotPermitted):
        _hand_back(hall, collected)

    back = row(hall, read_only)
    assert (back.state, back.unit, back.worked_at) == (MessageState.UNROUTED, None, None)
    assert back.opened_at is not None
    assert hall.world.delivery(read_only).state is DeliveryState.WITHDRAWN
    assert row(hall, collected).state is MessageState.OFFERED


def test_message_that_a_case_system_was_offered_is_not_handed_back(hall: School) -> None:
    message_id = assigned(hall)
    _to_a_case_system(hall, message_id)

    with pytest.raises(NotPermitted):
        _hand_back(hall, message_id)

    assert hall.world.delivery(message_id).state is DeliveryState.OPEN


def _hand_back(hall: School, message_id: str) -> None:
    version = row(hall, message_id).version
    unit.hand_back(
        hall.line, hall.handler(), message_id, expected_version=version, reason="Feil enhet"
    )
