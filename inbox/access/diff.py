"""What another policy changes: the exact combinations of facts gained and lost, in few terms. Pure.

`compare` gives a `Diff`; its `digest` is over its `lines`, which are what a person reads: who makes
a policy active acknowledges the change by that digest.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from inbox.access.answers import Answers, truths_of
from inbox.access.claims import Claim
from inbox.access.condition import Need
from inbox.access.folder import Draft
from inbox.access.policy import Policy
from inbox.access.rows import changed_claims, changed_rows, changed_shieldings
from inbox.access.truth import NEVER, Truth, Truths
from inbox.access.words import Action, Duty, Role


class Kind(StrEnum):
    """What becomes of an answer."""

    GAINED = "gained"
    LOST = "lost"
    DUTIES = "duties"


@dataclass(frozen=True, kw_only=True)
class Change:
    """Where an answer becomes another: in each of these ways, and in no other."""

    action: Action
    roles: tuple[Role, ...]
    kind: Kind
    terms: tuple[str, ...]
    duties: str = ""
    """Where only the duties of a yes are others: which, before and after."""

    def lines(self) -> Iterator[str]:
        """In words that stand in the policy files."""
        duties = f" {self.duties}" if self.duties else ""
        for term in self.terms:
            yield f"{self.action} by {' '.join(self.roles)}: {self.kind}{duties} when {term}"


@dataclass(frozen=True, kw_only=True)
class Diff:
    """All that one policy changes about another."""

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
        """Whether somebody may do what they may not do today, or read what they cannot today."""
        return any(c.kind is Kind.GAINED for c in self.changes) or bool(self.shieldings)

    @property
    def nothing(self) -> bool:
        """Whether the two say the same, comments and meanings in words apart."""
        return not (self.changes or self.rows or self.shieldings or self.claims)

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
    """What changes where the new policy takes the place of the old one.

    Only what both folders assume about the world is taken for so: an assumption that is new cannot
    hide what it rules out.
    """
    known = {claim.line.text for claim in old.claims if claim.assumed}
    assumed = [claim for claim in new.claims if claim.assumed and claim.line.text in known]
    both = _Both(old.policy, new.policy, assumed)
    return Diff(
        old=old.policy.digest,
        new=new.policy.digest,
        given=tuple(_word(*literal) for literal in both.given),
        changes=tuple(_joined(both.changes())),
        rows=tuple(changed_rows(old.policy.rules, new.policy.rules)),
        shieldings=tuple(changed_shieldings(old.shieldings, new.shieldings)),
        claims=tuple(changed_claims(old.claims, new.claims)),
    )


class _Both:
    """The answers of two policies beside each other."""

    def __init__(self, old: Policy, new: Policy, assumed: Sequence[Claim]) -> None:
        truths = self._truths = truths_of([old, new], assumed)
        self._old, self._new = (Answers(policy, assumed, truths) for policy in (old, new))
        self._regions = list(self._all_regions())

    def _all_regions(self) -> Iterator[tuple[Action, Role, Kind, str, Truth]]:
        for action in Action:
            for role in Role:
                for kind, duties, truth in self._regions_of(action, role):
                    there = self._truths.every((truth, self._old.world(role)))
                    if there != NEVER:
                        yield action, role, kind, duties, there

    def _regions_of(self, action: Action, role: Role) -> Iterator[tuple[Kind, str, Truth]]:
        before, after = self._old.allowed(action, role), self._new.allowed(action, role)
        yield Kind.GAINED, "", self._truths.but(after, before)
        yield Kind.LOST, "", self._truths.but(before, after)
        for had, where in self._old.duties(action, role).items():
            for has, there in self._new.duties(action, role).items():
                if had != has:
                    duties = f"{_duties(had)} -> {_duties(has)}"
                    yield Kind.DUTIES, duties, self._truths.every((where, there))

    @cached_property
    def given(self) -> tuple[tuple[str, bool], ...]:
        """The facts that are one way in every yes, old or new, of all that changes.

        Without what follows from the others, and from what is assumed.
        """
        asked = {(region[0], region[1]) for region in self._regions}
        both = (self._old, self._new)
        yes = [answers.allowed(*each) for each in asked for answers in both]
        can_be = self._truths.some(self._old.world(role) for _, role in asked)
        anywhere = self._truths.every((can_be, self._truths.some(yes)))
        literals = [(name, held) for name in self._truths.names for held in (True, False)]
        found = [each for each in literals if asked and self._follows(each, anywhere)]
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
        for action, role, kind, duties, truth in self._regions:
            can_be = self._truths.every((given, self._old.world(role)))
            terms = self._truths.terms(truth, beside=self._truths.negated(can_be))
            yield Change(
                action=action,
                roles=(role,),
                kind=kind,
                duties=duties,
                terms=tuple(_said(self._truths, term) for term in terms),
            )


def _said(truths: Truths, term: Need) -> str:
    """A term as a condition that the policy files could hold."""
    literals = ((name, held) for name in truths.names for held in (True, False))
    words = [_word(*literal) for literal in literals if literal in term]
    return " and ".join(words) or "always"


def _word(name: str, held: bool) -> str:  # noqa: FBT001 - the two halves of a literal
    return name if held else f"not {name}"


def _duties(duties: Iterable[Duty]) -> str:
    return " ".join(sorted(duties)) or "none"


def _joined(changes: Iterable[Change]) -> Iterator[Change]:
    """Roles for which the same changes stand together."""
    joined: dict[tuple[Action, Kind, str, tuple[str, ...]], list[Role]] = {}
    for change in changes:
        key = change.action, change.kind, change.duties, change.terms
        joined.setdefault(key, []).extend(change.roles)
    for (action, kind, duties, terms), roles in joined.items():
        yield Change(action=action, roles=tuple(roles), kind=kind, duties=duties, terms=terms)
