"""Reads `invariants.txt` strictly: invariants of the policy and assumptions about the world.

Pure.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from inbox.access.policy.conditions import Condition, Not, Some, names_in, read_condition
from inbox.access.policy.vocabulary import Action, Role
from inbox.errors import PolicyError
from inbox.strict.lines import Line, read_lines, refusal

INVARIANTS: Final = "invariants.txt"
ROLE: Final = "role:"
"""What stands before a role where names of facts and actions may stand too."""
_IMPLIES = " implies "
_ASSUME = "assume "
_ACTIONS = frozenset(Action)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """`left implies right`: an invariant, or an assumption about the world."""

    left: Condition
    right: Condition
    line: Line
    assumed: bool

    @cached_property
    def whole(self) -> Condition:
        """The implication as one condition: `not left or right`."""
        return Some((Not(self.left), self.right))

    @cached_property
    def facts(self) -> frozenset[str]:
        """The facts that it uses, without roles, because each role is checked separately."""
        names = names_in(self.whole) - _ACTIONS
        return frozenset(name for name in names if not name.startswith(ROLE))


def read_claims(raw: bytes, facts: Collection[str]) -> tuple[Claim, ...]:
    """Read invariants and assumptions over facts and `role:…`; invariants may name actions."""
    assumable = frozenset({*facts, *(f"{ROLE}{role}" for role in Role)})
    claimable = assumable | _ACTIONS
    claims = tuple(_read_claim(line, assumable, claimable) for line in read_lines(INVARIANTS, raw))
    if not any(not claim.assumed for claim in claims):
        raise refusal(f"{INVARIANTS}, line 1", "empty", "no invariant", "at least one")
    return claims


def _read_claim(line: Line, assumable: frozenset[str], claimable: frozenset[str]) -> Claim:
    assumed = line.text.startswith(_ASSUME)
    sides = line.text.removeprefix(_ASSUME).split(_IMPLIES)
    if len(sides) != 2:  # noqa: PLR2004 - a left and a right side
        raise line.refuse("claim", line.text, "left implies right")
    names = assumable if assumed else claimable
    try:
        left, right = (read_condition(side, names) for side in sides)
    except PolicyError as error:
        raise line.locate(error) from error
    return Claim(left=left, right=right, line=line, assumed=assumed)
