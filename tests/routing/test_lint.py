"""What is found in rules that can each be read."""

import pytest

from inbox.domain import UnitId
from inbox.routing.lint import RoutingFinding, lint
from tests.routing.books import TODAY, a_book, a_draft, rule, the_book

POLICE = '{ sender = "group:politi" }'
TITLE = '{ public_title_has = "klage" }'


def found(
    *rules: str, units: set[UnitId] | None = None, at_desk: int | None = None
) -> list[RoutingFinding]:
    """What lint finds, but for the groups of these tests: no rule needs to use them."""
    everything = lint(a_draft(*rules), on=TODAY, units=units, at_desk=at_desk)
    return [one for one in everything if one.code != "routing.group_unused"]


def codes(*rules: str, units: set[UnitId] | None = None) -> list[tuple[str, tuple[str, ...]]]:
    return [(f.code.removeprefix("routing."), f.rules) for f in found(*rules, units=units)]


def test_rules_that_cannot_meet_need_no_order() -> None:
    assert codes(rule("en", POLICE), rule("to", '{ sender = "group:skoler" }', to="ppt")) == []


def test_rules_to_different_units_that_can_meet_need_an_order() -> None:
    assert codes(rule("en", POLICE), rule("to", TITLE, to="ppt")) == [("overlap", ("en", "to"))]


def test_before_orders_them() -> None:
    assert codes(rule("en", POLICE, more='before = ["to"]'), rule("to", TITLE, to="ppt")) == []


def test_before_reaches_by_way_of_others() -> None:
    assert (
        codes(
            rule("en", POLICE, more='before = ["to"]'),
            rule("to", TITLE, to="ppt", more='before = ["tre"]'),
            rule("tre", '{ channel = "altinn" }', to="desk"),
        )
        == []
    )


def test_rules_to_one_unit_need_no_order() -> None:
    assert codes(rule("en", POLICE), rule("to", TITLE)) == []


def test_rules_to_one_unit_that_release_differently_are_noted() -> None:
    noted = found(rule("en", POLICE), rule("to", TITLE, release="at once"))

    assert [(f.code, f.rules, f.is_error) for f in noted] == [
        ("routing.other_release", ("en", "to"), False)
    ]


def test_an_answer_to_a_case_needs_no_order_when_it_stands_first() -> None:
    answer = rule("svar", "{ known_reference = true }", to="same unit")

    assert codes(answer, rule("en", POLICE)) == []
    assert codes(rule("en", POLICE), answer) == [("overlap", ("en", "svar"))]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("from = 2027-01-01\nuntil = 2027-03-31", "from = 2027-04-01"),
        ("except = { public_title_has = 'klage' }", ""),
        ("except = { public_title_has = 'klage-' }", ""),
        ("", "except = { sender = 'group:politi' }"),
        ("", "except = { sender = ['group:politi', 'group:skoler'] }"),
    ],
)
def test_periods_and_exceptions_keep_rules_apart(one: str, other: str) -> None:
    assert codes(rule("en", POLICE, more=one), rule("to", TITLE, to="ppt", more=other)) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("from = 2027-01-01\nuntil = 2027-03-31", "from = 2027-03-31"),
        ("except = { public_title_has = 'sak' }", ""),
        ("except = { public_title_has = 'klage', service = 'DPV' }", ""),
        ("", "except = { sender = '312100010' }"),
    ],
)
def test_periods_and_exceptions_may_leave_something_in_common(one: str, other: str) -> None:
    assert codes(rule("en", POLICE, more=one), rule("to", TITLE, to="ppt", more=other)) == [
        ("overlap", ("en", "to"))
    ]


@pytest.mark.parametrize(
    "rules",
    [
        [POLICE, '{ sender = "312100010" }'],
        ["{ sender_known = true }", "{ sender_known = false }", POLICE],
        ['{ service = ["DPO", "DPF"] }', '{ service = "DPV", channel = "altinn" }',
         '{ service = "DPV", channel = "altinn", sender_known = true }'],
        ['{ public_title_has = "klage-" }', '{ public_title_has = ["klage", "klagesak"] }'],
        ['{ public_title_has = ["klage", "sak"] }', TITLE],
    ],
)  # fmt: skip
def test_a_rule_with_nothing_left_is_dead(rules: list[str]) -> None:
    texts = [rule(f"r{n}", when) for n, when in enumerate(rules)]

    assert codes(*texts) == [("dead", (f"r{len(rules) - 1}",))]


@pytest.mark.parametrize(
    "rules",
    [
        ['{ sender = "312100010" }', POLICE],
        ['{ service = ["DPO", "DPF"] }', '{ channel = "altinn" }'],
        ['{ public_title_has = "klagesak" }', '{ public_title_has = "klage-" }'],
        [TITLE, '{ public_title_has = ["klage", "sak"] }'],
        ['{ service = "DPO", channel = "altinn" }', '{ channel = "altinn" }'],
    ],
)
def test_a_rule_with_something_left_is_alive(rules: list[str]) -> None:
    assert codes(*(rule(f"r{n}", when) for n, when in enumerate(rules))) == []


def test_a_rule_that_takes_it_all_for_a_time_kills_nothing() -> None:
    assert codes(rule("en", POLICE, more="until = 2027-01-01"), rule("to", POLICE)) == []


def test_a_single_day_that_is_left_keeps_a_rule_alive() -> None:
    day = "from = 2027-01-02\nuntil = 2027-01-02"

    for around in ("until = 2027-01-01", "from = 2027-01-03"):
        assert codes(rule("en", POLICE, more=around), rule("to", POLICE, more=day)) == []
    assert (
        codes(
            rule("en", POLICE, more="until = 2027-01-01"),
            rule("to", POLICE, more="from = 2027-01-03"),
            rule("tre", POLICE, more="from = 2027-01-01\nuntil = 2027-01-03"),
        )
        == []
    )


def test_periods_that_together_cover_a_third_kill_it() -> None:
    assert codes(
        rule("en", POLICE, more="until = 2027-01-01"),
        rule("to", POLICE, more="from = 2027-01-02"),
        rule("tre", POLICE, more="from = 2026-06-01"),
    ) == [("dead", ("tre",))]


def test_what_an_earlier_rule_excepts_is_left_for_a_later_one() -> None:
    assert codes(rule("en", POLICE, more='except = { service = "DPF" }'), rule("to", POLICE)) == []


@pytest.mark.parametrize(
    "more",
    [
        'except = { sender = "group:politi" }',
        'except = { service = ["DPO", "DPF", "DPV"] }',
    ],
)
def test_a_rule_that_contradicts_itself_is_dead(more: str) -> None:
    assert codes(rule("en", POLICE, more=more)) == [("dead", ("en",))]


def test_before_names_rules_that_exist() -> None:
    assert codes(rule("en", POLICE, more='before = ["borte"]')) == [("before_unknown", ("en",))]


def test_before_may_not_contradict_the_order_of_the_file() -> None:
    assert codes(rule("en", POLICE), rule("to", TITLE, to="ppt", more='before = ["en"]')) == [
        ("before_order", ("to", "en"))
    ]


def test_before_may_not_go_in_a_circle() -> None:
    assert codes(
        rule("en", POLICE, more='before = ["to"]'), rule("to", TITLE, more='before = ["en"]')
    ) == [("before_cycle", ("en", "to")), ("before_cycle", ("to", "en"))]


def test_a_rule_is_not_before_itself() -> None:
    assert codes(rule("en", POLICE, more='before = ["en"]')) == [("before_cycle", ("en", "en"))]


def test_a_rule_that_is_past_is_noted_and_still_read() -> None:
    past = rule("en", POLICE, more="until = 2026-11-23")

    assert [(f.code, f.is_error) for f in found(past)] == [("routing.past", False)]
    assert a_book(past).rules
    assert codes(rule("en", POLICE, more="until = 2026-11-24")) == []


def test_units_that_do_not_live_are_noted_where_the_living_are_known() -> None:
    rules = (
        rule("svar", "{ known_reference = true }", to="same unit"),
        rule("en", POLICE),
    )

    assert codes(*rules, units={UnitId("ppt")}) == [
        ("unit_not_living", ("en",)),
        ("desk_not_living", ()),
    ]
    assert codes(*rules, units={UnitId("bv"), UnitId("desk")}) == []


@pytest.mark.parametrize(
    ("rules", "where"),
    [
        ([rule("en", POLICE, more='except = { sender = "group:skoler" }')], "motsier regelen"),
        ([rule("en", TITLE, more='except = { known_reference = true, service = "DPO" }')], None),
        (
            [
                rule("en", '{ service = "DPF" }'),
                rule("to", POLICE, more='except = { service = "DPF" }'),
            ],
            "regler over tar alt",
        ),
        (
            [
                rule("skole", '{ sender = "group:skoler" }', to="ppt", more='before = ["en"]'),
                rule("en", '{ service = "DPF" }'),
                rule("to", POLICE, more='except = { service = "DPF" }'),
            ],
            "regler over tar alt",
        ),
        (
            [
                rule("en", '{ service = "DPF" }', to="ppt"),
                rule("to", POLICE, more='except = { service = "DPF" }'),
            ],
            None,
        ),
        (
            [
                rule("en", '{ service = "DPF" }', to="ppt", more='before = ["to"]'),
                rule("to", POLICE, more='except = { service = "DPF" }'),
            ],
            "regler over tar alt",
        ),
        (
            [
                rule("en", '{ service = "DPF" }', more="until = 2026-12-31"),
                rule("to", POLICE, more='except = { service = "DPF" }'),
            ],
            None,
        ),
    ],
)
def test_an_exception_that_takes_nothing_out_is_noted(rules: list[str], where: str | None) -> None:
    noted = [f for f in found(*rules) if f.code == "routing.exception"]

    assert [where in f.text for f in noted if where] == ([True] if where else [])
    assert len(noted) == (where is not None)
    assert not any(f.is_error for f in noted)


def test_a_dead_rule_is_said_to_be_dead_and_not_also_to_have_a_dead_exception() -> None:
    assert codes(
        rule("en", POLICE), rule("to", POLICE, more='except = { sender = "group:skoler" }')
    ) == [("dead", ("to",))]


def test_a_group_that_no_rule_uses_is_noted_with_its_line() -> None:
    noted = lint(
        a_book(rule("en", '{ channel = "a" }', more='except = { sender = "group:skoler" }')),
        on=TODAY,
        units=None,
    )

    assert [(f.code, f.line, f.is_error) for f in noted] == [("routing.group_unused", 3, False)]
    assert "«politi»" in noted[0].text


@pytest.mark.parametrize(
    ("people", "noted"), [(None, []), (0, ["desk_people"]), (1, ["desk_people"]), (2, [])]
)
def test_a_desk_needs_two_people(people: int | None, noted: list[str]) -> None:
    told = found(rule("en", POLICE), at_desk=people)

    assert [f.code.removeprefix("routing.") for f in told] == noted
    assert [f.line for f in told] == [10 for _ in noted]


def test_what_is_found_is_told_with_the_line_of_the_first_rule_it_is_about() -> None:
    (one,) = found(rule("en", POLICE), rule("to", TITLE, to="ppt"))

    assert one.line == 12
    assert one.text_with_line.startswith("linje 12: en melding kan passe både")


def test_our_own_rules_have_nothing_to_remark() -> None:
    book = the_book()

    assert len(book.rules) == 10
    assert lint(book, on=TODAY, units=set(book.units)) == ()
