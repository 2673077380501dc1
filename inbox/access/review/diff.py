"""The exact difference between two policies.

It consists of the combinations of facts for which access is gained or lost, in as few terms as
possible. Pure.

`compare_policies` gives a `PolicyDiff`. Its `digest` is over its `lines`, which a person reads;
the person who makes a policy active acknowledges the change by that digest.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from inbox.access.files.bdd import FALSE, Bdd, BddAlgebra
from inbox.access.files.decision_space import DecisionSpace, bdd_algebra_for
from inbox.access.files.folder import PolicyDraft
from inbox.access.files.invariants import Implication
from inbox.access.policy.conditions import Conjunction, literal_text
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Duty, Role, duties_text
from inbox.access.review.text_diff import (
    WrittenChange,
    changed_bases,
    changed_header,
    changed_invariants,
    changed_rows,
    changed_shieldings,
    switched_rows,
)


class ChangeKind(StrEnum):
    """How a decision changes."""

    GAINED = "gained"
    LOST = "lost"
    DUTIES = "duties"


@dataclass(frozen=True, kw_only=True)
class DecisionChange:
    """One change of decisions: the exact terms under which it happens, for some roles."""

    action: Action
    roles: tuple[Role, ...]
    kind: ChangeKind
    terms: tuple[str, ...]
    old_duties: frozenset[Duty] = frozenset()
    new_duties: frozenset[Duty] = frozenset()
    """The duties of a yes that stays a yes, before and after."""

    @property
    def widens(self) -> bool:
        """Whether more is allowed, or the same with fewer duties."""
        return self.kind is ChangeKind.GAINED or bool(self.old_duties - self.new_duties)

    @property
    def duties(self) -> str:
        """The duties before and after, if they are what changes."""
        kept = self.kind is ChangeKind.DUTIES
        return f"{duties_text(self.old_duties)} -> {duties_text(self.new_duties)}" if kept else ""

    def lines(self) -> Iterator[str]:
        """The change as text, in the words of the policy files."""
        duties = f" {self.duties}" if self.duties else ""
        for term in self.terms:
            yield f"{self.action} by {' '.join(self.roles)}: {self.kind}{duties} when {term}"


@dataclass(frozen=True, kw_only=True)
class PolicyDiff:
    """Everything that differs between two policies.

    What is written differently stands in the order of the lines: rows, shieldings, invariants,
    legal bases, header.
    """

    old: str
    new: str
    """The digests of both policies."""
    common_literals: tuple[str, ...]
    """What every yes needs that changes, before and after; left out of the terms."""
    changes: tuple[DecisionChange, ...]
    written_rows: tuple[WrittenChange, ...]
    written_elsewhere: tuple[WrittenChange, ...]

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows that are written differently."""
        return tuple(change.line for change in self.written_rows)

    @property
    def shieldings(self) -> tuple[str, ...]:
        """The clearances that change."""
        return self._lines_of("shielding")

    @property
    def invariants(self) -> tuple[str, ...]:
        """The invariants and assumptions that come or go."""
        return self._lines_of("invariant", "assumption")

    @property
    def bases(self) -> tuple[str, ...]:
        """The legal bases that are written differently."""
        return self._lines_of("basis")

    @property
    def header(self) -> tuple[str, ...]:
        """What the policies say of themselves, where that differs."""
        return self._lines_of("written_for", "overridden")

    def _lines_of(self, *kinds: str) -> tuple[str, ...]:
        return tuple(each.line for each in self.written_elsewhere if each.kind.startswith(kinds))

    @property
    def widens_access(self) -> bool:
        """Whether the new policy allows more, requires fewer duties, or changes clearances."""
        return any(change.widens for change in self.changes) or bool(self.shieldings)

    @property
    def is_empty(self) -> bool:
        """Whether the two policies are equal, apart from comments and meanings."""
        return not (self.written_rows or self.written_elsewhere)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The whole diff as text.

        This is what a person reads, and what the digest is computed over.
        """
        given = (
            [f"in every line below: {' and '.join(self.common_literals)}"]
            if self.common_literals
            else []
        )
        told = [line for change in self.changes for line in change.lines()]
        return (
            f"from {self.old}",
            f"to   {self.new}",
            *given,
            *(told or [self._same_decisions()]),
            *(change.line for change in (*self.written_rows, *self.written_elsewhere)),
        )

    def _same_decisions(self) -> str:
        return "the same decisions, other rows" if self.rows else "the same decisions"

    @property
    def digest(self) -> str:
        """SHA-256 over the lines of the diff.

        The person who activates the policy acknowledges this digest: `acknowledge: ...`.
        """
        return hashlib.sha256("".join(f"{line}\n" for line in self.lines).encode()).hexdigest()


def compare_policies(old: PolicyDraft, new: PolicyDraft) -> PolicyDiff:
    """The changes if the new policy replaces the old one.

    Only what both folders assume about the world is taken for so: an assumption that is new cannot
    hide what it rules out.
    """
    known = {invariant.line.text for invariant in old.invariants}
    both = _PolicyPair(
        old.policy,
        new.policy,
        [invariant for invariant in new.invariants if invariant.line.text in known],
    )
    return PolicyDiff(
        old=old.policy.digest,
        new=new.policy.digest,
        common_literals=tuple(literal_text(*literal) for literal in both.common_literals),
        changes=tuple(_group_by_roles(both.changes())),
        written_rows=(
            *changed_rows(old.rows, new.rows),
            *switched_rows(old.switched_off.values(), new.switched_off.values()),
        ),
        written_elsewhere=(
            *changed_shieldings(old.shieldings, new.shieldings),
            *changed_invariants(old.invariants, new.invariants),
            *changed_bases(old.policy.bases, new.policy.bases),
            *changed_header(old.header, new.header),
        ),
    )


_Duties = frozenset[Duty]
_Region = tuple[DecisionChange, Role, Bdd]


class _PolicyPair:
    """The decision spaces of two policies, over the same variables."""

    def __init__(self, old: Policy, new: Policy, claims: Sequence[Implication]) -> None:
        algebra = self._algebra = bdd_algebra_for([old, new], claims)
        self._old, self._new = (DecisionSpace(policy, claims, algebra) for policy in (old, new))
        self._regions = list(self._all_regions())

    def _all_regions(self) -> Iterator[_Region]:
        for action in Action:
            for role in Role:
                for change, truth in self._regions_of(action, role):
                    there = self._algebra.conjoin((truth, self._old.assumptions(role)))
                    if there != FALSE:
                        yield change, role, there

    def _regions_of(self, action: Action, role: Role) -> Iterator[tuple[DecisionChange, Bdd]]:
        def change(
            kind: ChangeKind, had: _Duties = frozenset(), has: _Duties = frozenset()
        ) -> DecisionChange:
            return DecisionChange(
                action=action, roles=(role,), kind=kind, terms=(), old_duties=had, new_duties=has
            )

        before, after = self._old.allowed(action, role), self._new.allowed(action, role)
        yield change(ChangeKind.GAINED), self._algebra.and_not(after, before)
        yield change(ChangeKind.LOST), self._algebra.and_not(before, after)
        for had, where in self._old.duties(action, role).items():
            for has, there in self._new.duties(action, role).items():
                if had != has:
                    yield change(ChangeKind.DUTIES, had, has), self._algebra.conjoin((where, there))

    @cached_property
    def common_literals(self) -> tuple[tuple[str, bool], ...]:
        """The literals that every affected permission, old or new, has in common.

        Without what follows from the others, and from what is assumed.
        """
        asked = {(change.action, role) for change, role, _ in self._regions}
        both = (self._old, self._new)
        yes = [space.allowed(*each) for each in asked for space in both]
        can_be = self._algebra.disjoin(self._old.assumptions(role) for _, role in asked)
        anywhere = self._algebra.conjoin((can_be, self._algebra.disjoin(yes)))
        literals = [(name, held) for name in self._algebra.names for held in (True, False)]
        found = [each for each in literals if self._is_implied(each, anywhere)]
        for literal in sorted(found, key=lambda each: each[1]):
            others = self._algebra.conjunction(frozenset(found) - {literal})
            if self._is_implied(literal, self._algebra.conjoin((can_be, others))):
                found.remove(literal)
        return tuple(found)

    def _is_implied(self, literal: tuple[str, bool], truth: Bdd) -> bool:
        return (
            self._algebra.and_not(truth, self._algebra.conjunction(frozenset({literal}))) == FALSE
        )

    def changes(self) -> Iterator[DecisionChange]:
        """Every change between the two policies, as terms.

        The terms leave out the common literals and whatever the assumptions imply.
        """
        given = self._algebra.conjunction(frozenset(self.common_literals))
        for change, role, truth in self._regions:
            can_be = self._algebra.conjoin((given, self._old.assumptions(role)))
            terms = self._algebra.irredundant_cover(truth, dont_care=self._algebra.negate(can_be))
            yield replace(change, terms=tuple(_term_text(self._algebra, term) for term in terms))


def _term_text(algebra: BddAlgebra, term: Conjunction) -> str:
    """A term as a condition that a policy file could contain."""
    literals = ((name, held) for name in algebra.names for held in (True, False))
    words = [literal_text(*literal) for literal in literals if literal in term]
    return " and ".join(words) or "always"


def _group_by_roles(changes: Iterable[DecisionChange]) -> Iterator[DecisionChange]:
    """The changes with the roles merged for which they are equal."""
    joined: dict[DecisionChange, list[Role]] = {}
    for change in changes:
        joined.setdefault(replace(change, roles=()), []).extend(change.roles)
    for change, roles in joined.items():
        yield replace(change, roles=tuple(roles))
