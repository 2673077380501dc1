"""The bind values of a queue's search, whose names shape the text of its statement."""

from dataclasses import replace

import pytest

from inbox.access.lists.queue_search import (
    MAX_UNITS_WITH_TERMS,
    Lateness,
    LateUntil,
    QueueSearch,
    queue_parameter_values,
)
from inbox.domain import MessageState, OrgNumber, UnitId
from tests.access.town import AFTER, BEFORE, BERGVIK, HAVNES, NOW

DEFAULT = LateUntil(
    unopened=BEFORE, unregistered=NOW, urgent_unopened=AFTER, urgent_unregistered=NOW
)
OWN = replace(DEFAULT, unopened=NOW)
ALL = QueueSearch(lateness=Lateness(default=DEFAULT))


def of_units(number: int) -> QueueSearch:
    """A search where so many units have terms of their own."""
    own = {UnitId(f"u{each}"): OWN for each in range(number)}
    return QueueSearch(lateness=Lateness(default=DEFAULT, of_unit=own))


def late_units(query: QueueSearch) -> list[object]:
    values = queue_parameter_values(query)
    return [value for name, value in values.items() if name.startswith("queue_late_unit_")]


def narrowed(query: QueueSearch) -> dict[str, object]:
    """The values without those of deadlines."""
    lateness = queue_parameter_values(ALL)
    return {
        name: value for name, value in queue_parameter_values(query).items() if name not in lateness
    }


@pytest.mark.parametrize(("units", "slots"), [(0, 0), (1, 1), (2, 2), (3, 4), (4, 4), (5, 8)])
def test_statement_has_room_for_a_power_of_two_of_units(units: int, slots: int) -> None:
    assert late_units(of_units(units)) == [
        *(f"u{each}" for each in range(units)),
        *[""] * (slots - units),
    ]


def test_more_units_with_terms_than_a_statement_has_room_for_are_refused() -> None:
    assert len(late_units(of_units(MAX_UNITS_WITH_TERMS))) == MAX_UNITS_WITH_TERMS == 512
    with pytest.raises(ValueError, match="too many units"):
        queue_parameter_values(of_units(MAX_UNITS_WITH_TERMS + 1))


def test_unit_is_late_by_its_own_terms_and_no_unit_by_those_of_all() -> None:
    values = queue_parameter_values(of_units(3))

    found = [values[f"queue_late_{number}_unopened"] for number in range(4)]
    assert found == [OWN.unopened] * 3 + [DEFAULT.unopened]
    assert values["queue_late_unopened"] == DEFAULT.unopened
    assert values["queue_late_3_urgent_unopened"] == DEFAULT.urgent_unopened


def test_criterion_that_is_not_applied_has_no_value() -> None:
    assert narrowed(ALL) == {}
    assert narrowed(replace(ALL, late=False, receipt_failed=False)) == {}


def test_each_criterion_has_a_value_of_its_own() -> None:
    by_states = replace(ALL, states=(MessageState.UNROUTED, MessageState.OFFERED) * 2)
    some = replace(ALL, channel="ip", unit=UnitId("bv"), late=True, receipt_failed=True)

    assert narrowed(by_states) == {
        "queue_state_0": MessageState.OFFERED,
        "queue_state_1": MessageState.UNROUTED,
    }
    assert narrowed(some).keys() == {
        *("queue_channel", "queue_unit", "queue_late", "queue_receipt_failed")
    }
    assert narrowed(replace(ALL, held=True)).keys() == {"queue_held"}
    assert narrowed(replace(ALL, held=False)).keys() == {"queue_not_held"}
    assert narrowed(replace(ALL, sender=OrgNumber(BERGVIK))) == {"queue_sender": BERGVIK}
    assert narrowed(replace(ALL, senders=())) == {"queue_senders": ""}
    assert narrowed(replace(ALL, senders=(BERGVIK, HAVNES))) == {
        "queue_senders": f"{BERGVIK} {HAVNES}"
    }
