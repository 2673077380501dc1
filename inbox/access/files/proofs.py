"""Proves each invariant for every role and every possible combination of facts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from inbox.access.files.bdd import FALSE
from inbox.access.files.decision_space import DecisionSpace, bdd_algebra_for
from inbox.access.files.invariants import Implication
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Role
from inbox.errors import PolicyError


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A role for which an invariant is violated, with one counterexample."""

    invariant: Implication
    role: Role
    holding: tuple[str, ...]
    """The facts that hold in that combination; every other fact does not."""
    lacking: tuple[str, ...]
    """The facts of the invariant that do not hold in it."""

    def __str__(self) -> str:
        """The counterexample by the names of facts, for an error message of one line."""
        held = " ".join(self.holding) or "nothing"
        return f"line {self.invariant.line.number}, {self.role} with {held}"


def violated_invariants(policy: Policy, invariants: Sequence[Implication]) -> tuple[Violation, ...]:
    """Every violated invariant, once for each role that violates it.

    The assumptions among the claims say which combinations there can be.
    """
    algebra = bdd_algebra_for([policy], invariants)
    space = DecisionSpace(policy, invariants, algebra)
    found = []
    for claim in invariants:
        for role in () if claim.is_assumption else Role:
            broken = algebra.and_not(space.assumptions(role), space.implication_holds(claim, role))
            if broken != FALSE:
                held = algebra.satisfy_one(broken)
                found.append(
                    Violation(
                        invariant=claim,
                        role=role,
                        holding=tuple(name for name in algebra.names if name in held),
                        lacking=tuple(sorted(claim.facts - held)),
                    )
                )
    return tuple(found)


def check_invariants(policy: Policy, invariants: Sequence[Implication]) -> None:
    """Raise `PolicyError` if an invariant is violated.

    The error names every violation with a counterexample.
    """
    if broken := violated_invariants(policy, invariants):
        first, *others = broken
        read = f"{first.role} with {' '.join(first.holding) or 'nothing'}"
        error = first.invariant.line.refuse("invariant", read, first.invariant.line.text)
        also = "".join(f"; also {other}" for other in others)
        raise PolicyError(error.code, f"{error.reason}{also}")
