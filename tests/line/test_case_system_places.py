"""Places of case systems: bounded for each, and one that is away is only probed."""

from datetime import timedelta

import pytest

from inbox.line.throttle.case_system_places import FAILURES_UNTIL_AWAY, CaseSystemPlaces
from tests.worlds import BEGIN


def _away(places: CaseSystemPlaces, name: str) -> None:
    for _ in range(FAILURES_UNTIL_AWAY):
        places.failed(name, BEGIN)


@pytest.mark.parametrize(
    ("total", "each", "most"), [(12, 2, 2), (12, 4, 4), (12, 9, 4), (6, 2, 2), (3, 2, 1)]
)
def test_case_system_gets_its_places_and_never_more_than_a_third_of_all(
    total: int, each: int, most: int
) -> None:
    places = CaseSystemPlaces(total=total, each=each)

    for _ in range(most - 1):
        places.enter("a")
        assert places.closed() == frozenset()
    places.enter("a")

    assert places.closed() == {"a"}
    places.leave("a")
    assert places.closed() == frozenset()


def test_case_system_that_fails_three_times_in_a_row_is_only_probed() -> None:
    places = CaseSystemPlaces()
    assert not places.failed("a", BEGIN)
    assert not places.failed("a", BEGIN)
    places.answered("a")
    assert not places.failed("a", BEGIN)
    assert not places.failed("a", BEGIN)

    assert places.failed("a", BEGIN)

    assert places.closed() == {"a"}
    assert places.probes_due(BEGIN) == ()
    assert places.probes_due(BEGIN + timedelta(seconds=5)) == ("a",)


def test_pause_between_probes_grows_to_half_a_minute_and_no_further() -> None:
    places, pauses = CaseSystemPlaces(), []
    _away(places, "a")
    for _ in range(6):
        seconds = next(s for s in range(100) if places.probes_due(BEGIN + timedelta(seconds=s)))
        pauses.append(seconds)
        places.failed("a", BEGIN)

    assert pauses == [5, 10, 20, 30, 30, 30]


def test_probe_that_gets_through_opens_all_places_of_the_case_system() -> None:
    places = CaseSystemPlaces()
    _away(places, "a")

    assert places.answered("a")

    assert places.closed() == frozenset()
    assert not places.answered("a")


def test_case_systems_that_are_away_hold_at_most_a_third_of_all_places() -> None:
    places, later = CaseSystemPlaces(total=6, each=2), BEGIN + timedelta(minutes=1)
    for name in "abcd":
        _away(places, name)

    places.enter("a")
    assert places.probes_due(later) == ("b", "c", "d")
    places.enter("b")

    assert places.probes_due(later) == ()
    places.leave("a")
    assert places.probes_due(later) == ("a", "c", "d")


def test_case_system_that_an_earlier_process_found_away_is_probed_at_once() -> None:
    places = CaseSystemPlaces()

    places.remember_away(["a"], BEGIN)

    assert places.closed() == {"a"}
    assert places.probes_due(BEGIN) == ("a",)


def test_case_system_that_a_wrong_clock_called_away_is_asked_when_the_clock_is_right() -> None:
    places = CaseSystemPlaces()
    for _ in range(FAILURES_UNTIL_AWAY):
        places.failed("a", BEGIN + timedelta(days=400))

    assert places.probes_due(BEGIN) == ("a",)
