"""Lint of a valid policy: rules without effect, and facts and actions that no rule uses. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from inbox.access.files.bdd import NEVER, Truth, Truths
from inbox.access.files.decision_space import Answers, truths_of
from inbox.access.files.folder import Draft
from inbox.access.files.proofs import broken_claims
from inbox.access.policy.conditions import names_in
from inbox.access.policy.vocabulary import Action, Effect, Role, Rule, named


@dataclass(frozen=True, kw_only=True)
class Finding:
    """An error to correct, or a note."""

    code: str
    about: str
    text: str
    wrong: bool


def lint(draft: Draft) -> tuple[Finding, ...]:
    """What a policy editor should look at: errors first, then notes.

    A row that denies what no row allows is told only: two fences may be meant.
    """
    looked = _Looked(draft)
    found = [
        *_broken(draft),
        *(finding for rule in draft.policy.rules for finding in looked.at(rule)),
        *_unused(draft),
    ]
    return tuple(sorted(found, key=lambda finding: not finding.wrong))


def _broken(draft: Draft) -> Iterator[Finding]:
    for broken in broken_claims(draft.policy, draft.claims):
        yield Finding(code="invariant", about=broken.claim.line.text, text=str(broken), wrong=True)


class _Looked:
    """Compares each rule with the policy without that rule."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._truths: Truths = truths_of([draft.policy], draft.claims)
        self._whole = Answers(draft.policy, draft.claims, self._truths)

    def at(self, rule: Rule) -> Iterator[Finding]:
        """The findings about one rule."""
        roles = [role for role in Role if named(rule.roles, role)]
        dead = [role for role in roles if self._there(self._whole.when(rule), role) == NEVER]
        if len(dead) == len(roles):
            text = "no one can match it, under the assumptions of invariants.txt"
            yield Finding(code="dead", about=rule.id, text=text, wrong=True)
        elif dead and rule.roles != "*":
            text = f"never matches for {' '.join(dead)}, under the assumptions of invariants.txt"
            yield Finding(code="dead_role", about=rule.id, text=text, wrong=True)
        elif not self._matters(rule, roles):
            wrong = rule.effect is Effect.ALLOW
            text = "changes nothing: without it every decision and duty is the same"
            yield Finding(code="redundant", about=rule.id, text=text, wrong=wrong)

    def _there(self, truth: Truth, role: Role) -> Truth:
        return self._truths.every((truth, self._whole.world(role)))

    def _matters(self, rule: Rule, roles: list[Role]) -> bool:
        without = Answers(self._draft.policy, self._draft.claims, self._truths, without=rule.id)
        asked = [(a, role) for a in Action if named(rule.acts, a) for role in roles]
        return any(self._yes(self._whole, *each) != self._yes(without, *each) for each in asked)

    def _yes(self, answers: Answers, action: Action, role: Role) -> dict[str, Truth]:
        """Where a yes binds to which duties, of what can be."""
        duties = answers.duties(action, role).items()
        there = {" ".join(sorted(some)): self._there(truth, role) for some, truth in duties}
        return {some: truth for some, truth in there.items() if truth != NEVER}


def _unused(draft: Draft) -> Iterator[Finding]:
    rules, conditions = draft.policy.rules, draft.policy.conditions
    used = frozenset[str]().union(*(names_in(conditions[rule.when]) for rule in rules))
    for fact in sorted(draft.policy.facts - used):
        yield Finding(code="fact_unused", about=fact, text="no row uses the fact", wrong=False)
    allowed = {rule.acts for rule in rules if rule.effect is Effect.ALLOW}
    for action in Action:
        if action not in allowed:
            text = "no row allows it, so nobody may do it"
            yield Finding(code="action_denied", about=action, text=text, wrong=False)
