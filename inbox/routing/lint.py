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
from inbox.routing.conditions import GROUP
from inbox.routing.regions import is_dead, overlap
from inbox.routing.rule_book import SAME_UNIT, Rule, RuleBook, RuleId

_ENOUGH = 2
"""One who is ill or on leave must not be the only one at the desk."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """An error or note for the policy editor."""

    code: str
    rules: tuple[RuleId, ...]
    text: str
    refused: bool
    """Whether `read_rules` refuses the file for it; never for what time or the directory brings."""
    line: int | None = None
    """Where in the file: where the first of the rules begins."""

    @property
    def told(self) -> str:
        """The text, preceded by the line number if it is known."""
        return self.text if self.line is None else f"linje {self.line}: {self.text}"


def _refused(code: str, text: str, *rules: RuleId) -> Finding:
    return Finding(code=f"routing.{code}", rules=rules, text=text, refused=True)


def _noted(code: str, text: str, *rules: RuleId, line: int | None = None) -> Finding:
    return Finding(code=f"routing.{code}", rules=rules, text=text, refused=False, line=line)


def errors(book: RuleBook) -> tuple[Finding, ...]:
    """What `read_rules` refuses: depends on the file alone, on no date and no directory."""
    return _placed(book, (*_before(book), *_dead(book), *_overlaps(book)))


def lint(
    book: RuleBook,
    *,
    on: date,
    units: Collection[UnitId] | None,
    at_desk: int | None = None,
) -> tuple[Finding, ...]:
    """All findings, errors first.

    `units` are those that mail can be given to on that day, `at_desk` how many people distribute
    at the desk; None: the directory was not asked.
    """
    notes = (
        *_other_release(book),
        *_past(book, on),
        *_without_effect(book),
        *_unused(book),
        *_not_living(book, units),
        *_few_at_desk(book, at_desk),
    )
    return (*errors(book), *_placed(book, notes))


def _placed(book: RuleBook, found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The same findings, each with the line of its first rule."""
    return tuple(
        replace(one, line=book.line_of_rule(one.rules[0])) if one.rules else one for one in found
    )


def _before(book: RuleBook) -> Iterator[Finding]:
    place = {rule.id: number for number, rule in enumerate(book.rules)}
    reached = _reached(book)
    for rule in book.rules:
        for other in rule.before:
            if other not in place:
                text = f"regel «{rule.id}» skal stå foran «{other}», som ikke finnes"
                yield _refused("before_unknown", text, rule.id)
            elif rule.id in reached[other]:
                text = f"reglene «{rule.id}» og «{other}» skal stå foran hverandre"
                yield _refused("before_cycle", text, rule.id, other)
            elif place[other] < place[rule.id]:
                text = f"regel «{rule.id}» skal stå foran «{other}», men står etter den i filen"
                yield _refused("before_order", text, rule.id, other)


def _reached(book: RuleBook) -> Mapping[RuleId, set[RuleId]]:
    """For each rule all that it is before, directly or by way of others."""
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


def _dead(book: RuleBook) -> Iterator[Finding]:
    for number, rule in enumerate(book.rules):
        if is_dead(rule, ()):
            text = f"regel «{rule.id}» motsier seg selv og kan aldri gjelde noen melding"
            yield _refused("dead", text, rule.id)
        elif is_dead(rule, book.rules[:number]):
            text = f"regel «{rule.id}» er død: alt den gjelder, tas av regler som står tidligere"
            yield _refused("dead", text, rule.id)


def _unordered(book: RuleBook) -> Iterator[tuple[Rule, Rule]]:
    """The pairs of rules that no `before` orders, the earlier rule first."""
    reached = _reached(book)
    for earlier, later in combinations(book.rules, 2):
        if later.id not in reached[earlier.id] and earlier.id not in reached[later.id]:
            yield earlier, later


def _disagree(earlier: Rule, later: Rule) -> bool:
    """Whether the order decides where a message goes that matches both rules."""
    return earlier.to != later.to and earlier.to is not SAME_UNIT


def _overlaps(book: RuleBook) -> Iterator[Finding]:
    for earlier, later in _unordered(book):
        if _disagree(earlier, later) and overlap(earlier, later):
            text = (
                f"en melding kan passe både regel «{earlier.id}» (til {earlier.to}) og "
                f'«{later.id}» (til {later.to}): sett before = ["{later.id}"] på «{earlier.id}», '
                "eller gjør dem ulike"
            )
            yield _refused("overlap", text, earlier.id, later.id)


def _other_release(book: RuleBook) -> Iterator[Finding]:
    for earlier, later in _unordered(book):
        alike = earlier.to == later.to and earlier.release is not later.release
        if alike and overlap(earlier, later):
            text = (
                f"reglene «{earlier.id}» ({earlier.release}) og «{later.id}» ({later.release}) "
                "kan passe samme melding til samme enhet: den første bestemmer"
            )
            yield _noted("other_release", text, earlier.id, later.id)


def _past(book: RuleBook, on: date) -> Iterator[Finding]:
    for rule in book.rules:
        if rule.until is not None and rule.until < on:
            text = f"regel «{rule.id}» gjaldt til og med {rule.until.isoformat()}"
            yield _noted("past", text, rule.id)


def _without_effect(book: RuleBook) -> Iterator[Finding]:
    """Exceptions that take nothing out: neither of the rule itself nor of what is left for it.

    One that only keeps a rule apart from an earlier one, to another unit, has an effect.
    """
    unordered = list(_unordered(book))
    for number, rule in enumerate(book.rules):
        taken_out = replace(rule, when=(*rule.when, *rule.except_), except_=())
        if not rule.except_ or is_dead(rule, book.rules[:number]):
            continue
        apart = (e for e, later in unordered if later is rule and _disagree(e, rule))
        if is_dead(taken_out, ()):
            text = f"unntaket i regel «{rule.id}» motsier regelen og kan aldri slå til"
            yield _noted("exception", text, rule.id)
        elif is_dead(taken_out, book.rules[:number]) and not any(
            overlap(other, taken_out) for other in apart
        ):
            text = f"unntaket i regel «{rule.id}» tar ikke ut noe: regler over tar alt det gjelder"
            yield _noted("exception", text, rule.id)


def _unused(book: RuleBook) -> Iterator[Finding]:
    written = {word for r in book.rules for c in (*r.when, *r.except_) for word in c.written}
    for name in book.groups:
        if f"{GROUP}{name}" not in written:
            text = f"ingen regel bruker gruppen «{name}»"
            yield _noted("group_unused", text, line=book.line_of("groups", name))


def _few_at_desk(book: RuleBook, people: int | None) -> Iterator[Finding]:
    if people is not None and people < _ENOUGH:
        text = (
            f"desk «{book.desk}» har {people} som kan fordele: det som krever to, blir ikke avgjort"
        )
        yield _noted("desk_people", text, line=book.line_of("desk", "unit"))


def _not_living(book: RuleBook, units: Collection[UnitId] | None) -> Iterator[Finding]:
    if units is None:
        return
    for rule in book.rules:
        if rule.to is not SAME_UNIT and rule.to not in units:
            text = f"regel «{rule.id}» sender til «{rule.to}», som ikke er en enhet i drift"
            yield _noted("unit_not_living", text, rule.id)
    if book.desk not in units:
        text = f"desk er «{book.desk}», som ikke er en enhet i drift"
        yield _noted("desk_not_living", text, line=book.line_of("desk", "unit"))
