"""What a change of rules moves, against every message of a small world."""

from collections.abc import Collection
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.message import Metadata
from inbox.routing.book import Rule
from inbox.routing.conditions import SEEN, word_fits, words_of
from inbox.routing.diff import diff
from inbox.routing.pieces import Piece
from inbox.routing.route import route
from tests.routing.test_regions import WORLD, book_of, some_rules


def holds(piece: Piece, metadata: Metadata, day: date) -> bool:
    """Whether a message on a day is in a piece, read off word by word."""

    def has(words: Collection[str]) -> bool:
        title = words_of(metadata.public_title or "")
        return any(word_fits(wanted, word) for wanted in words for word in title)

    return (
        all(
            (SEEN[field](metadata) in values.values) is values.among
            for field, values in piece.fields.items()
        )
        and all(has(words) for words in piece.any_of)
        and not has(piece.none_of)
        and piece.first <= day <= piece.last
    )


def check(was: tuple[Rule, ...], now: tuple[Rule, ...]) -> None:
    """Every message of the world is in one piece if it goes elsewhere, else in none."""
    one, other = book_of(was), book_of(now)
    found = diff(one, other)
    assert found.complete
    for metadata, day in WORLD:
        before, after = route(metadata, one, day), route(metadata, other, day)
        moved = [m for m in found.moved for p in m.where if holds(p, metadata, day)]
        ways = [r and (r.unit, r.release, r.urgent) for r in (before, after)]
        assert len(moved) == (ways[0] != ways[1])
        for one_move in moved:
            assert one_move.was == (before and before.rule)
            assert one_move.now == (after and after.rule)


@given(was=some_rules(at_most=3), now=some_rules(at_most=3))
@settings(deadline=None, max_examples=8)
def test_a_diff_has_every_message_that_goes_elsewhere_once_and_no_other(
    was: tuple[Rule, ...], now: tuple[Rule, ...]
) -> None:
    check(was, now)


@given(rules=some_rules(at_most=5), data=st.data())
@settings(deadline=None, max_examples=8)
def test_a_rule_taken_out_or_moved_is_told_by_what_it_moves(
    rules: tuple[Rule, ...], data: st.DataObject
) -> None:
    kept = data.draw(st.permutations(rules))[: data.draw(st.integers(0, len(rules)))]

    check(rules, tuple(kept))
    check(tuple(kept), rules)


@pytest.mark.long
@given(was=some_rules(at_most=5), now=some_rules(at_most=5))
@settings(deadline=None, max_examples=1_000)
def test_many_diffs_have_every_message_that_goes_elsewhere_once(
    was: tuple[Rule, ...], now: tuple[Rule, ...]
) -> None:
    check(was, now)
