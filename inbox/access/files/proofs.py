"""Proves each invariant for every role and every possible combination of facts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from inbox.access.files.bdd import NEVER
from inbox.access.files.decision_space import Answers, truths_of
from inbox.access.files.invariants import Claim
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Role
from inbox.errors import PolicyError


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A role for which an invariant is violated, with one counterexample."""

    claim: Claim
    role: Role
    holding: tuple[str, ...]
    """The facts that hold in that combination; every other fact does not."""
    lacking: tuple[str, ...]
    """The facts of the invariant that do not hold in it."""

    def __str__(self) -> str:
        """The counterexample by the names of facts, for an error message of one line."""
        held = " ".join(self.holding) or "nothing"
        return f"line {self.claim.line.number}, {self.role} with {held}"


def broken_claims(policy: Policy, claims: Sequence[Claim]) -> tuple[Broken, ...]:
    """Every violated invariant, once for each role that violates it.

    The assumptions among the claims say which combinations there can be.
    """
    truths = truths_of([policy], claims)
    answers = Answers(policy, claims, truths)
    found = []
    for claim in claims:
        for role in () if claim.assumed else Role:
            broken = truths.but(answers.world(role), answers.claim(claim, role))
            if broken != NEVER:
                held = truths.example(broken)
                found.append(
                    Broken(
                        claim=claim,
                        role=role,
                        holding=tuple(name for name in truths.names if name in held),
                        lacking=tuple(sorted(claim.facts - held)),
                    )
                )
    return tuple(found)


def check_claims(policy: Policy, claims: Sequence[Claim]) -> None:
    """Raise `PolicyError` if an invariant does not hold; it names all, each with a combination."""
    if broken := broken_claims(policy, claims):
        first, *others = broken
        read = f"{first.role} with {' '.join(first.holding) or 'nothing'}"
        error = first.claim.line.refuse("invariant", read, first.claim.line.text)
        also = "".join(f"; also {other}" for other in others)
        raise PolicyError(error.code, f"{error.reason}{also}")
