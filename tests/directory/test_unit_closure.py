"""The closure of the tree of units says what the parents say, from when until when."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from inbox.line import Line
from inbox.tables import UnitAbove
from tests.databases import SQLITE_SOON
from tests.directory.installation import at_time, read, take, undone

UNITS = [f"u{number}" for number in range(8)]


def _text(parents: dict[str, str]) -> str:
    rows = [
        f"[[unit]]\nid='{unit}'\nname='E'\n"
        + (f"parent='{parents[unit]}'\n" if unit in parents else "")
        for unit in sorted({*parents, *parents.values(), *UNITS})
    ]
    return "".join(rows)


def _naive(parents: dict[str, str]) -> set[tuple[str, str]]:
    pairs = set(parents.items())
    while grown := {(a, d) for a, b in pairs for c, d in pairs if b == c} - pairs:
        pairs |= grown
    return pairs


def _closure(session: Session, moment: datetime) -> list[tuple[str, str]]:
    return sorted(
        (row.unit, row.above)
        for row in session.exec(select(UnitAbove))
        if row.active_from <= moment and (row.active_until is None or moment < row.active_until)
    )


@st.composite
def _forests(draw: st.DrawFn) -> dict[str, str]:
    order = draw(st.permutations(UNITS))
    return {
        unit: draw(st.sampled_from(order[:at]))
        for at, unit in enumerate(order)
        if at and draw(st.booleans())
    }


@given(trees=st.lists(_forests(), min_size=1, max_size=4))
@settings(max_examples=8, deadline=None)
def test_unit_closure_matches_the_parents_on_every_day(
    same_line: Line, trees: list[dict[str, str]]
) -> None:
    with undone(same_line) as tx:
        now = tx.now
        for day, parents in enumerate(trees):
            take(same_line, at_time(tx, now + timedelta(days=day)), read(_text(parents)))

        for day, parents in enumerate(trees):
            then = now + timedelta(days=day, hours=1)
            assert _closure(tx, then) == sorted(_naive(parents))


@SQLITE_SOON
def test_unit_closure_of_a_deep_tree_follows_a_moved_subtree(line: Line) -> None:
    deep = {f"d{level:02}": f"d{level - 1:02}" for level in range(1, 50)}
    moved = deep | {"d25": "u0"}
    with undone(line) as tx:
        now = tx.now
        take(line, tx, read(_text(deep)))
        take(line, at_time(tx, now + timedelta(days=1)), read(_text(moved)))

        before, after = (_closure(tx, now + timedelta(hours=h)) for h in (1, 25))

    assert before == sorted(_naive(deep))
    assert len(before) == 49 * 50 // 2
    assert after == sorted(_naive(moved))
