"""The exact difference between two rule books.

It says which messages would be routed elsewhere, independently of past mail.

What both rule books have, in the same order, cannot move anything by itself. So only what some
other rule matches is looked at: cut up by who matches it first here, and who there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from inbox.routing.region_cover import Piece, merge_regions
from inbox.routing.regions import ALL_MESSAGES, Region, difference, intersection, intersects
from inbox.routing.rule_book import Release, RoutingRule, RuleBook, RuleId, RuleTarget

MAX_STEPS = 3_000
"""After so many pieces the comparison is given up, and says so."""


@dataclass(frozen=True, kw_only=True)
class Destination:
    """The destination of a message.

    It consists of the unit, whether a person must release the message, and whether it is urgent.
    """

    to: RuleTarget
    release: Release
    urgent: bool


@dataclass(frozen=True, kw_only=True)
class Rerouted:
    """Messages that the two books route differently, each book by one rule.

    One rule of the old book routes them one way, and another rule of the new book another way.

    No rule where none matches; no destination where a person must place them.
    """

    old_rule: RuleId | None
    new_rule: RuleId | None
    old_destination: Destination | None
    new_destination: Destination | None
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, kw_only=True)
class RoutingDiff:
    """All messages that are routed differently.

    Nothing, and complete, means that no message at all does.
    """

    old_book: RuleBook
    new_book: RuleBook
    rerouted: tuple[Rerouted, ...]
    complete: bool

    @property
    def has_changes(self) -> bool:
        """Whether any message is, or may be, routed differently.

        This includes another desk for mail that no rule matches.
        """
        return bool(self.rerouted) or not self.complete or self.old_book.desk != self.new_book.desk


def diff_rule_books(was: RuleBook, now: RuleBook) -> RoutingDiff:
    """The messages that the change from one book to the other routes differently.

    Both books are of one organisation.
    """
    found: dict[tuple[RuleId | None, RuleId | None], list[Region]] = {}
    rules = {(id(book), rule.id): rule for book in (was, now) for rule in book.rules}
    complete = True
    try:
        for one, other, region in _partition(was, now, iter(range(MAX_STEPS))):
            if _destination_of(one) != _destination_of(other):
                key = (None if one is None else one.id, None if other is None else other.id)
                found.setdefault(key, []).append(region)
    except _TooManyPieces:
        complete = False
    moved = tuple(
        Rerouted(
            old_rule=one,
            new_rule=other,
            old_destination=_destination_of(None if one is None else rules[id(was), one]),
            new_destination=_destination_of(None if other is None else rules[id(now), other]),
            pieces=merge_regions(regions),
        )
        for (one, other), regions in found.items()
    )
    return RoutingDiff(old_book=was, new_book=now, rerouted=moved, complete=complete)


def _destination_of(rule: RoutingRule | None) -> Destination | None:
    """Nowhere by itself, if no rule matches or the one that does is switched off."""
    if rule is None or rule.off:
        return None
    return Destination(to=rule.to, release=rule.release, urgent=rule.urgent)


class _TooManyPieces(Exception):
    """The step limit of a comparison was exceeded."""


_Budget = Iterator[int]


def _spend(budget: _Budget) -> None:
    if next(budget, None) is None:
        raise _TooManyPieces


def _partition(
    was: RuleBook, now: RuleBook, budget: _Budget
) -> Iterator[tuple[RoutingRule | None, RoutingRule | None, Region]]:
    """Disjoint regions, each with the first rule of each book that matches it."""
    others = _rules_not_in_both(was.rules, now.rules)
    for number, rule in enumerate(others):
        for region in intersection(ALL_MESSAGES, rule):
            for touched in _unmatched_part(region, others[:number], budget):
                for one, part in _first_matches(touched, was.rules, budget):
                    for other, piece in _first_matches(part, now.rules, budget):
                        yield one, other, piece


def _rules_not_in_both(was: Sequence[RoutingRule], now: Sequence[RoutingRule]) -> list[RoutingRule]:
    one, other = [_rule_semantics(rule) for rule in was], [_rule_semantics(rule) for rule in now]
    changed = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag != "equal":
            changed += [*was[i1:i2], *now[j1:j2]]
    return changed


def _rule_semantics(rule: RoutingRule) -> tuple[object, ...]:
    """Everything that decides in a rule, without its id and its wording."""
    conditions = (
        frozenset((condition.field, condition.values) for condition in part)
        for part in (rule.when, rule.except_)
    )
    return (*conditions, _destination_of(rule), rule.from_, rule.until)


def _unmatched_part(
    region: Region, rules: Sequence[RoutingRule], budget: _Budget
) -> Iterator[Region]:
    """The part of the region that none of the rules matches."""
    return (part for rule, part in _first_matches(region, rules, budget) if rule is None)


def _first_matches(
    region: Region, rules: Sequence[RoutingRule], budget: _Budget
) -> Iterator[tuple[RoutingRule | None, Region]]:
    """The region divided into pieces, each with the first rule that matches it.

    The rule is None if no rule matches the piece.

    Depth first, so that few pieces are held at a time however many there are.
    """
    todo = [(region, 0)]
    while todo:
        _spend(budget)
        piece, number = todo.pop()
        while number < len(rules) and not intersects(piece, rules[number]):
            number += 1
        if number == len(rules):
            yield None, piece
            continue
        rule = rules[number]
        yield from ((rule, part) for part in intersection(piece, rule))
        todo += [(rest, number + 1) for rest in difference(piece, rule)]
