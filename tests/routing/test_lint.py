"""What is found in rules that can each be read."""

import pytest

from inbox.domain import UnitId
from inbox.routing.lint import RoutingFinding, lint
from tests.routing.rule_books import TODAY, a_book, a_draft, rule, the_book

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


def test_lint_requires_no_order_for_disjoint_rules() -> None:
    assert codes(rule("en", POLICE), rule("to", '{ sender = "group:skoler" }', to="ppt")) == []


def test_lint_reports_unordered_overlapping_rules_to_different_units() -> None:
    assert codes(rule("en", POLICE), rule("to", TITLE, to="ppt")) == [("overlap", ("en", "to"))]


def test_lint_accepts_overlapping_rules_ordered_by_before() -> None:
    assert codes(rule("en", POLICE, more='before = ["to"]'), rule("to", TITLE, to="ppt")) == []


def test_lint_follows_before_through_other_rules() -> None:
    assert (
        codes(
            rule("en", POLICE, more='before = ["to"]'),
            rule("to", TITLE, to="ppt", more='before = ["tre"]'),
            rule("tre", '{ channel = "altinn" }', to="desk"),
        )
        == []
    )


def test_lint_requires_no_order_for_rules_to_one_unit() -> None:
    assert codes(rule("en", POLICE), rule("to", TITLE)) == []


def test_lint_notes_overlapping_rules_to_one_unit_that_release_differently() -> None:
    noted = found(rule("en", POLICE), rule("to", TITLE, release="at once"))

    assert [(f.code, f.rules, f.is_error) for f in noted] == [
        ("routing.other_release", ("en", "to"), False)
    ]


def test_lint_requires_no_order_for_a_same_unit_rule_in_first_place() -> None:
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
def test_lint_finds_no_overlap_when_periods_or_exceptions_separate_rules(
    one: str, other: str
) -> None:
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
def test_lint_finds_the_overlap_left_by_periods_and_exceptions(one: str, other: str) -> None:
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
def test_lint_reports_a_rule_covered_by_earlier_rules_as_dead(rules: list[str]) -> None:
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
def test_lint_reports_no_dead_rule_when_earlier_rules_leave_messages(rules: list[str]) -> None:
    assert codes(*(rule(f"r{n}", when) for n, when in enumerate(rules))) == []


def test_lint_reports_no_dead_rule_when_the_covering_rule_expires() -> None:
    assert codes(rule("en", POLICE, more="until = 2027-01-01"), rule("to", POLICE)) == []


def test_lint_reports_no_dead_rule_when_a_single_day_is_left() -> None:
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


def test_lint_reports_a_rule_dead_when_earlier_periods_together_cover_its_period() -> None:
    assert codes(
        rule("en", POLICE, more="until = 2027-01-01"),
        rule("to", POLICE, more="from = 2027-01-02"),
        rule("tre", POLICE, more="from = 2026-06-01"),
    ) == [("dead", ("tre",))]


def test_lint_leaves_messages_excepted_by_an_earlier_rule_to_a_later_rule() -> None:
    assert codes(rule("en", POLICE, more='except = { service = "DPF" }'), rule("to", POLICE)) == []


@pytest.mark.parametrize(
    "more",
    [
        'except = { sender = "group:politi" }',
        'except = { service = ["DPO", "DPF", "DPV"] }',
    ],
)
def test_lint_reports_a_self_contradicting_rule_as_dead(more: str) -> None:
    assert codes(rule("en", POLICE, more=more)) == [("dead", ("en",))]


def test_lint_reports_an_unknown_rule_in_before() -> None:
    assert codes(rule("en", POLICE, more='before = ["borte"]')) == [("before_unknown", ("en",))]


def test_lint_reports_before_that_contradicts_the_file_order() -> None:
    assert codes(rule("en", POLICE), rule("to", TITLE, to="ppt", more='before = ["en"]')) == [
        ("before_order", ("to", "en"))
    ]


def test_lint_reports_a_cycle_in_before() -> None:
    assert codes(
        rule("en", POLICE, more='before = ["to"]'), rule("to", TITLE, more='before = ["en"]')
    ) == [("before_cycle", ("en", "to")), ("before_cycle", ("to", "en"))]


def test_lint_reports_a_rule_that_is_before_itself() -> None:
    assert codes(rule("en", POLICE, more='before = ["en"]')) == [("before_cycle", ("en", "en"))]


def test_lint_notes_an_expired_rule_without_refusing_the_book() -> None:
    past = rule("en", POLICE, more="until = 2026-11-23")

    assert [(f.code, f.is_error) for f in found(past)] == [("routing.past", False)]
    assert a_book(past).rules
    assert codes(rule("en", POLICE, more="until = 2026-11-24")) == []


def test_lint_notes_inactive_units_when_the_active_units_are_given() -> None:
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
        ([rule("en", POLICE, more='except = { sender = "group:skoler" }')], "contradicts the rule"),
        ([rule("en", TITLE, more='except = { known_reference = true, service = "DPO" }')], None),
        (
            [
                rule("en", '{ service = "DPF" }'),
                rule("to", POLICE, more='except = { service = "DPF" }'),
            ],
            "earlier rules match everything",
        ),
        (
            [
                rule("skole", '{ sender = "group:skoler" }', to="ppt", more='before = ["en"]'),
                rule("en", '{ service = "DPF" }'),
                rule("to", POLICE, more='except = { service = "DPF" }'),
            ],
            "earlier rules match everything",
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
            "earlier rules match everything",
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
def test_lint_notes_an_exception_without_effect(rules: list[str], where: str | None) -> None:
    noted = [f for f in found(*rules) if f.code == "routing.exception"]

    assert [where in f.text for f in noted if where] == ([True] if where else [])
    assert len(noted) == (where is not None)
    assert not any(f.is_error for f in noted)


def test_lint_reports_a_dead_rule_without_also_noting_its_exception() -> None:
    assert codes(
        rule("en", POLICE), rule("to", POLICE, more='except = { sender = "group:skoler" }')
    ) == [("dead", ("to",))]


def test_lint_notes_an_unused_group_with_its_line() -> None:
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
def test_lint_notes_a_desk_with_fewer_than_two_people(people: int | None, noted: list[str]) -> None:
    told = found(rule("en", POLICE), at_desk=people)

    assert [f.code.removeprefix("routing.") for f in told] == noted
    assert [f.line for f in told] == [10 for _ in noted]


def test_lint_finding_has_the_line_of_its_first_rule() -> None:
    (one,) = found(rule("en", POLICE), rule("to", TITLE, to="ppt"))

    assert one.line == 12
    assert one.text_with_line.startswith("line 12: a message can match both")


def test_lint_finds_nothing_in_the_shipped_rules() -> None:
    book = the_book()

    assert len(book.rules) == 10
    assert lint(book, on=TODAY, units=set(book.units)) == ()
