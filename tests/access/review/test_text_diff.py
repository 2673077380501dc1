"""What is written otherwise is told: cell by cell, text by text."""

from collections.abc import Iterable
from dataclasses import replace

from inbox.access.policy.shielding import Shielding, ShieldingTable
from inbox.access.policy.vocabulary import Duty
from inbox.access.review.text_diff import (
    WrittenChange,
    changed_rows,
    changed_shieldings,
    switched_rows,
)
from tests.access.town import allow, deny

A01 = allow("A01", "open", "handler", "assigned")


def lines(changes: Iterable[WrittenChange]) -> list[str]:
    return [change.line for change in changes]


def codes(*names: str) -> ShieldingTable:
    return ShieldingTable([Shielding(code=name, aliases=(f"law {name}",)) for name in names])


def test_text_diff_reports_each_changed_cell_of_a_row() -> None:
    logged = replace(A01, duties=frozenset({Duty.REASON, Duty.LOG}))
    wider = replace(A01, actions="list", roles="leader", when="leads")

    assert lines(changed_rows([A01], [A01])) == []
    assert lines(changed_rows([A01], [logged])) == ["row A01: duty none -> log reason"]
    assert lines(changed_rows([logged], [A01])) == ["row A01: duty log reason -> none"]
    assert lines(changed_rows([A01], [wider])) == [
        "row A01: action open -> list",
        "row A01: role handler -> leader",
        "row A01: when assigned -> leads",
    ]


def test_text_diff_reports_added_dropped_and_renamed_rows() -> None:
    d01 = deny("D01", "*", "*", "conflict")

    assert lines(changed_rows([A01], [replace(A01, id="A02"), d01])) == [
        "row A01 is A02 now",
        "row D01 added: deny, *, *, conflict, none",
    ]
    assert lines(changed_rows([A01, d01], [A01])) == ["row D01 dropped: deny, *, *, conflict, none"]


def test_text_diff_of_an_added_or_dropped_code_reports_no_new_order() -> None:
    assert lines(changed_shieldings(codes("6", "7"), codes("6", "7"))) == []
    added = ["shielding '13': ? -> 13", "shielding 'law13': ? -> 13"]
    assert lines(changed_shieldings(codes("6", "7"), codes("6", "13", "7"))) == added
    gone = ["shielding '13': 13 -> ?", "shielding 'law13': 13 -> ?"]
    assert lines(changed_shieldings(codes("6", "13", "7"), codes("6", "7"))) == gone


def test_text_diff_reports_shielding_codes_in_another_order() -> None:
    assert lines(changed_shieldings(codes("6", "7"), codes("7", "6"))) == [
        "shielding, strictest first: 6 7 -> 7 6"
    ]


def test_text_diff_reports_rows_switched_off_and_on_again() -> None:
    other = replace(A01, id="A02")

    assert lines(switched_rows([A01], [A01])) == []
    assert lines(switched_rows([A01], [other])) == [
        "row A02 switched off",
        "row A01 not switched off now",
    ]
