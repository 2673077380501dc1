"""An import that is said to only narrow access gives nobody anything, whatever the world is."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from inbox.directory.format.rows import RowKind
from inbox.directory.format.toml_file import directory_of
from inbox.directory.impact import AccessMap, access_map, directory_impact
from inbox.domain import MessageState, OrgNumber, new_id
from inbox.errors import Invalid
from inbox.line import Line
from inbox.store import Transaction
from inbox.tables import Assignment, CapacityRow, Unit
from tests.databases import SQLITE_SOON
from tests.directory.directory_strategies import SENDERS, tables
from tests.directory.installation import OURS, at_time, planned, read, take, undone
from tests.rows import message_row

PAST = datetime.fromisoformat("2026-11-19T08:00:00Z")
STATES = (MessageState.ROUTED, MessageState.OFFERED, MessageState.RETURNED, MessageState.UNROUTED)
CHECKS = [HealthCheck.filter_too_much, HealthCheck.too_slow]


@st.composite
def _edits(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A directory, and some of its rows as somebody edits them who mostly takes away."""
    before = draw(tables())
    after: dict[str, Any] = {"organisation": OURS}
    for kind in (
        RowKind.UNIT,
        RowKind.PERSON,
        RowKind.CAPACITY,
        RowKind.CLEARANCE,
        RowKind.CONFLICT,
    ):
        rows = before[kind.value]
        picked = draw(st.lists(st.sampled_from(rows), unique_by=str, max_size=2)) if rows else []
        after[kind.value] = [_edited(draw, row) for row in picked]
    if draw(st.booleans()):
        person = draw(st.sampled_from(before["person"]))["id"]
        after["conflict"] = [{"person": person, "sender": draw(st.sampled_from(SENDERS))}]
    return before, after


def _edited(draw: st.DrawFn, row: dict[str, object]) -> dict[str, object]:
    dropped = draw(st.sampled_from(["parent", "case_system", "shares_unassigned", ""]))
    edited = {name: value for name, value in row.items() if name != dropped}
    edited.pop("from", None)
    if draw(st.booleans()):
        edited["until"] = draw(st.sampled_from([PAST, PAST + timedelta(days=3)]))
    return edited


def _fill(tx: Transaction, choice: st.DataObject) -> None:
    """Messages in every unit, and those of them assigned that the drawing says."""
    units = tx.exec(select(Unit.id)).all()
    for at, unit in enumerate(units):
        for state in STATES:
            message = message_row(
                tx.now,
                state=state,
                unit=None if state is MessageState.UNROUTED else unit,
                sender=SENDERS[at % 2],
                shielding=choice.draw(st.sampled_from([None, "13"])),
            )
            tx.add(message)
            tx.flush()
            people = tx.exec(select(CapacityRow.person).where(CapacityRow.unit == unit)).all()
            is_assigned = choice.draw(st.booleans())
            if people and is_assigned:
                person = choice.draw(st.sampled_from(sorted(people)))
                tx.add(
                    Assignment(
                        id=new_id(), message_id=message.id, person=person, active_from=tx.now
                    )
                )
    tx.flush()


def _gained(before: AccessMap, after: AccessMap) -> set[tuple[object, ...]]:
    return {
        (*who, message_id)
        for who, messages in after.items()
        for message_id in messages - before.get(who, frozenset())
    }


def _freed(tx: Transaction) -> set[str]:
    """What a leaver had, in a unit that shares: its handlers see and take what nobody has."""
    return set(
        tx.exec(select(Assignment.message_id).where(Assignment.active_until == tx.now)).all()
    )


def _check(line: Line, edit: tuple[dict[str, Any], dict[str, Any]], choice: st.DataObject) -> None:
    before, after = (directory_of(each) for each in edit)
    with undone(line) as tx:
        take(line, tx, before)
        now, later = tx.now, tx.now + timedelta(hours=2)
        try:
            changes = planned(line, at_time(tx, later), after)
        except Invalid:  # a unit that rules name, without a successor
            changes = ()
        assume(changes and not any(change.widens for change in changes))
        _fill(at_time(tx, now), choice)
        policy = line.policies.current(tx)
        had = access_map(at_time(tx, later), policy, OrgNumber(OURS))
        take(line, tx, after)
        gained = _gained(had, access_map(tx, policy, OrgNumber(OURS)))
        freed = _freed(tx)

        assert {each for each in gained if each[-1] not in freed} == set()


@given(edit=_edits(), choice=st.data())
@settings(max_examples=3, deadline=None, suppress_health_check=CHECKS)
def test_narrowing_directory_import_gives_nobody_access_to_a_message(
    same_line: Line, edit: tuple[dict[str, Any], dict[str, Any]], choice: st.DataObject
) -> None:
    _check(same_line, edit, choice)


@pytest.mark.long
@given(edit=_edits(), choice=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=CHECKS)
def test_narrowing_directory_import_gives_nobody_access_over_many_examples(
    same_line: Line, edit: tuple[dict[str, Any], dict[str, Any]], choice: st.DataObject
) -> None:
    _check(same_line, edit, choice)


BASE = """
[[unit]]
id='desk'
name='D'
[[unit]]
id='bv'
name='B'
[[person]]
id='kari'
name='K'
[[person]]
id='ola'
name='O'
[[capacity]]
person='kari'
unit='bv'
role='leader'
[[capacity]]
person='ola'
unit='bv'
role='handler'
"""


def _small(tx: Transaction, person: str | None) -> None:
    message = message_row(tx.now)
    tx.add(message)
    tx.flush()
    if person:
        tx.add(Assignment(id=new_id(), message_id=message.id, person=person, active_from=tx.now))


@SQLITE_SOON
def test_directory_impact_counts_gains_and_losses_without_applying_the_import(line: Line) -> None:
    with line.store.transaction() as tx:
        take(line, tx, read(BASE))
        _small(tx, "ola")
    leaves = read(
        "[[capacity]]\nperson='ola'\nunit='bv'\nrole='handler'\nuntil=2026-11-19\n"
        "[[capacity]]\nperson='kari'\nunit='desk'\nrole='archivist'\n"
    )

    found = {(each.who, each.action.value): each for each in directory_impact(line, leaves)}

    assert (found["ola", "open"].gains, found["ola", "open"].loses) == (0, 1)
    assert (found["kari", "route"].gains, found["kari", "route"].loses) == (1, 0)
    assert ("kari", "list") not in found
    with line.store.reading() as tx:
        assert len(planned(line, tx, leaves)) == 2


@SQLITE_SOON
def test_directory_impact_shows_a_leavers_message_to_others_only_if_the_unit_shares(
    line: Line,
) -> None:
    shares = BASE.replace("name='B'", "name='B'\nshares_unassigned=true")
    more = "[[person]]\nid='siri'\nname='S'\n[[capacity]]\nperson='siri'\nunit='bv'\nrole='handler'"
    leaves = read("[[capacity]]\nperson='ola'\nunit='bv'\nrole='handler'\nuntil=2026-11-19\n")
    gains = []
    for text in (BASE, shares):
        with line.store.transaction() as tx:
            take(line, tx, read(text + more))
            if text == BASE:
                _small(tx, "ola")
        gains.append({each.who for each in directory_impact(line, leaves) if each.gains})

    assert gains == [set(), {"siri"}]
