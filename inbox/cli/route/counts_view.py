"""How `inbox route simulate` prints its counts: per rule, and which units gain and lose mail."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from inbox.cli.common.formats import Form
from inbox.cli.common.output import say, say_json
from inbox.line.routing_simulation import ENOUGH, NOWHERE, Counts, Group, Way
from inbox.routing.rule_book import SAME_UNIT, RuleBook

FEW: Final = f"fewer than {ENOUGH} each"
"""In place of groups that are not told, however many, and of none: they look the same."""
_NOBODY: Final = "(a person)"
_BY_RULE: Final = ("rule", "unit", "went", "would go")
_BY_UNIT: Final = ("unit", "has", "would have", "gains", "loses")
_MOVES: Final = ("from", "to", "by_rule", "messages")
_Row = dict[str, object]


def show_counts(counts: Counts, book: RuleBook, form: Form) -> None:
    """Print three tables: by rule and unit, by unit, and what moves between units."""
    by_rule, by_unit, moves = _by_rule(counts, book), _by_unit(counts, book), _moves(counts)
    if form.as_json:
        say_json({"rules": by_rule, "units": by_unit, "moves": moves})
        return
    for rows, columns in ((by_rule, _BY_RULE), (by_unit, _BY_UNIT), (moves, _MOVES)):
        form.show_rows(rows, columns)
        say()
    say(f"Counted are groups of {ENOUGH} or more with one way before and one now, and what you may")
    say(f"list; “{FEW}” is also said of none.")


def _sum(counts: Counts, wanted: Callable[[Group], bool]) -> int | str:
    """Of the groups that may be told, and never of others: a sum would give those away."""
    return sum(n for group, n in counts.items() if wanted(group)) or FEW


def _by_rule(counts: Counts, book: RuleBook) -> list[_Row]:
    named = [
        Way(rule=rule.id, unit=str(rule.to)) for rule in book.rules if rule.to is not SAME_UNIT
    ]
    ways = {*named, NOWHERE, *_told(counts)}
    order = [str(rule.id) for rule in book.rules]

    def place(way: Way) -> tuple[int, str, str]:
        rule, unit = way.rule or "", way.unit or ""
        return (order.index(rule) if rule in order else len(order), rule, unit)

    return [
        {
            "rule": way.rule or _NOBODY,
            "unit": way.unit or _NOBODY,
            "went": _sum(counts, partial(_is, 0, way)),
            "would go": _sum(counts, partial(_is, 1, way)),
        }
        for way in sorted(ways, key=place)
    ]


def _is(end: int, way: Way, group: Group) -> bool:
    return group[end] == way


def _told(counts: Counts) -> Iterable[Way]:
    return (way for group in counts for way in group)


def _by_unit(counts: Counts, book: RuleBook) -> list[_Row]:
    units = {*map(str, book.units), *(way.unit or _NOBODY for way in _told(counts))}
    return [_unit(counts, unit) for unit in sorted(units - {_NOBODY})] + [_unit(counts, _NOBODY)]


def _unit(counts: Counts, name: str) -> _Row:
    unit = None if name == _NOBODY else name
    return {
        "unit": name,
        "has": _sum(counts, lambda group: group[0].unit == unit),
        "would have": _sum(counts, lambda group: group[1].unit == unit),
        "gains": _sum(counts, lambda group: group[0].unit != unit == group[1].unit),
        "loses": _sum(counts, lambda group: group[1].unit != unit == group[0].unit),
    }


def _moves(counts: Counts) -> list[_Row]:
    moved = [(was, now, n) for (was, now), n in counts.items() if was.unit != now.unit]
    return [
        {
            "from": was.unit or _NOBODY,
            "to": now.unit or _NOBODY,
            "by_rule": now.rule or _NOBODY,
            "messages": number,
        }
        for was, now, number in sorted(moved, key=lambda move: -move[2])
    ]
