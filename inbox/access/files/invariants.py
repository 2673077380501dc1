"""Reads `invariants.txt` strictly: invariants of the policy and assumptions about the world.

Pure.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from inbox.access.files.phrases import POLICY_PHRASES
from inbox.access.policy.conditions import (
    ALWAYS,
    And,
    Condition,
    Name,
    Not,
    Or,
    names_in,
    read_condition,
)
from inbox.access.policy.vocabulary import Action, Duty, Role
from inbox.errors import PolicyError
from inbox.strict.lines import SourceLine, policy_position, read_lines

INVARIANTS_FILE: Final = "invariants.txt"
ROLE_PREFIX: Final = "role:"
"""What stands before a role where names of facts and actions may stand too."""
_IMPLIES = " implies "
_ASSUME = "assume "
_NEEDS = " needs "
_WHEN = " when "
_ACTIONS = frozenset(Action)


@dataclass(frozen=True, kw_only=True)
class Implication:
    """An implication, `left implies right`, between two conditions.

    It is either an invariant, or an assumption about which combinations of facts can occur.
    """

    left: Condition
    right: Condition
    line: SourceLine
    is_assumption: bool
    needs: frozenset[Duty] = frozenset()
    """The duties that every yes on the left must have; the right is then `always`."""

    @cached_property
    def condition(self) -> Condition:
        """The implication as one condition: `not left or right`."""
        return Or((Not(self.left), self.right))

    @cached_property
    def facts(self) -> frozenset[str]:
        """The facts that it uses, without roles, because each role is checked separately."""
        names = names_in(self.condition) - _ACTIONS - {ALWAYS}
        return frozenset(name for name in names if not name.startswith(ROLE_PREFIX))


def read_invariants(raw: bytes, facts: Collection[str]) -> tuple[Implication, ...]:
    """Read invariants and assumptions over facts and `role:…`; invariants may name actions."""
    assumable = frozenset({*facts, *(f"{ROLE_PREFIX}{role}" for role in Role)})
    claimable = assumable | _ACTIONS
    invariants = tuple(
        _read_implication(line, assumable, claimable) for line in read_lines(INVARIANTS_FILE, raw)
    )
    if not any(not invariant.is_assumption for invariant in invariants):
        place = policy_position(INVARIANTS_FILE).at_line(1)
        read, allowed = POLICY_PHRASES("no_invariant"), POLICY_PHRASES("an_invariant")
        raise place.refuse("empty", read, allowed)
    return invariants


def _read_implication(
    line: SourceLine, assumable: frozenset[str], claimable: frozenset[str]
) -> Implication:
    if _NEEDS in line.text:
        return _read_duty_invariant(line, claimable)
    assumed = line.text.startswith(_ASSUME)
    sides = line.text.removeprefix(_ASSUME).split(_IMPLIES)
    if len(sides) != 2:  # noqa: PLR2004 - a left and a right side
        raise line.refuse("claim", line.text, POLICY_PHRASES("implication"))
    names = assumable if assumed else claimable
    try:
        left, right = (read_condition(side, names) for side in sides)
    except PolicyError as error:
        raise line.with_location(error) from error
    return Implication(left=left, right=right, line=line, is_assumption=assumed)


def _read_duty_invariant(line: SourceLine, names: frozenset[str]) -> Implication:
    """`refuse needs log`, or `open when covers needs log reason`."""
    allowed = POLICY_PHRASES("duty_invariant")
    left, *duties = line.text.split(_NEEDS)
    action, *conditions = left.split(_WHEN)
    words = duties[0].split(" ")
    if len(duties) != 1 or len(conditions) > 1 or action not in _ACTIONS:
        raise line.refuse("claim", line.text, allowed)
    if len(set(words)) != len(words) or not set(words) <= set(Duty):
        raise line.refuse("word", duties[0], ", ".join(Duty), *Duty)
    asked: Condition = Name(action)
    if conditions:
        try:
            asked = And((asked, read_condition(conditions[0], names - _ACTIONS)))
        except PolicyError as error:
            raise line.with_location(error) from error
    return Implication(
        left=asked,
        right=Name(ALWAYS),
        line=line,
        is_assumption=False,
        needs=frozenset(map(Duty, words)),
    )
