"""Lint of a rule book: finds errors and notes in rules that are each valid by themselves.

What needs an order: two rules that some message on some day fits both, and that send to different
units. One of them must name the other in `before`, directly or by way of others, and stand
earlier in the file. Rules to the same unit need none; differ they in release, lint says so without
refusing. Neither does a rule to "same unit" that stands earlier: the case has its unit
already, and an answer to it is no new matter; standing later, it must be ordered like any other.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations

from inbox.domain import UnitId
from inbox.language import TextLanguage
from inbox.routing.conditions import GROUP_PREFIX
from inbox.routing.phrases import ROUTING_PHRASES
from inbox.routing.regions import is_dead, rules_overlap
from inbox.routing.rule_book import SAME_UNIT, RoutingRule, RuleBook, RuleId
from inbox.strict.phrases import Phrase

_MIN_AT_DESK = 2
"""One who is ill or on leave must not be the only one at the desk."""


@dataclass(frozen=True, kw_only=True)
class RoutingFinding:
    """An error or note for the policy editor."""

    code: str
    rules: tuple[RuleId, ...]
    said: Phrase
    is_error: bool
    """Whether `read_rules` refuses the file for it; never for what time or the directory brings."""
    line: int | None = None
    """Where in the file: where the first of the rules begins."""

    @property
    def text(self) -> str:
        """The text in English."""
        return self.said.text(TextLanguage.EN)

    @property
    def text_with_line(self) -> str:
        """The text in English, preceded by the line number if it is known."""
        return self.text if self.line is None else f"line {self.line}: {self.text}"


def _error(code: str, said: Phrase, *rules: RuleId) -> RoutingFinding:
    return RoutingFinding(code=f"routing.{code}", rules=rules, said=said, is_error=True)


def _note(code: str, said: Phrase, *rules: RuleId, line: int | None = None) -> RoutingFinding:
    return RoutingFinding(code=f"routing.{code}", rules=rules, said=said, is_error=False, line=line)


def find_errors(book: RuleBook) -> tuple[RoutingFinding, ...]:
    """The errors for which `read_rules` refuses a file.

    They depend on the file alone, not on a date or the directory.
    """
    return _with_lines(
        book, (*_before_errors(book), *_dead_rules(book), *_unordered_overlaps(book))
    )


def lint(
    book: RuleBook,
    *,
    on: date,
    units: Collection[UnitId] | None,
    at_desk: int | None = None,
) -> tuple[RoutingFinding, ...]:
    """All findings, errors first.

    `units` are those that mail can be given to on that day, `at_desk` how many people distribute
    at the desk; None: the directory was not asked.
    """
    notes = (
        *_conflicting_releases(book),
        *_expired_rules(book, on),
        *_switched_off(book),
        *_ineffective_exceptions(book),
        *_unused_groups(book),
        *_inactive_units(book, units),
        *_few_at_desk(book, at_desk),
    )
    return (*find_errors(book), *_with_lines(book, notes))


def _with_lines(book: RuleBook, found: Iterable[RoutingFinding]) -> tuple[RoutingFinding, ...]:
    """The same findings, each with the line of its first rule."""
    return tuple(
        replace(one, line=book.line_of_rule(one.rules[0])) if one.rules else one for one in found
    )


def _before_errors(book: RuleBook) -> Iterator[RoutingFinding]:
    place = {rule.id: number for number, rule in enumerate(book.rules)}
    reached = _transitive_before(book)
    for rule in book.rules:
        for other in rule.before:
            if other not in place:
                text = ROUTING_PHRASES("before_unknown", rule=rule.id, other=other)
                yield _error("before_unknown", text, rule.id)
            elif rule.id in reached[other]:
                text = ROUTING_PHRASES("before_cycle", rule=rule.id, other=other)
                yield _error("before_cycle", text, rule.id, other)
            elif place[other] < place[rule.id]:
                text = ROUTING_PHRASES("before_order", rule=rule.id, other=other)
                yield _error("before_order", text, rule.id, other)


def _transitive_before(book: RuleBook) -> Mapping[RuleId, set[RuleId]]:
    """For each rule, all rules that it must precede, directly or indirectly.

    This is the transitive closure of `before`.
    """
    direct = {rule.id: rule.before for rule in book.rules}
    reached: dict[RuleId, set[RuleId]] = {}
    for start, first in direct.items():
        seen, todo = set[RuleId](), list(first)
        while todo:
            other = todo.pop()
            if other not in seen:
                seen.add(other)
                todo += direct.get(other, ())
        reached[start] = seen
    return reached


def _dead_rules(book: RuleBook) -> Iterator[RoutingFinding]:
    for number, rule in enumerate(book.rules):
        if is_dead(rule, ()):
            text = ROUTING_PHRASES("dead_by_itself", rule=rule.id)
            yield _error("dead", text, rule.id)
        elif is_dead(rule, book.rules[:number]):
            text = ROUTING_PHRASES("dead", rule=rule.id)
            yield _error("dead", text, rule.id)


def _unordered(book: RuleBook) -> Iterator[tuple[RoutingRule, RoutingRule]]:
    """The pairs of rules that no `before` orders, the earlier rule first."""
    reached = _transitive_before(book)
    for earlier, later in combinations(book.rules, 2):
        if later.id not in reached[earlier.id] and earlier.id not in reached[later.id]:
            yield earlier, later


def _need_order(earlier: RoutingRule, later: RoutingRule) -> bool:
    """Whether the order decides where a message goes that matches both rules."""
    return earlier.to != later.to and earlier.to is not SAME_UNIT


def _unordered_overlaps(book: RuleBook) -> Iterator[RoutingFinding]:
    for earlier, later in _unordered(book):
        if _need_order(earlier, later) and rules_overlap(earlier, later):
            text = ROUTING_PHRASES(
                "overlap",
                rule=earlier.id,
                unit=str(earlier.to),
                other=later.id,
                other_unit=str(later.to),
            )
            yield _error("overlap", text, earlier.id, later.id)


def _conflicting_releases(book: RuleBook) -> Iterator[RoutingFinding]:
    for earlier, later in _unordered(book):
        alike = earlier.to == later.to and earlier.release is not later.release
        if alike and rules_overlap(earlier, later):
            text = ROUTING_PHRASES(
                "other_release",
                rule=earlier.id,
                release=earlier.release,
                other=later.id,
                other_release=later.release,
            )
            yield _note("other_release", text, earlier.id, later.id)


def _expired_rules(book: RuleBook, on: date) -> Iterator[RoutingFinding]:
    for rule in book.rules:
        if rule.until is not None and rule.until < on:
            text = ROUTING_PHRASES("past", rule=rule.id, day=rule.until.isoformat())
            yield _note("past", text, rule.id)


def _switched_off(book: RuleBook) -> Iterator[RoutingFinding]:
    for rule in book.rules:
        if rule.off:
            text = ROUTING_PHRASES("off", rule=rule.id)
            yield _note("off", text, rule.id)


def _ineffective_exceptions(book: RuleBook) -> Iterator[RoutingFinding]:
    """Exceptions without effect.

    They exclude nothing from the rule, or only what earlier rules already match.

    One that only keeps a rule apart from an earlier one, to another unit, has an effect.
    """
    unordered = list(_unordered(book))
    for number, rule in enumerate(book.rules):
        taken_out = replace(rule, when=(*rule.when, *rule.except_), except_=())
        if not rule.except_ or is_dead(rule, book.rules[:number]):
            continue
        apart = (e for e, later in unordered if later is rule and _need_order(e, rule))
        if is_dead(taken_out, ()):
            text = ROUTING_PHRASES("exception_contradicts", rule=rule.id)
            yield _note("exception", text, rule.id)
        elif is_dead(taken_out, book.rules[:number]) and not any(
            rules_overlap(other, taken_out) for other in apart
        ):
            text = ROUTING_PHRASES("exception_without_effect", rule=rule.id)
            yield _note("exception", text, rule.id)


def _unused_groups(book: RuleBook) -> Iterator[RoutingFinding]:
    written = {word for r in book.rules for c in (*r.when, *r.except_) for word in c.written}
    for name in book.groups:
        if f"{GROUP_PREFIX}{name}" not in written:
            text = ROUTING_PHRASES("group_unused", group=name)
            yield _note("group_unused", text, line=book.line_of("groups", name))


def _few_at_desk(book: RuleBook, people: int | None) -> Iterator[RoutingFinding]:
    if people is not None and people < _MIN_AT_DESK:
        text = ROUTING_PHRASES("desk_people", desk=book.desk, count=people)
        yield _note("desk_people", text, line=book.line_of("desk", "unit"))


def _inactive_units(book: RuleBook, units: Collection[UnitId] | None) -> Iterator[RoutingFinding]:
    if units is None:
        return
    for rule in book.rules:
        if not rule.off and rule.to is not SAME_UNIT and rule.to not in units:
            text = ROUTING_PHRASES("unit_not_living", rule=rule.id, unit=str(rule.to))
            yield _note("unit_not_living", text, rule.id)
    if book.desk not in units:
        text = ROUTING_PHRASES("desk_not_living", desk=book.desk)
        yield _note("desk_not_living", text, line=book.line_of("desk", "unit"))
