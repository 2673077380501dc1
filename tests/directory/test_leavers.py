"""What those who left and units that closed leave behind ends, and becomes somebody's task."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.directory.leavers import settle_closed_units_and_leavers
from inbox.domain import DeliveryState, GrantKind, MessageState, PersonId, new_id
from inbox.line import Line
from inbox.line.moves import archive_staff
from inbox.line.moves.unit import assign
from inbox.line.task_kinds import TaskKind
from inbox.store import Transaction
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


def _message(tx: Transaction, unit: str, state: MessageState = MessageState.ROUTED) -> str:
    message = message_row(tx.now, unit=unit, state=state)
    tx.add(message)
    tx.flush()
    return message.id


def _had(tx: Transaction, unit: str = "bv") -> str:
    """A message that ola has, with a grant to it and somebody away whom ola stands in for."""
    message_id = _message(tx, unit)
    until = tx.now + timedelta(days=90)
    tx.add(Assignment(id=new_id(), message_id=message_id, person="ola", active_from=tx.now))
    tx.add(_grant(message_id, "ola", "kari", tx.now, until))
    tx.add(
        Delegation(
            id=new_id(),
            unit=unit,
            absent="kari",
            substitute="ola",
            given_by="kari",
            active_from=tx.now,
            active_until=until,
        )
    )
    tx.flush()
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
    with line.store.transaction() as tx:
        take(line, tx, read(text))


def _left(line: Line) -> tuple[int, int, int]:
    """How many assignments, grants and delegations last."""
    with line.store.reading() as tx:
        assignments = tx.exec(select(Assignment.active_until)).all()
        grants = tx.exec(select(AccessGrant.active_until)).all()
        delegations = tx.exec(select(Delegation.active_until)).all()
    return (
        sum(end is None or end > tx.now for end in assignments),
        sum(end > tx.now for end in grants),
        sum(end > tx.now for end in delegations),
    )


def _tasks(line: Line) -> list[tuple[str | None, str]]:
    with line.store.reading() as tx:
        query = select(Task).where(col(Task.kind) == TaskKind.LEAVER, col(Task.closed_at).is_(None))
        return [(task.unit, task.role) for task in tx.exec(query)]


@pytest.mark.parametrize("leaves", [LEAVES, LEAVES_BV])
def test_access_of_a_leaver_ends_the_same_day_and_opens_tasks_for_the_leader(
    town: House, leaves: str
) -> None:
    line = town.line
    with line.store.transaction() as tx:
        _had(tx)
    assert _left(line) == (1, 1, 1)

    _take(line, leaves.format(PAST))

    assert _left(line) == (0, 0, 0)
    assert _tasks(line) == [("bv", "leader")] * 3
    assert settle_closed_units_and_leavers(line) == 0


def test_leaver_with_a_future_end_date_is_handled_on_that_day(small_town: House) -> None:
    line = small_town.line
    with line.store.transaction() as tx:
        _had(tx)
    _take(line, LEAVES.format(AHEAD))

    assert settle_closed_units_and_leavers(line) == 0
    assert _left(line) == (1, 1, 1)

    small_town.clock.advance(timedelta(days=11))
    assert settle_closed_units_and_leavers(line) == 3
    assert _left(line) == (0, 0, 0)
    assert len(_tasks(line)) == 3


def test_leaver_of_one_unit_keeps_assignments_in_another_unit(small_town: House) -> None:
    line = small_town.line
    with line.store.transaction() as tx:
        _had(tx)
        elsewhere = _message(tx, "skole")
        tx.add(Assignment(id=new_id(), message_id=elsewhere, person="ola", active_from=tx.now))

    _take(line, LEAVES_BV.format(PAST))

    assert _left(line) == (1, 0, 0)


def test_grants_from_a_leaver_to_others_remain_active(small_town: House) -> None:
    line = small_town.line
    with line.store.transaction() as tx:
        message_id = _message(tx, "bv")
        tx.add(_grant(message_id, "ola", "kari", tx.now, tx.now + timedelta(days=90)))

    _take(line, LEAVES.replace("ola", "kari").format(PAST))

    assert _left(line) == (0, 1, 0)


def test_registered_message_of_a_leaver_opens_no_task(small_town: House) -> None:
    line = small_town.line
    with line.store.transaction() as tx:
        message_id = _message(tx, "bv", MessageState.REGISTERED)
        tx.add(Assignment(id=new_id(), message_id=message_id, person="ola", active_from=tx.now))

    _take(line, LEAVES.format(PAST))

    assert _left(line) == (0, 0, 0)
    assert _tasks(line) == []


def test_leaver_task_is_closed_by_reassignment_or_by_the_leader(small_town: House) -> None:
    line = small_town.line
    with line.store.transaction() as tx:
        message_id = _had(tx)
    more = "[[capacity]]\nperson='bjorn'\nunit='bv'\nrole='handler'\n"
    _take(line, LEAVES_BV.format(PAST) + more)
    kari = small_town.person("kari", Role.LEADER, "bv")

    assign(line, kari, message_id, to=PersonId("bjorn"))
    assert len(_tasks(line)) == 2
    with line.store.reading() as tx:
        rest = tx.exec(
            select(Task.id).where(col(Task.kind) == TaskKind.LEAVER, col(Task.closed_at).is_(None))
        ).all()
    for task_id in rest:
        archive_staff.close_by_hand(line, kari, task_id, reason="sett")

    assert _tasks(line) == []


def _delivery(tx: Transaction, message_id: str, state: DeliveryState) -> None:
    tx.add(
        Delivery(
            id=new_id(),
            message_id=message_id,
            number=1,
            case_system="sak",
            state=state,
            offered_at=tx.now,
        )
    )


def test_open_mail_of_a_closed_unit_is_routed_to_its_successor(town: House) -> None:
    line, state = town.line, MessageState
    with line.store.transaction() as tx:
        for each in (state.ROUTED, state.RETURNED, state.RELEASED, state.OFFERED):
            message_id = _message(tx, "bv", each)
            tx.add(Assignment(id=new_id(), message_id=message_id, person="ola", active_from=tx.now))
            if each is state.OFFERED:
                _delivery(tx, message_id, DeliveryState.OPEN)
        collected = _message(tx, "bv", state.OFFERED)
        _delivery(tx, collected, DeliveryState.COLLECTED)
        done = _message(tx, "bv", state.ANSWERED)

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
    with line.store.transaction() as tx:
        _message(tx, "bv")
    _take(line, CLOSES.format(AHEAD))
    assert settle_closed_units_and_leavers(line) == 0

    small_town.clock.advance(timedelta(days=11))
    assert settle_closed_units_and_leavers(line) == 1
    assert [message.unit for message in small_town.messages()] == ["ppt"]


def test_mail_of_a_closed_unit_without_successor_goes_to_archive_staff(small_town: House) -> None:
    line = small_town.line
    _take(line, "[[unit]]\nid='ny'\nname='N'\n")
    with line.store.transaction() as tx:
        for state in (MessageState.ROUTED, MessageState.RELEASED):
            _message(tx, "ny", state)

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
