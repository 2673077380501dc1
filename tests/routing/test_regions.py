"""Overlap and death, against every message of a small world."""

from itertools import product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from inbox.routing.conditions import ConditionField, RuleCondition
from inbox.routing.regions import is_dead, rules_overlap
from inbox.routing.route import evaluate_rule, route
from inbox.routing.rule_book import Release, RoutingRule, RuleId
from tests.routing.random_rules import WORLD, book_of, random_rules
from tests.routing.rule_books import BV, POLICE


def matched_by(rule: RoutingRule) -> frozenset[int]:
    return frozenset(n for n, (m, day) in enumerate(WORLD) if evaluate_rule(rule, m, day).matched)


@given(rules=random_rules(at_most=2))
@settings(deadline=None, max_examples=30)
def test_rules_overlap_exactly_when_some_message_fits_both_rules(
    rules: tuple[RoutingRule, ...],
) -> None:
    one, other = rules[0], rules[-1]

    assert rules_overlap(one, other) is bool(matched_by(one) & matched_by(other))
    assert rules_overlap(one, other) is rules_overlap(other, one)


@given(rules=random_rules())
@settings(deadline=None, max_examples=30)
def test_rule_is_dead_exactly_when_earlier_rules_match_all_its_messages(
    rules: tuple[RoutingRule, ...],
) -> None:
    *earlier, last = rules
    taken = frozenset[int]().union(*(matched_by(rule) for rule in earlier))

    assert is_dead(last, earlier) is (matched_by(last) <= taken)


@given(rules=random_rules(), data=st.data())
@settings(deadline=None, max_examples=25)
def test_order_of_disjoint_rules_does_not_change_any_route(
    rules: tuple[RoutingRule, ...], data: st.DataObject
) -> None:
    apart: list[RoutingRule] = []
    for rule in rules:
        if not any(rules_overlap(rule, other) for other in apart):
            apart.append(rule)
    assume(len(apart) > 1)
    book, shuffled = book_of(apart), book_of(data.draw(st.permutations(apart)))

    sample = data.draw(st.lists(st.sampled_from(WORLD), min_size=30, max_size=30))

    assert [route(m, book, d) for m, d in sample] == [route(m, shuffled, d) for m, d in sample]


@given(rules=random_rules(), data=st.data())
@settings(deadline=None, max_examples=25)
def test_rule_added_last_does_not_change_existing_routes(
    rules: tuple[RoutingRule, ...], data: st.DataObject
) -> None:
    before, after = book_of(rules[:-1]), book_of(rules)

    for metadata, day in data.draw(st.lists(st.sampled_from(WORLD), min_size=30, max_size=30)):
        found = route(metadata, before, day)
        if found is not None:
            assert route(metadata, after, day) == found


def a_rule(id_: str, **values: str) -> RoutingRule:
    return RoutingRule(
        id=RuleId(id_),
        because="Fordi",
        when=tuple(
            RuleCondition(field=ConditionField(field), written=(value,), values=frozenset({value}))
            for field, value in values.items()
        ),
        to=BV,
        release=Release.BY_A_PERSON,
    )


def test_rule_is_assumed_alive_when_the_dead_rule_search_exceeds_its_limit() -> None:
    known, unknown = a_rule("k", sender_known="true"), a_rule("u", sender_known="false")
    many = [a_rule(f"r{n}", public_title_has=f"ord{n}", channel=f"k{n}") for n in range(20)]
    last = a_rule("sist", sender=POLICE)
    narrow = [
        a_rule(f"{rule.id}{n}", sender=POLICE, service=service, sender_known=known)
        for rule in many[:1]
        for n, (service, known) in enumerate(product(("DPO", "DPF", "DPV"), ("true", "false")))
    ]

    assert is_dead(last, [*many, known, unknown])
    assert is_dead(last, [*many[:2], *narrow])
    assert not is_dead(last, [*many, *narrow])
