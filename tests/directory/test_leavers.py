"""What those who left and units that closed leave behind ends, and becomes somebody's task."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Role
from inbox.directory.leavers import settle_closed_units_and_leavers
from inbox.domain import DeliveryState, GrantKind, MessageState, PersonId, new_id
from inbox.line import Line
from inbox.line.moves import archive_staff
from inbox.line.moves.unit import assign
from inbox.line.task_kinds import TaskKind
from inbox.tables import (
    AccessGrant,
    Assignment,
    Delegation,
    Delivery,
    Task,
)
from tests.directory.installation import read, take
from tests.rows import message_row
from tests.worlds import House, World

LEAVES = "[[person]]\nid='ola'\nname='Ola Saksbehandler'\nuntil={}\n"
LEAVES_BV = "[[capacity]]\nperson='ola'\nunit='bv'\nrole='handler'\nuntil={}\n"
CLOSES = "[[unit]]\nid='bv'\nname='B'\ncase_system='sak'\nuntil={}\nsuccessor='ppt'\n"
PAST, AHEAD = "2026-11-19", "2026-11-29"


def _message(
    session: Session, now: datetime, unit: str, state: MessageState = MessageState.ROUTED
) -> str:
    message = message_row(now, unit=unit, state=state)
    session.add(message)
    session.flush()
    return message.id


def _had(session: Session, now: datetime, unit: str = "bv") -> str:
    """A message that ola has, with a grant to it and somebody away whom ola stands in for."""
    message_id = _message(session, now, unit)
    until = now + timedelta(days=90)
    session.add(Assignment(id=new_id(), message_id=message_id, person="ola", active_from=now))
    session.add(_grant(message_id, "ola", "kari", now, until))
    session.add(
        Delegation(
            id=new_id(),
            unit=unit,
            absent="kari",
            substitute="ola",
            given_by="kari",
            active_from=now,
            active_until=until,
        )
    )
    session.flush()
    return message_id


def _grant(message_id: str, to: str, by: str, now: datetime, until: datetime) -> AccessGrant:
    return AccessGrant(
        id=new_id(),
        kind=GrantKind.GIVEN,
        message_id=message_id,
        unit="bv",
        person=to,
        given_by=by,
        sealed_reason=b"",
        active_from=now,
        active_until=until,
    )


def _take(line: Line, text: str) -> None:
    with line.store.transaction() as (session, now):
        take(line, session, now, read(text))


def _left(line: Line) -> tuple[int, int, int]:
    """How many assignments, grants and delegations last."""
    with line.store.reading() as (session, now):
        assignments = session.exec(select(Assignment.active_until)).all()
        grants = session.exec(select(AccessGrant.active_until)).all()
        delegations = session.exec(select(Delegation.active_until)).all()
    return (
        sum(end is None or end > now for end in assignments),
        sum(end > now for end in grants),
        sum(end > now for end in delegations),
    )


def _tasks(line: Line) -> list[tuple[str | None, str]]:
    with line.store.reading() as (session, _):
        query = select(Task).where(col(Task.kind) == TaskKind.LEAVER, col(Task.closed_at).is_(None))
        return [(task.unit, task.role) for task in session.exec(query)]


@pytest.mark.parametrize("leaves", [LEAVES, LEAVES_BV])
def test_access_of_a_leaver_ends_the_same_day_and_opens_tasks_for_the_leader(
    town: House, leaves: str
) -> None:
    line = town.line
    with line.store.transaction() as (session, now):
        _had(session, now)
    assert _left(line) == (1, 1, 1)

    _take(line, leaves.format(PAST))

    assert _left(line) == (0, 0, 0)
    assert _tasks(line) == [("bv", "leader")] * 3
    assert settle_closed_units_and_leavers(line) == 0


def test_leaver_with_a_future_end_date_is_handled_on_that_day(small_town: House) -> None:
    line = small_town.line
    with line.store.transaction() as (session, now):
        _had(session, now)
    _take(line, LEAVES.format(AHEAD))

    assert settle_closed_units_and_leavers(line) == 0
    assert _left(line) == (1, 1, 1)

    small_town.clock.advance(timedelta(days=11))
    assert settle_closed_units_and_leavers(line) == 3
    assert _left(line) == (0, 0, 0)
    assert len(_tasks(line)) == 3


def test_leaver_of_one_unit_keeps_assignments_in_another_unit(small_town: House) -> None:
    line = small_town.line
    with line.store.transaction() as (session, now):
        _had(session, now)
        elsewhere = _message(session, now, "skole")
        session.add(Assignment(id=new_id(), message_id=elsewhere, person="ola", active_from=now))

    _take(line, LEAVES_BV.format(PAST))

    assert _left(line) == (1, 0, 0)


def test_grants_from_a_leaver_to_others_remain_active(small_town: House) -> None:
    line = small_town.line
    with line.store.transaction() as (session, now):
        message_id = _message(session, now, "bv")
        session.add(_grant(message_id, "ola", "kari", now, now + timedelta(days=90)))

    _take(line, LEAVES.replace("ola", "kari").format(PAST))

    assert _left(line) == (0, 1, 0)


def test_registered_message_of_a_leaver_opens_no_task(small_town: House) -> None:
    line = small_town.line
    with line.store.transaction() as (session, now):
        message_id = _message(session, now, "bv", MessageState.REGISTERED)
        session.add(Assignment(id=new_id(), message_id=message_id, person="ola", active_from=now))

    _take(line, LEAVES.format(PAST))

    assert _left(line) == (0, 0, 0)
    assert _tasks(line) == []


def test_leaver_task_is_closed_by_reassignment_or_by_the_leader(small_town: House) -> None:
    line = small_town.line
    with line.store.transaction() as (session, now):
        message_id = _had(session, now)
    more = "[[capacity]]\nperson='bjorn'\nunit='bv'\nrole='handler'\n"
    _take(line, LEAVES_BV.format(PAST) + more)
    kari = small_town.person("kari", Role.LEADER, "bv")

    assign(line, kari, message_id, to=PersonId("bjorn"))
    assert len(_tasks(line)) == 2
    with line.store.reading() as (session, _):
        rest = session.exec(
            select(Task.id).where(col(Task.kind) == TaskKind.LEAVER, col(Task.closed_at).is_(None))
        ).all()
    for task_id in rest:
        archive_staff.close_by_hand(line, kari, task_id, reason="sett")

    assert _tasks(line) == []


def _delivery(session: Session, now: datetime, message_id: str, state: DeliveryState) -> None:
    session.add(
        Delivery(
            id=new_id(),
            message_id=message_id,
            number=1,
            case_system="sak",
            state=state,
            offered_at=now,
        )
    )


def test_open_mail_of_a_closed_unit_is_routed_to_its_successor(town: House) -> None:
    line, state = town.line, MessageState
    with line.store.transaction() as (session, now):
        for each in (state.ROUTED, state.RETURNED, state.RELEASED, state.OFFERED):
            message_id = _message(session, now, "bv", each)
            session.add(
                Assignment(id=new_id(), message_id=message_id, person="ola", active_from=now)
            )
            if each is state.OFFERED:
                _delivery(session, now, message_id, DeliveryState.OPEN)
        collected = _message(session, now, "bv", state.OFFERED)
        _delivery(session, now, collected, DeliveryState.COLLECTED)
        done = _message(session, now, "bv", state.ANSWERED)

    _take(line, CLOSES.format(PAST))

    found = {message.id: message for message in town.messages()}
    assert (found[collected].unit, found[done].unit) == ("bv", "bv")
    moved = [each for each in found.values() if each.id not in {collected, done}]
    assert {(each.state, each.unit) for each in moved} == {(state.ROUTED, "ppt")}
    assert all(town.open_tasks(each.id) == {"release"} for each in moved)
    assert _left(line)[0] == 0
    assert _tasks(line) == []


def test_unit_with_a_future_closing_date_hands_over_its_mail_on_that_day(small_town: House) -> None:
    line = small_town.line
    with line.store.transaction() as (session, now):
        _message(session, now, "bv")
    _take(line, CLOSES.format(AHEAD))
    assert settle_closed_units_and_leavers(line) == 0

    small_town.clock.advance(timedelta(days=11))
    assert settle_closed_units_and_leavers(line) == 1
    assert [message.unit for message in small_town.messages()] == ["ppt"]


def test_mail_of_a_closed_unit_without_successor_goes_to_archive_staff(small_town: House) -> None:
    line = small_town.line
    _take(line, "[[unit]]\nid='ny'\nname='N'\n")
    with line.store.transaction() as (session, now):
        for state in (MessageState.ROUTED, MessageState.RELEASED):
            _message(session, now, "ny", state)

    _take(line, f"[[unit]]\nid='ny'\nname='N'\nuntil={PAST}\n")

    assert {(m.state, m.unit) for m in small_town.messages()} == {(MessageState.UNROUTED, None)}
    assert all(small_town.open_tasks(m.id) == {"distribute"} for m in small_town.messages())


def test_new_mail_for_a_closed_unit_follows_the_chain_of_successors(
    small_world: World,
) -> None:
    line = small_world.line
    _take(line, CLOSES.format(PAST))
    _take(
        line,
        f"[[unit]]\nid='ppt'\nname='P'\ncase_system='fag'\nuntil={PAST}\nsuccessor='skole'\n",
    )

    small_world.send("Melding om barnevern")
    small_world.collect()
    small_world.work()

    assert [message.unit for message in small_world.messages()] == ["skole"]
