"""The rule book: the routing rules of one organisation as values, read by `rules.read_rules`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NewType

from inbox.domain import OrgNumber, UnitId
from inbox.routing.conditions import RuleCondition
from inbox.strict.toml_lines import KeyPath, nearest_line

RuleId = NewType("RuleId", str)


class Release(StrEnum):
    """When the unit's case system may have the message.

    It may have the message at once, or only after a person has released it.
    """

    AT_ONCE = "at once"
    BY_A_PERSON = "by a person"


class SameUnit(StrEnum):
    """The target of a rule that follows the case: the unit that already has the case."""

    SAME_UNIT = "same unit"


SAME_UNIT = SameUnit.SAME_UNIT

RuleTarget = UnitId | SameUnit
"""Where a rule sends: a unit's key in `[units]`, or `SAME_UNIT`. No key can be written so."""


@dataclass(frozen=True, kw_only=True)
class RuleUnit:
    """A unit (*enhet*), as the rules name it."""

    name: str
    aliases: tuple[str, ...] = ()
    """What senders call it in `administrativEnhet`, beside its name."""


@dataclass(frozen=True, kw_only=True)
class RoutingRule:
    """A routing rule, with its conditions and its exception.

    It matches if every condition of `when` is true and not all conditions of `except_` are true.
    """

    id: RuleId
    because: str
    when: tuple[RuleCondition, ...]
    except_: tuple[RuleCondition, ...] = ()
    to: RuleTarget
    release: Release
    urgent: bool = False
    from_: date | None = None
    """The first day it holds."""
    until: date | None = None
    """The last day it holds (*til og med*)."""
    before: tuple[RuleId, ...] = ()
    """Rules that this one is meant to win over; they stand later."""
    off: bool = False
    """Switched off: it matches in its place as before, and a person must place what it matches."""

    def is_active_on(self, day: date) -> bool:
        """Whether the day is within the rule's period."""
        return (self.from_ or date.min) <= day <= (self.until or date.max)


@dataclass(frozen=True, kw_only=True)
class RuleBook:
    """One organisation's rules, in the order in which they are tried."""

    organisation: OrgNumber
    groups: Mapping[str, tuple[OrgNumber, ...]]
    units: Mapping[UnitId, RuleUnit]
    desk: UnitId
    """The unit that distributes what no rule takes."""
    rules: tuple[RoutingRule, ...]
    digest: str
    """SHA-256 of the file's bytes, in hex; of a version, of every file of it."""
    lines: Mapping[KeyPath, int] = field(default_factory=dict, compare=False, repr=False)
    """Where in the file everything stands, for those who mend it."""

    def line_of(self, *path: str | int) -> int | None:
        """The line of this key in the file, or of the nearest enclosing one."""
        return nearest_line(self.lines, path)

    def line_of_rule(self, rule: RuleId) -> int | None:
        """The line on which the rule begins."""
        return self.line_of("rule", [one.id for one in self.rules].index(rule))
