"""The one rule of periods: the database and a row in hand say the same, to the microsecond."""

from datetime import datetime
from itertools import product

from sqlmodel import Session, select

from inbox.tables import Assignment, Delegation, Person, Unit
from inbox.tables.periods import PeriodRow, active_on, has_ended, is_active_on, not_ended
from tests.access.random_world import TICK
from tests.access.town import AFTER, BEFORE, NOW, Town

EDGES = (BEFORE, NOW - TICK, NOW, NOW + TICK, AFTER)
HOLDS_FROM = {BEFORE, NOW - TICK, NOW}
HOLDS_UNTIL = {None, NOW + TICK, AFTER}


def people(session: Session) -> dict[tuple[datetime, datetime | None], Person]:
    """One for every beginning and end, also those that end before they begin."""
    rows = {
        (since, until): Person(id=f"p{number}", name="N. N.", active_from=since, active_until=until)
        for number, (since, until) in enumerate(product(EDGES, (None, *EDGES)))
    }
    session.add_all(rows.values())
    session.flush()
    return rows


def test_row_lasts_from_active_from_until_just_before_active_until(session: Session) -> None:
    rows = people(session)

    found = set(session.exec(select(Person.id).where(active_on(Person, NOW))))

    assert len(rows) == 30
    for (since, until), row in rows.items():
        held = since in HOLDS_FROM and until in HOLDS_UNTIL
        assert (row.id in found, is_active_on(row, NOW)) == (held, held), (since, until)


def test_row_with_a_future_start_does_not_count_as_ended(session: Session) -> None:
    rows = people(session)

    stands = set(session.exec(select(Person.id).where(not_ended(Person, NOW))))
    over = set(session.exec(select(Person.id).where(~not_ended(Person, NOW))))

    assert len(stands) + len(over) == 30
    for (_, until), row in rows.items():
        assert has_ended(until, NOW) is (until not in HOLDS_UNTIL)
        assert (row.id in over) is has_ended(until, NOW)


def test_period_in_sql_equals_period_in_python_for_several_tables(
    town: Town, session: Session
) -> None:
    message = town.message()
    rows: list[tuple[type[PeriodRow], PeriodRow]] = [
        (Assignment, town.assign(message, "kari", until=NOW + TICK)),
        (Delegation, town.delegation("bv", "ola", "kari", "lise")),
        (Unit, session.get_one(Unit, "bv")),
    ]
    for kind, row in rows:
        for on in (BEFORE - TICK, BEFORE, NOW, NOW + TICK, AFTER):
            found = session.exec(
                select(kind.id).where(active_on(kind, on), kind.id == row.id)
            ).all()
            assert bool(found) is is_active_on(row, on), (kind, on)
