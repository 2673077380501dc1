"""What a change of rules moves, against every message of a small world."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.domain import Metadata
from inbox.routing.conditions import VALUE_OF_FIELD, ConditionField, title_words, word_matches
from inbox.routing.diff import diff_rule_books
from inbox.routing.region_cover import Piece, merge_regions
from inbox.routing.regions import ALL_MESSAGES, Region
from inbox.routing.route import route
from inbox.routing.rule_book import RoutingRule
from tests.routing.random_rules import WORLD, book_of, random_rules
from tests.routing.rule_books import POLICE, SCHOOL


def holds(piece: Piece, metadata: Metadata, day: date) -> bool:
    """Whether a message on a day is in a piece, read off word by word."""

    def has(words: Collection[str]) -> bool:
        title = title_words(metadata.public_title or "")
        return any(word_matches(wanted, word) for wanted in words for word in title)

    return (
        all(
            (VALUE_OF_FIELD[field](metadata) in values.values) is values.included
            for field, values in piece.fields.items()
        )
        and all(has(words) for words in piece.any_of)
        and not has(piece.none_of)
        and piece.first <= day <= piece.last
    )


def check(was: tuple[RoutingRule, ...], now: tuple[RoutingRule, ...]) -> None:
    """Every message of the world is in one piece if it goes elsewhere, else in none."""
    one, other = book_of(was), book_of(now)
    found = diff_rule_books(one, other)
    assert found.complete
    for metadata, day in WORLD:
        before, after = route(metadata, one, day), route(metadata, other, day)
        moved = [m for m in found.rerouted for p in m.pieces if holds(p, metadata, day)]
        ways = [r and (r.unit, r.release, r.urgent) for r in (before, after)]
        assert len(moved) == (ways[0] != ways[1])
        for one_move in moved:
            assert one_move.old_rule == (before and before.rule)
            assert one_move.new_rule == (after and after.rule)


@given(was=random_rules(at_most=3), now=random_rules(at_most=3))
@settings(deadline=None, max_examples=8)
def test_routing_diff_has_exactly_the_rerouted_messages_each_once(
    was: tuple[RoutingRule, ...], now: tuple[RoutingRule, ...]
) -> None:
    check(was, now)


@given(rules=random_rules(at_most=5), data=st.data())
@settings(deadline=None, max_examples=8)
def test_routing_diff_of_removed_or_reordered_rules_has_exactly_the_rerouted_messages(
    rules: tuple[RoutingRule, ...], data: st.DataObject
) -> None:
    kept = data.draw(st.permutations(rules))[: data.draw(st.integers(0, len(rules)))]

    check(rules, tuple(kept))
    check(tuple(kept), rules)


@pytest.mark.long
@given(was=random_rules(at_most=5), now=random_rules(at_most=5))
@settings(deadline=None, max_examples=1_000)
def test_routing_diff_has_exactly_the_rerouted_messages_over_many_examples(
    was: tuple[RoutingRule, ...], now: tuple[RoutingRule, ...]
) -> None:
    check(was, now)


def a_region(*having: str, lacking: str = "", sender: str = "", first: int = 1) -> Region:
    return replace(
        ALL_MESSAGES,
        allowed={
            **ALL_MESSAGES.allowed,
            **({ConditionField.SENDER: frozenset({sender})} if sender else {}),
        },
        title_any=tuple(frozenset({word}) for word in having),
        title_none=frozenset(lacking.split()),
        first=date(2026, 1, first),
        last=date(2026, 1, first),
    )


@pytest.mark.parametrize(
    ("one", "other", "pieces"),
    [
        (a_region("klage"), a_region(lacking="klage"), 1),
        (a_region("klage", "skole"), a_region(lacking="klage"), 2),
        (a_region("klage", lacking="skole"), a_region(lacking="klage"), 2),
        (a_region("klage"), a_region(lacking="klage", first=2), 2),
        (a_region(first=1), a_region(first=2), 1),
        (a_region(first=1), a_region(first=3), 2),
        (a_region(sender=POLICE), a_region(sender=SCHOOL), 1),
        (a_region(sender=POLICE), a_region(sender=SCHOOL, first=2), 2),
    ],
)
def test_region_pieces_are_joined_only_when_adjacent(
    one: Region, other: Region, pieces: int
) -> None:
    assert len(merge_regions([one, other])) == pieces
    assert len(merge_regions([other, one])) == pieces
