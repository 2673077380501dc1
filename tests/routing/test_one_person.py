"""One archivist may send mail to fewer units, and switch a rule off; whatever gains takes two."""

from dataclasses import replace

import pytest

from inbox.domain import UnitId
from inbox.errors import Conflict, InboxError, NotFound, PolicyError
from inbox.language import TextLanguage
from inbox.routing.diff import diff_rule_books
from inbox.routing.diff_text import changed_rules, render_diff
from inbox.routing.lint import lint
from inbox.routing.one_person import why_two_people, with_rule_off
from inbox.routing.route import deciding_rule, explain_route, route
from inbox.routing.rule_book import RuleBook
from inbox.routing.rule_cases import run_cases
from inbox.routing.rule_reader import read_rules
from inbox.routing.sentences import BOKMAAL
from tests.routing.rule_books import (
    NAME,
    POLICE,
    POLICIES,
    PPT,
    TODAY,
    a_book,
    a_file,
    rule,
    some_metadata,
    the_book,
)

POLICE_FIRST = rule("politi", '{ sender = "group:politi" }', more='before = ["kjent"]')
POLICE_ALONE = rule("politi", '{ sender = "group:politi" }')
KNOWN = rule("kjent", "{ sender_known = true }", to="ppt")
FROM_POLICE = some_metadata(sender=POLICE)


def book_with_off(*rules: str, off: str) -> RuleBook:
    raw = a_file(*rules)
    return read_rules(NAME, with_rule_off(read_rules(NAME, raw), raw, off))


def test_rule_off_matches_in_its_place_and_is_never_left_to_a_later_rule() -> None:
    book = book_with_off(POLICE_FIRST, KNOWN, off="politi")

    decided = deciding_rule(FROM_POLICE, book, TODAY)

    assert route(FROM_POLICE, book, TODAY) is None
    assert (decided.id if decided else None) == "politi"
    found = route(some_metadata(), book, TODAY)
    assert found is not None
    assert found.rule == "kjent"


def test_explanation_of_a_rule_off_says_so_and_has_no_route() -> None:
    explanation = explain_route(
        FROM_POLICE, book_with_off(POLICE_FIRST, KNOWN, off="politi"), TODAY
    )

    assert (explanation.route, explanation.off_rule) == (None, "politi")
    assert BOKMAAL.explanation(explanation).startswith(
        "Regelen «politi» passer, men er slått av: meldingen må fordeles av en person."
    )
    assert "politi: passer\n  er slått av" in BOKMAAL.explanation(explanation)


def test_difference_of_a_rule_off_is_what_it_matched_and_nothing_else() -> None:
    book = a_book(POLICE_FIRST, KNOWN)
    off = book_with_off(POLICE_FIRST, KNOWN, off="politi")

    found = diff_rule_books(book, off)
    again = diff_rule_books(off, book)

    assert [(each.old_rule, each.new_rule) for each in found.rerouted] == [("politi", "politi")]
    assert [each.new_destination for each in found.rerouted] == [None]
    assert "en person («politi» er slått av)" in render_diff(found)
    assert list(changed_rules(book, off)) == ["regelen «politi» er endret: off"]
    assert why_two_people(found) == ()
    (why,) = why_two_people(again)
    assert why.text(TextLanguage.NB).endswith(
        "en person («politi» er slått av) → bv (en person slipper den videre; «politi»)"
    )
    assert why.text(TextLanguage.EN).endswith("→ bv (released by a person; “politi”)")


def test_lint_notes_a_rule_off_and_skips_its_inactive_unit() -> None:
    book = book_with_off(POLICE_FIRST, KNOWN, off="politi")

    found = {(each.code, each.rules) for each in lint(book, on=TODAY, units={PPT, UnitId("desk")})}

    assert ("routing.off", ("politi",)) in found
    assert not any(code == "routing.unit_not_living" for code, _ in found)


def test_written_case_of_a_rule_off_may_expect_the_rule_or_unrouted() -> None:
    book = book_with_off(POLICE_FIRST, KNOWN, off="politi")
    head = f'receiver = "{book.organisation}"\non = 2026-11-24\n'
    case = f'[[case]]\nname = "x"\nmetadata = {{ sender = "{POLICE}" }}\nexpect = '

    def passes(expect: str) -> bool:
        (result,) = run_cases(book, (head + case + expect + "\n").encode())
        return result.passed

    assert passes('{ unit = "bv", rule = "politi", release = "by a person" }')
    assert passes('"unrouted"')
    assert not passes('{ unit = "ppt", rule = "kjent", release = "by a person" }')


def test_every_shipped_rule_can_be_switched_off_by_one_added_line() -> None:
    raw = (POLICIES / "routing" / NAME).read_bytes()

    for one in the_book().rules:
        changed = with_rule_off(the_book(), raw, one.id)
        off = read_rules(NAME, changed)
        assert [each.id for each in off.rules if each.off] == [one.id]
        assert len(changed.splitlines()) == len(raw.splitlines()) + 1
        assert why_two_people(diff_rule_books(the_book(), off)) == ()


@pytest.mark.parametrize(
    "written",
    [
        rule("en", "{ sender_known = true }").replace('id = "en"', 'id = """\nen"""'),
        rule("en", "{ sender_known = true }").replace('id = "en"', '"id"  =  "en" # off = false'),
        rule("en", "{ sender_known = true }", more="off = false # later true"),
        rule("en", "{ sender_known = true }", more='"off"=false'),
    ],
    ids=["several lines", "quoted key", "written off", "quoted off"],
)
def test_rule_is_switched_off_however_its_id_is_written(written: str) -> None:
    book = book_with_off(written, off="en")

    assert [each.off for each in book.rules] == [True]


def test_rule_to_which_no_line_can_be_added_is_refused() -> None:
    table = (
        '{ id = "en", because = "Fordi", when = { sender_known = true }, to = "bv",'
        ' release = "at once" }'
    )
    head, _, tables = a_file(rule("to", "{ sender_known = true }")).decode().partition("[groups]")
    units = tables.partition("[[rule]]")[0]
    raw = f"{head}rule = [{table}]\n[groups]{units}".encode()

    with pytest.raises(PolicyError) as error:
        with_rule_off(read_rules(NAME, raw), raw, "en")

    assert error.value.code == "route.switch_off"


@pytest.mark.parametrize(
    ("off", "error"),
    [("politi", Conflict("route.off")), ("ingen", NotFound("route.no_rule_id"))],
)
def test_switching_off_a_rule_twice_or_an_unknown_rule_is_refused(
    off: str, error: InboxError
) -> None:
    raw = a_file(POLICE_FIRST, KNOWN)
    raw = with_rule_off(read_rules(NAME, raw), raw, "politi")

    with pytest.raises(type(error)) as caught:
        with_rule_off(read_rules(NAME, raw), raw, off)

    assert caught.value.code == error.code


@pytest.mark.parametrize(
    ("new", "gains"),
    [
        ([POLICE_ALONE], False),
        ([KNOWN], True),
        ([POLICE_FIRST, KNOWN.replace('"ppt"', '"bv"')], True),
        ([POLICE_FIRST.replace("by a person", "at once"), KNOWN], True),
        ([POLICE_FIRST.replace("because", "urgent = true\nbecause"), KNOWN], False),
        ([POLICE_FIRST.replace('"Fordi"', '"Derfor"'), KNOWN], False),
        ([POLICE_FIRST, KNOWN, rule("ny", "{ sender_known = false }")], True),
        ([POLICE_FIRST + "until = 2027-01-01\n", KNOWN], True),
        ([POLICE_FIRST, KNOWN + "until = 2027-01-01\n"], False),
    ],
    ids=["the last rule gone", "the first rule gone", "another unit", "at once", "urgent",
         "another reason", "a new rule", "the first until a day", "the last until a day"],
)  # fmt: skip
def test_change_takes_two_exactly_if_mail_goes_where_it_did_not(
    new: list[str], *, gains: bool
) -> None:
    found = diff_rule_books(a_book(POLICE_FIRST, KNOWN), a_book(*new))

    assert bool(why_two_people(found)) is gains


def test_difference_that_cannot_be_worked_out_or_another_desk_takes_two() -> None:
    book = a_book(POLICE_FIRST, KNOWN)
    found = diff_rule_books(book, a_book(POLICE_ALONE))
    elsewhere = read_rules(
        NAME, a_file(POLICE_FIRST, KNOWN).replace(b'[desk]\nunit = "desk"', b'[desk]\nunit = "bv"')
    )

    assert why_two_people(found) == ()
    assert why_two_people(replace(found, complete=False)) != ()
    (desk,) = why_two_people(diff_rule_books(book, elsewhere))
    assert desk.text(TextLanguage.EN) == "another desk: bv"


def test_book_with_rules_off_takes_one_however_large_the_difference() -> None:
    book = a_book(POLICE_FIRST, KNOWN)
    off = book_with_off(POLICE_FIRST, KNOWN, off="politi")

    assert why_two_people(replace(diff_rule_books(book, off), complete=False)) == ()
