"""The conditions as they may be shown where nobody signs in: no unit, case system, error text.

Those of several units become one.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from inbox.health.condition import ORGANISATION_WIDE, HealthCondition

_COUNTED_EACH: Final = frozenset({"unit", "desk"})
"""Whose numbers say something of one of them alone."""


def without_names(conditions: Iterable[HealthCondition]) -> tuple[HealthCondition, ...]:
    """The same conditions in their order; of those whose names are not shown one for each code.

    Its number is the sum of theirs, and its time that of the oldest.
    """
    shown: dict[tuple[str, str], HealthCondition] = {}
    for condition in conditions:
        named = condition.kind not in ORGANISATION_WIDE
        subject = condition.subject if named else condition.kind
        count = None if condition.kind in _COUNTED_EACH else condition.count
        bare = replace(condition, subject=subject, reason="", count=count)
        before = shown.get((subject, condition.code))
        shown[subject, condition.code] = bare if before is None else _both(before, bare)
    return tuple(shown.values())


def _both(one: HealthCondition, other: HealthCondition) -> HealthCondition:
    times = [each.since for each in (one, other) if each.since is not None]
    counts = [each.count for each in (one, other) if each.count is not None]
    return replace(
        one,
        since=min(times, default=None),
        count=sum(counts) if counts else None,
        status=one.status if one.status == other.status else None,
    )
