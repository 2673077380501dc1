"""What one person may put in force alone, and what needs two: decided by the exact difference.

A change that gains anything needs two people, by any command. One person may narrow, as long as
what controls the rules themselves stays, and as long as each action is left to somebody.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from inbox.access.files.bdd import FALSE
from inbox.access.files.decision_space import DecisionSpace, bdd_algebra_for
from inbox.access.files.folder import PolicyDraft
from inbox.access.policy.names import Vocabulary
from inbox.access.policy.vocabulary import Action, Effect, Role
from inbox.access.review.diff import ChangeKind, DecisionChange, compare_policies
from inbox.access.review.sentences import AccessSentences
from inbox.access.review.text_diff import WrittenChange
from inbox.strict.phrases import Phrase, PhraseBook, phrase_in_all

_WHY: Final = PhraseBook(Path(__file__).with_name("access_texts.toml"))
CONTROL_ACTIONS: Final = frozenset(
    {
        *(action for action in Action if action.startswith(("policy_", "route_", "directory_"))),
        Action.CLOSE_TASK,
    }
)
"""What rules, routing, directory and tasks are kept in order by: one person never narrows it."""


def why_two_people(old: PolicyDraft, new: PolicyDraft) -> tuple[Phrase, ...]:
    """Why putting the new policy in place of the old one needs two people; empty: one suffices."""
    found, words = compare_policies(old, new), _Words(new.vocabulary)
    controls = {change.action for change in found.changes} & CONTROL_ACTIONS
    return (
        *(words.gain(change) for change in found.changes if change.widens),
        *(
            _WHY("why.clearance", change=words.written(change))
            for change in found.written_elsewhere
            if change.is_about_shielding
        ),
        *(_WHY("why.controls", action=words.name(action)) for action in sorted(controls)),
        *_dropped_fences(old, new, words),
        *(_WHY("why.lost", action=words.name(action)) for action in _lost_actions(old, new)),
    )


@dataclass(frozen=True)
class _Words:
    """The sentences of all languages, as parts of phrases."""

    vocabulary: Vocabulary

    def say(self, say: Callable[[AccessSentences], str]) -> Phrase:
        return phrase_in_all(
            lambda each: say(AccessSentences(vocabulary=self.vocabulary, language=each))
        )

    def name(self, name: str) -> Phrase:
        return self.say(lambda said: said.name(name))

    def written(self, change: WrittenChange) -> Phrase:
        return self.say(lambda said: said.text(f"written.{change.kind}", *change.parts))

    def gain(self, change: DecisionChange) -> Phrase:
        roles = self.say(lambda said: said.roles(change.roles))
        action = self.name(change.action)
        if change.kind is not ChangeKind.DUTIES:
            return _WHY("why.gained", roles=roles, action=action)
        old = self.say(lambda said: said.duties(change.old_duties))
        new = self.say(lambda said: said.duties(change.new_duties))
        return _WHY("why.fewer_duties", roles=roles, action=action, old=old, new=new)


def _dropped_fences(old: PolicyDraft, new: PolicyDraft, words: _Words) -> Iterator[Phrase]:
    """What was proved or denied before whatever else holds, and would not be any more.

    It gains nothing today, and lets the next change gain what this one could not.
    """
    kept = {replace(rule, bases=()) for rule in new.policy.rules}
    for rule in old.policy.rules:
        if rule.effect is Effect.DENY and replace(rule, bases=()) not in kept:
            yield _WHY("why.deny_row", rule=rule.id)
    claimed = {claim.line.text for claim in new.invariants}
    for claim in old.invariants:
        if not claim.is_assumption and claim.line.text not in claimed:
            yield _WHY("why.invariant", invariant=claim.line.text)
    assumed = {claim.line.text for claim in old.invariants}
    for claim in new.invariants:
        if claim.is_assumption and claim.line.text not in assumed:
            yield _WHY("why.assumption", assumption=claim.line.text)
    for name in old.header.never_overridden:
        if name not in new.header.never_overridden:
            yield _WHY("why.overridden", fact=words.name(name))


def _lost_actions(old: PolicyDraft, new: PolicyDraft) -> Iterator[Action]:
    """The actions that somebody may do before, and nobody after."""
    algebra = bdd_algebra_for([old.policy, new.policy], [*old.invariants, *new.invariants])
    before, after = (DecisionSpace(draft.policy, draft.invariants, algebra) for draft in (old, new))

    def is_possible(space: DecisionSpace, action: Action) -> bool:
        return any(
            algebra.conjoin((space.allowed(action, role), space.assumptions(role))) != FALSE
            for role in Role
        )

    for action in Action:
        if is_possible(before, action) and not is_possible(after, action):
            yield action
