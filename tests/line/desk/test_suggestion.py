"""The suggestion: of whose mail, from how many, and what it never goes against."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inbox.access.question import Capacity
from inbox.domain import MessageState, OrgNumber, UnitId
from inbox.line.active_rule_books import ActiveRuleBooks
from inbox.line.desk.ground import read_ground
from inbox.line.desk.message_view import message_view
from inbox.line.desk.queues import Queue, queue_page
from inbox.line.desk.recent_rules import RecentRules, recent_rules
from inbox.line.desk.suggestion import PastPlacement, Suggestion, suggestion_for
from inbox.line.moves.archive_staff import place
from inbox.line.moves.unit import hand_back
from inbox.routing.rule_reader import read_rules
from inbox.tables import Message
from tests.line.desk.desk_world import at, mail
from tests.line.school import School, school_on
from tests.municipality import RULES
from tests.worlds import OURS, SENDER

_M = MessageState
OTHER = OrgNumber("974760673")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def hall(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[School]:
    with school_on(request, tmp_path) as made:
        made.world.edited = True
        yield made


def registered(hall: School, unit: str, number: int = 1, **columns: object) -> list[str]:
    """Messages that a case system has registered in this unit."""
    values: dict[str, object] = {
        "registered_at": at(hall, hours=1),
        "registered_by": "word",
        **columns,
    }
    return [mail(hall, _M.ANSWERED, unit=unit, **values) for _ in range(number)]


def suggestion(hall: School, capacity: Capacity | None = None) -> Suggestion | None:
    return message_view(hall.line, capacity or hall.anne(), mail(hall)).suggestion


def test_suggestion_counts_the_last_twenty_messages_of_the_sender(hall: School) -> None:
    registered(hall, "bv", 9, registered_at=at(hall, days=9))
    registered(hall, "skole", 15)
    registered(hall, "ppt", 3)
    registered(hall, "bv", 30, sender=OTHER)

    found = suggestion(hall)

    assert found is not None
    assert [(each.unit, each.count) for each in found.units] == [
        ("skole", 15),
        ("ppt", 3),
        ("bv", 2),
    ]
    assert (found.of, found.sender, found.units[0].unit_name) == (20, SENDER, "Skole")
    (row,) = queue_page(hall.line, hall.anne(), Queue.DISTRIBUTE).rows
    assert row.mostly_to is not None
    assert (row.mostly_to.unit, row.mostly_to.count, row.mostly_to.of) == ("skole", 15, 20)


def test_suggestion_is_made_from_ten_messages_on(hall: School) -> None:
    registered(hall, "skole", 9)

    assert suggestion(hall) is None

    registered(hall, "skole")

    found = suggestion(hall)
    assert found is not None
    assert found.of == 10


@pytest.mark.parametrize("how", ["by_hand", "duplicate"])
def test_suggestion_leaves_out_what_no_case_system_registered(hall: School, how: str) -> None:
    registered(hall, "skole", 9)
    registered(hall, "skole", 5, registered_by=how)

    assert suggestion(hall) is None


def test_suggestion_leaves_out_what_a_unit_has_handed_back(hall: School) -> None:
    registered(hall, "skole", 9)
    (first,) = [mail(hall, _M.ROUTED, unit="skole")]
    hand_back(hall.line, hall.kari(), first, expected_version=hall.seen(first), reason="Ikke vår")
    place(hall.line, hall.anne(), first, unit="skole", expected_version=hall.seen(first))
    with hall.line.store.transaction() as tx:
        message = tx.get_one(Message, first)
        message.state, message.registered_at = _M.ANSWERED, at(hall, hours=1)
        message.registered_by = "word"

    assert suggestion(hall) is None

    second = mail(hall)
    place(hall.line, hall.anne(), second, unit="skole", expected_version=hall.seen(second))
    with hall.line.store.transaction() as tx:
        message = tx.get_one(Message, second)
        message.state, message.registered_at = _M.ANSWERED, at(hall, hours=1)
        message.registered_by = "word"

    assert suggestion(hall) is not None


def test_suggestion_leaves_out_what_the_capacity_may_not_distribute(hall: School) -> None:
    registered(hall, "skole", 9)
    registered(hall, "skole", 9, organisation="915933149")

    assert suggestion(hall) is None


def places(**counts: int) -> list[PastPlacement]:
    return [
        PastPlacement(unit=UnitId(unit), unit_name=unit, is_active=unit != "gone")
        for unit, count in counts.items()
        for _ in range(count)
    ]


def rules(text: bytes) -> RecentRules:
    return RecentRules(rules=read_rules(f"{OURS}.toml", text).rules)


_ABOUT_SENDER = RULES.replace(
    b'{ public_title_has = ["elev"] }', f'{{ sender = ["{SENDER}"] }}'.encode()
)


def test_suggestion_is_never_against_a_recent_rule_about_the_sender() -> None:
    recent, sender = rules(_ABOUT_SENDER), OrgNumber(SENDER)

    assert suggestion_for(sender, places(bv=12), recent) is None
    assert suggestion_for(sender, places(bv=12, skole=3), recent) is None
    assert suggestion_for(sender, places(skole=12, bv=3), recent) is not None
    assert suggestion_for(OTHER, places(bv=12), recent) is not None


def test_suggestion_never_names_a_unit_that_has_ended() -> None:
    assert suggestion_for(OTHER, places(gone=12, bv=3), RecentRules()) is None
    found = suggestion_for(OTHER, places(bv=12, gone=3), RecentRules())
    assert found is not None
    assert [each.unit for each in found.units] == ["bv"]


def test_rules_are_recent_by_their_first_day(hall: School) -> None:
    dated = _ABOUT_SENDER.replace(b'to = "skole"', b'to = "skole"\nfrom = 2026-11-01')
    book = read_rules(f"{OURS}.toml", dated)
    line = replace(hall.line, rule_books=ActiveRuleBooks())

    with line.store.reading() as tx:
        first = recent_rules(line, tx, book, read_ground(tx, OrgNumber(OURS)).versions)
    hall.later(days=120)
    with line.store.reading() as tx:
        later = recent_rules(line, tx, book, read_ground(tx, OrgNumber(OURS)).versions)

    assert [rule.id for rule in first.rules] == ["skole"]
    assert later.rules == ()
    assert timedelta(days=120) > timedelta(days=90)
