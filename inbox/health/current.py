"""Everything that is wrong now: the one table that all who show it read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlmodel import select

from inbox.errors import InboxError
from inbox.health.condition import HealthCondition, Level
from inbox.health.neighbours import gateway_conditions, other_neighbour_conditions
from inbox.health.people import people_conditions
from inbox.health.process import NEEDS, process_conditions
from inbox.health.work import work_conditions
from inbox.line import Line
from inbox.line.pulses import GATEWAY
from inbox.store import Store
from inbox.tables import HealthConditionRow

OK: Final = "ok"
_ORDER: Final = list(Level)


def conditions_of(line: Line) -> tuple[HealthCondition, ...]:
    """Everything that is wrong or waits for people, the worst first.

    Also while the database is away: then what stands in it is not known, and `database` says so.
    """

    def people() -> Iterator[HealthCondition]:
        return people_conditions(line.store, line.rule_books)

    found = [*working_conditions(line), *_if_readable(people, subject="directory")]
    return in_order(with_times(line.store, found))


def working_conditions(line: Line) -> list[HealthCondition]:
    """The same, as it is found, without what takes a question to each unit.

    In no order, and without the times that a worker has noted.
    """

    def neighbours() -> Iterator[HealthCondition]:
        return other_neighbour_conditions(line.store, line.gateways)

    found = [*unready_conditions(line)]
    found += _if_readable(neighbours, subject="neighbours")
    found += _if_readable(lambda: work_conditions(line.store), subject="work")
    return found


def unready_conditions(line: Line) -> tuple[HealthCondition, ...]:
    """What `ready` asks: what this process needs, and its gateways. Safe at any frequency."""
    silence = line.terms.gateway_silence
    return (*process_conditions(line), *gateway_conditions(line.store, line.gateways, silence))


def needs_of(line: Line, conditions: Iterable[HealthCondition]) -> Mapping[str, str]:
    """Every need of `ready` by name: `ok`, or the code of what is wrong."""
    needs = dict.fromkeys((*NEEDS, *(GATEWAY + channel for channel in sorted(line.gateways))), OK)
    for condition in conditions:
        if condition.level is not Level.UNREADY:
            continue
        name = condition.subject if condition.subject in needs else condition.kind
        if needs.get(name) == OK:
            needs[name] = condition.code
    return needs


def with_times(store: Store, found: Sequence[HealthCondition]) -> list[HealthCondition]:
    """Each with the time since when a worker has seen it, where it has none of its own."""
    try:
        with store.reading() as tx:
            rows = tx.exec(select(HealthConditionRow)).all()
    except InboxError:
        return list(found)
    noted = {(row.subject, row.code): row.since for row in rows}
    return [
        each
        if each.since is not None
        else replace(each, since=noted.get((each.subject, each.code)))
        for each in found
    ]


def in_order(found: Iterable[HealthCondition]) -> tuple[HealthCondition, ...]:
    """The worst first."""
    return tuple(sorted(found, key=_rank))


def _rank(condition: HealthCondition) -> tuple[int, str, str]:
    return _ORDER.index(condition.level), condition.subject, condition.code


def _if_readable(
    find: Callable[[], Iterator[HealthCondition]], *, subject: str
) -> list[HealthCondition]:
    """What it finds; a database that is away is a condition of its own, reported elsewhere."""
    try:
        return list(find())
    except InboxError as error:
        if error.code.startswith("database."):
            return []
        return [
            HealthCondition(
                subject=subject, code=error.code, level=Level.WRONG, reason=error.reason
            )
        ]
