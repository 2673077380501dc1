"""Rules, access and standing in begin and end with days in Norway."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from inbox import days
from inbox.access.files.versions import digest_over, keep_first_version
from inbox.domain import PersonId, UnitId
from inbox.errors import Invalid
from inbox.line.access.grants import delegate, grant
from inbox.line.active_rule_books import rule_book_kind
from tests import databases
from tests.line.school import School, school
from tests.municipality import RULES
from tests.worlds import OURS, World

NINA, OLA, LARS = map(PersonId, ("nina", "ola", "lars"))


@pytest.mark.parametrize(
    ("at", "period", "rule"),
    [
        ((2026, 11, 20, 22, 30), "until = 2026-11-20", "bv-straks"),
        ((2026, 11, 20, 23, 30), "until = 2026-11-20", None),
        ((2026, 11, 20, 23, 30), "from = 2026-11-21", "bv-straks"),
        ((2026, 11, 20, 22, 30), "from = 2026-11-21", None),
    ],
)
def test_routing_rule_begins_and_ends_at_midnight_in_norway(
    small_world: World, at: tuple[int, int, int, int, int], period: str, rule: str | None
) -> None:
    book = RULES.decode().replace('id = "bv-straks"', f'{period}\nid = "bv-straks"', 1)
    files = {f"routing/{OURS}.toml": book.encode()}
    with small_world.line.store.transaction() as tx:
        keep_first_version(
            tx,
            kind=rule_book_kind(OURS),
            digest=digest_over(files),
            files=files,
            proposed_by="anne",
            approved_by="bjorn",
        )
    small_world.clock.now = datetime(*at, tzinfo=UTC)
    small_world.send("Barnevern")
    small_world.collect()
    small_world.work()

    (message,) = small_world.messages()

    assert message.rule == rule


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[School]:
    with school(databases.sqlite_database(tmp_path), tmp_path) as made:
        yield made


def test_ninety_days_of_standing_in_are_ninety_days_also_when_the_clock_changes(
    hall: School,
) -> None:
    hall.world.clock.now = datetime(2027, 9, 30, 8, tzinfo=UTC)
    first = date(2027, 10, 1)

    def stands_in(number: int) -> None:
        delegate(
            hall.line,
            hall.kari(),
            unit=UnitId("skole"),
            absent=OLA,
            substitute=NINA,
            since=days.start_of_day(first),
            until=days.end_of_day(first + timedelta(days=number - 1)),
        )

    with pytest.raises(Invalid, match=r"access\.period"):
        stands_in(91)
    stands_in(90)


def test_grant_of_some_days_ends_at_the_same_time_of_day_when_the_clock_changes(
    hall: School,
) -> None:
    hall.world.clock.now = datetime(2027, 10, 30, 12, tzinfo=UTC)

    row = grant(
        hall.line,
        hall.kari(),
        hall.message(),
        to=NINA,
        duration=timedelta(days=3),
        reason="Trenger det",
    )

    assert row.active_until == datetime(2027, 11, 2, 13, tzinfo=UTC)
