"""How `inbox route simulate` prints its counts: per rule, and which units gain and lose mail."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from inbox.cli.common.formats import OutputFormat
from inbox.cli.common.language import with_headings
from inbox.cli.common.output import print_json, print_line
from inbox.line.routing_simulation import (
    NOT_ROUTED,
    SMALLEST_GROUP,
    BeforeAndAfter,
    GroupCounts,
    RoutingResult,
)
from inbox.routing.rule_book import SAME_UNIT, RuleBook
from inbox.routing.sentences import RoutingSentences

TOO_FEW: Final = f"fewer than {SMALLEST_GROUP} each"
"""In place of groups that are too small to show, however many, and of no group at all."""
_BY_A_PERSON: Final = "(a person)"
_BY_RULE: Final = ("rule", "unit", "went", "would go")
_BY_UNIT: Final = ("unit", "has", "would have", "gains", "loses")
_MOVES: Final = ("from", "to", "by_rule", "messages")
_Row = dict[str, object]


def show_counts(
    counts: GroupCounts, book: RuleBook, form: OutputFormat, said: RoutingSentences
) -> None:
    """Print three tables: by rule and unit, by unit, and what moves between units."""
    by_rule, by_unit, moves = (
        _by_rule(counts, book),
        _by_unit(counts, book),
        _moved_between_units(counts),
    )
    if form.as_json:
        print_json({"rules": by_rule, "units": by_unit, "moves": moves})
        return
    too_few = said.text("count.too_few", smallest=SMALLEST_GROUP)
    words = {TOO_FEW: too_few, _BY_A_PERSON: said.text("count.a_person")}
    for rows, columns in ((by_rule, _BY_RULE), (by_unit, _BY_UNIT), (moves, _MOVES)):
        worded = [{name: words.get(str(cell), cell) for name, cell in row.items()} for row in rows]
        form.show_rows(*with_headings(worded, columns, said.texts, said.language))
        print_line()
    print_line(said.text("count.note", smallest=SMALLEST_GROUP, too_few=too_few))


def _sum_or_too_few(counts: GroupCounts, wanted: Callable[[BeforeAndAfter], bool]) -> int | str:
    """Of the groups that may be shown, and never of others: a sum would give those away."""
    return sum(n for group, n in counts.items() if wanted(group)) or TOO_FEW


def _by_rule(counts: GroupCounts, book: RuleBook) -> list[_Row]:
    named = [
        RoutingResult(rule=rule.id, unit=str(rule.to))
        for rule in book.rules
        if rule.to is not SAME_UNIT
    ]
    ways = {*named, NOT_ROUTED, *_shown_results(counts)}
    order = [str(rule.id) for rule in book.rules]

    def place(way: RoutingResult) -> tuple[int, str, str]:
        rule, unit = way.rule or "", way.unit or ""
        return (order.index(rule) if rule in order else len(order), rule, unit)

    return [
        {
            "rule": way.rule or _BY_A_PERSON,
            "unit": way.unit or _BY_A_PERSON,
            "went": _sum_or_too_few(counts, partial(_has_result, 0, way)),
            "would go": _sum_or_too_few(counts, partial(_has_result, 1, way)),
        }
        for way in sorted(ways, key=place)
    ]


def _has_result(end: int, way: RoutingResult, group: BeforeAndAfter) -> bool:
    return group[end] == way


def _shown_results(counts: GroupCounts) -> Iterable[RoutingResult]:
    return (way for group in counts for way in group)


def _by_unit(counts: GroupCounts, book: RuleBook) -> list[_Row]:
    units = {*map(str, book.units), *(way.unit or _BY_A_PERSON for way in _shown_results(counts))}
    return [_unit(counts, unit) for unit in sorted(units - {_BY_A_PERSON})] + [
        _unit(counts, _BY_A_PERSON)
    ]


def _unit(counts: GroupCounts, name: str) -> _Row:
    unit = None if name == _BY_A_PERSON else name
    return {
        "unit": name,
        "has": _sum_or_too_few(counts, lambda group: group[0].unit == unit),
        "would have": _sum_or_too_few(counts, lambda group: group[1].unit == unit),
        "gains": _sum_or_too_few(counts, lambda group: group[0].unit != unit == group[1].unit),
        "loses": _sum_or_too_few(counts, lambda group: group[1].unit != unit == group[0].unit),
    }


def _moved_between_units(counts: GroupCounts) -> list[_Row]:
    moved = [(was, now, n) for (was, now), n in counts.items() if was.unit != now.unit]
    return [
        {
            "from": was.unit or _BY_A_PERSON,
            "to": now.unit or _BY_A_PERSON,
            "by_rule": now.rule or _BY_A_PERSON,
            "messages": number,
        }
        for was, now, number in sorted(moved, key=lambda move: -move[2])
    ]
