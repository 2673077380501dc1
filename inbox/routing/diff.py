"""Says which messages would go elsewhere by other rules, exactly, whatever mail there has been.

What both rule books have, in the same order, cannot move anything by itself. So only what some
other rule matches is looked at: cut up by who matches it first here, and who there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from inbox.routing.region_cover import Piece, joined
from inbox.routing.regions import EVERYTHING, Region, beside, overlaps, within
from inbox.routing.rule_book import Release, Rule, RuleBook, RuleId, UnitRef

MAX_STEPS = 3_000
"""After so many pieces the comparison is given up, and says so."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """What becomes of a message: where it goes, whether a person releases it, and how soon."""

    to: UnitRef
    release: Release
    urgent: bool


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Messages that go one way by a rule of the one book, another by a rule of the other.

    No rule, and no way, where a person must place them.
    """

    was: RuleId | None
    now: RuleId | None
    was_way: Way | None
    now_way: Way | None
    where: tuple[Piece, ...]


@dataclass(frozen=True, kw_only=True)
class Diff:
    """All messages that are routed differently.

    Nothing, and complete, means that no message at all does.
    """

    was: RuleBook
    now: RuleBook
    moved: tuple[Moved, ...]
    complete: bool

    @property
    def found(self) -> bool:
        """Whether anything goes elsewhere, or may: also what no rule takes, at another desk."""
        return bool(self.moved) or not self.complete or self.was.desk != self.now.desk


def diff(was: RuleBook, now: RuleBook) -> Diff:
    """What the change from one book to the other moves; both are of one organisation."""
    found: dict[tuple[RuleId | None, RuleId | None], list[Region]] = {}
    rules = {(id(book), rule.id): rule for book in (was, now) for rule in book.rules}
    complete = True
    try:
        for one, other, region in _divided(was, now, iter(range(MAX_STEPS))):
            if _way(one) != _way(other):
                key = (None if one is None else one.id, None if other is None else other.id)
                found.setdefault(key, []).append(region)
    except _TooManyPieces:
        complete = False
    moved = tuple(
        Moved(
            was=one,
            now=other,
            was_way=_way(None if one is None else rules[id(was), one]),
            now_way=_way(None if other is None else rules[id(now), other]),
            where=joined(regions),
        )
        for (one, other), regions in found.items()
    )
    return Diff(was=was, now=now, moved=moved, complete=complete)


def _way(rule: Rule | None) -> Way | None:
    return None if rule is None else Way(to=rule.to, release=rule.release, urgent=rule.urgent)


class _TooManyPieces(Exception):
    """The step limit of a comparison was exceeded."""


_Budget = Iterator[int]


def _spend(budget: _Budget) -> None:
    if next(budget, None) is None:
        raise _TooManyPieces


def _divided(
    was: RuleBook, now: RuleBook, budget: _Budget
) -> Iterator[tuple[Rule | None, Rule | None, Region]]:
    """Disjoint regions, each with the first rule of each book that matches it."""
    others = _not_common(was.rules, now.rules)
    for number, rule in enumerate(others):
        for region in within(EVERYTHING, rule):
            for touched in _left_by(region, others[:number], budget):
                for one, part in _first_matches(touched, was.rules, budget):
                    for other, piece in _first_matches(part, now.rules, budget):
                        yield one, other, piece


def _not_common(was: Sequence[Rule], now: Sequence[Rule]) -> list[Rule]:
    one, other = [_meaning(rule) for rule in was], [_meaning(rule) for rule in now]
    changed = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag != "equal":
            changed += [*was[i1:i2], *now[j1:j2]]
    return changed


def _meaning(rule: Rule) -> tuple[object, ...]:
    """Everything that decides in a rule, without its id and its wording."""
    conditions = (
        frozenset((condition.field, condition.values) for condition in part)
        for part in (rule.when, rule.except_)
    )
    return (*conditions, _way(rule), rule.from_, rule.until)


def _left_by(region: Region, rules: Sequence[Rule], budget: _Budget) -> Iterator[Region]:
    """The part of the region that none of the rules matches."""
    return (part for rule, part in _first_matches(region, rules, budget) if rule is None)


def _first_matches(
    region: Region, rules: Sequence[Rule], budget: _Budget
) -> Iterator[tuple[Rule | None, Region]]:
    """The region in pieces, each with the first rule that matches it; None where none does.

    Depth first, so that few pieces are held at a time however many there are.
    """
    todo = [(region, 0)]
    while todo:
        _spend(budget)
        piece, number = todo.pop()
        while number < len(rules) and not overlaps(piece, rules[number]):
            number += 1
        if number == len(rules):
            yield None, piece
            continue
        rule = rules[number]
        yield from ((rule, part) for part in within(piece, rule))
        todo += [(rest, number + 1) for rest in beside(piece, rule)]
