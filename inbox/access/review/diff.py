"""What another policy changes: the exact combinations of facts gained and lost, in few terms. Pure.

`compare` gives a `Diff`; its `digest` is over its `lines`, which are what a person reads: who makes
a policy active acknowledges the change by that digest.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from inbox.access.files.bdd import NEVER, Truth, Truths
from inbox.access.files.decision_space import Answers, truths_of
from inbox.access.files.folder import Draft
from inbox.access.files.invariants import Claim
from inbox.access.policy.conditions import Need, literal_of
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Duty, Role, cell_of
from inbox.access.review.text_diff import changed_claims, changed_rows, changed_shieldings


class Kind(StrEnum):
    """How a decision changes."""

    GAINED = "gained"
    LOST = "lost"
    DUTIES = "duties"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of decisions: the exact terms under which it happens, for some roles."""

    action: Action
    roles: tuple[Role, ...]
    kind: Kind
    terms: tuple[str, ...]
    had: frozenset[Duty] = frozenset()
    has: frozenset[Duty] = frozenset()
    """The duties of a yes that stays a yes, before and after."""

    @property
    def widens(self) -> bool:
        """Whether more is allowed, or the same with fewer duties."""
        return self.kind is Kind.GAINED or bool(self.had - self.has)

    @property
    def duties(self) -> str:
        """The duties before and after, if they are what changes."""
        kept = self.kind is Kind.DUTIES
        return f"{cell_of(self.had)} -> {cell_of(self.has)}" if kept else ""

    def lines(self) -> Iterator[str]:
        """The change as text, in the words of the policy files."""
        duties = f" {self.duties}" if self.duties else ""
        for term in self.terms:
            yield f"{self.action} by {' '.join(self.roles)}: {self.kind}{duties} when {term}"


@dataclass(frozen=True, kw_only=True)
class Diff:
    """Everything that differs between two policies."""

    old: str
    new: str
    """The digests of both policies."""
    given: tuple[str, ...]
    """What every yes needs that changes, before and after; left out of the terms."""
    changes: tuple[Change, ...]
    rows: tuple[str, ...]
    shieldings: tuple[str, ...]
    claims: tuple[str, ...]

    @property
    def gains(self) -> bool:
        """Whether the new policy allows more, requires fewer duties, or changes clearances."""
        return any(change.widens for change in self.changes) or bool(self.shieldings)

    @property
    def nothing(self) -> bool:
        """Whether the two policies are equal, apart from comments and meanings."""
        return not (self.rows or self.shieldings or self.claims)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The whole diff as text: what a person reads, and what the digest is over."""
        given = [f"in every line below: {' and '.join(self.given)}"] if self.given else []
        told = [line for change in self.changes for line in change.lines()]
        return (
            f"from {self.old}",
            f"to   {self.new}",
            *given,
            *(told or [self._same()]),
            *self.rows,
            *self.shieldings,
            *self.claims,
        )

    def _same(self) -> str:
        return "the same decisions, other rows" if self.rows else "the same decisions"

    @property
    def digest(self) -> str:
        """SHA-256 over the lines: `acknowledge: ...`."""
        return hashlib.sha256("".join(f"{line}\n" for line in self.lines).encode()).hexdigest()


def compare(old: Draft, new: Draft) -> Diff:
    """The changes if the new policy replaces the old one.

    Only what both folders assume about the world is taken for so: an assumption that is new cannot
    hide what it rules out.
    """
    known = {claim.line.text for claim in old.claims}
    both = _Both(
        old.policy, new.policy, [claim for claim in new.claims if claim.line.text in known]
    )
    return Diff(
        old=old.policy.digest,
        new=new.policy.digest,
        given=tuple(literal_of(*literal) for literal in both.given),
        changes=tuple(_joined(both.changes())),
        rows=tuple(changed_rows(old.policy.rules, new.policy.rules)),
        shieldings=tuple(changed_shieldings(old.shieldings, new.shieldings)),
        claims=tuple(changed_claims(old.claims, new.claims)),
    )


_Duties = frozenset[Duty]
_Region = tuple[Change, Role, Truth]


class _Both:
    """The decision spaces of two policies, over the same variables."""

    def __init__(self, old: Policy, new: Policy, claims: Sequence[Claim]) -> None:
        truths = self._truths = truths_of([old, new], claims)
        self._old, self._new = (Answers(policy, claims, truths) for policy in (old, new))
        self._regions = list(self._all_regions())

    def _all_regions(self) -> Iterator[_Region]:
        for action in Action:
            for role in Role:
                for change, truth in self._regions_of(action, role):
                    there = self._truths.every((truth, self._old.world(role)))
                    if there != NEVER:
                        yield change, role, there

    def _regions_of(self, action: Action, role: Role) -> Iterator[tuple[Change, Truth]]:
        def change(kind: Kind, had: _Duties = frozenset(), has: _Duties = frozenset()) -> Change:
            return Change(action=action, roles=(role,), kind=kind, terms=(), had=had, has=has)

        before, after = self._old.allowed(action, role), self._new.allowed(action, role)
        yield change(Kind.GAINED), self._truths.but(after, before)
        yield change(Kind.LOST), self._truths.but(before, after)
        for had, where in self._old.duties(action, role).items():
            for has, there in self._new.duties(action, role).items():
                if had != has:
                    yield change(Kind.DUTIES, had, has), self._truths.every((where, there))

    @cached_property
    def given(self) -> tuple[tuple[str, bool], ...]:
        """The literals that every affected permission, old or new, has in common.

        Without what follows from the others, and from what is assumed.
        """
        asked = {(change.action, role) for change, role, _ in self._regions}
        both = (self._old, self._new)
        yes = [answers.allowed(*each) for each in asked for answers in both]
        can_be = self._truths.some(self._old.world(role) for _, role in asked)
        anywhere = self._truths.every((can_be, self._truths.some(yes)))
        literals = [(name, held) for name in self._truths.names for held in (True, False)]
        found = [each for each in literals if self._follows(each, anywhere)]
        for literal in sorted(found, key=lambda each: each[1]):
            others = self._truths.term(frozenset(found) - {literal})
            if self._follows(literal, self._truths.every((can_be, others))):
                found.remove(literal)
        return tuple(found)

    def _follows(self, literal: tuple[str, bool], truth: Truth) -> bool:
        return self._truths.but(truth, self._truths.term(frozenset({literal}))) == NEVER

    def changes(self) -> Iterator[Change]:
        """Every change, in terms that leave out what is given and what cannot be otherwise."""
        given = self._truths.term(frozenset(self.given))
        for change, role, truth in self._regions:
            can_be = self._truths.every((given, self._old.world(role)))
            terms = self._truths.terms(truth, beside=self._truths.negated(can_be))
            yield replace(change, terms=tuple(_said(self._truths, term) for term in terms))


def _said(truths: Truths, term: Need) -> str:
    """A term as a condition that a policy file could contain."""
    literals = ((name, held) for name in truths.names for held in (True, False))
    words = [literal_of(*literal) for literal in literals if literal in term]
    return " and ".join(words) or "always"


def _joined(changes: Iterable[Change]) -> Iterator[Change]:
    """The changes with the roles merged for which they are equal."""
    joined: dict[Change, list[Role]] = {}
    for change in changes:
        joined.setdefault(replace(change, roles=()), []).extend(change.roles)
    for change, roles in joined.items():
        yield replace(change, roles=tuple(roles))
