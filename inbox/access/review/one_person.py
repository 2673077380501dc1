"""What one person may put in force alone, and what needs two: decided by the exact difference.

A change that gains anything needs two people, by any command. One person may narrow, as long as
what controls the rules themselves stays, and as long as each action is left to somebody.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from inbox.access.files.bdd import FALSE
from inbox.access.files.decision_space import DecisionSpace, bdd_algebra_for
from inbox.access.files.folder import PolicyDraft
from inbox.access.policy.vocabulary import Action, Effect, Role
from inbox.access.review.diff import compare_policies

CONTROL_ACTIONS: Final = frozenset(
    {
        *(action for action in Action if action.startswith(("policy_", "route_", "directory_"))),
        Action.CLOSE_TASK,
    }
)
"""What rules, routing, directory and tasks are kept in order by: one person never narrows it."""


def why_two_people(old: PolicyDraft, new: PolicyDraft) -> tuple[str, ...]:
    """Why putting the new policy in place of the old one needs two people; empty: one suffices."""
    found = compare_policies(old, new)
    widens = [line for change in found.changes if change.widens for line in change.lines()]
    controls = {change.action for change in found.changes} & CONTROL_ACTIONS
    return (
        *(f"it gains: {line}" for line in widens),
        *(f"it changes a clearance: {line}" for line in found.shieldings),
        *(f"it changes who may {action}" for action in sorted(controls)),
        *_dropped_fences(old, new),
        *(f"nobody could {action} any more" for action in _lost_actions(old, new)),
    )


def _dropped_fences(old: PolicyDraft, new: PolicyDraft) -> Iterator[str]:
    """What was proved or denied before whatever else holds, and would not be any more.

    It gains nothing today, and lets the next change gain what this one could not.
    """
    kept = {replace(rule, bases=()) for rule in new.policy.rules}
    for rule in old.policy.rules:
        if rule.effect is Effect.DENY and replace(rule, bases=()) not in kept:
            yield f"it changes the deny row {rule.id}"
    claimed = {claim.line.text for claim in new.invariants}
    for claim in old.invariants:
        if not claim.is_assumption and claim.line.text not in claimed:
            yield f"it drops an invariant: {claim.line.text}"
    assumed = {claim.line.text for claim in old.invariants}
    for claim in new.invariants:
        if claim.is_assumption and claim.line.text not in assumed:
            yield f"it assumes more: {claim.line.text}"
    for name in old.header.never_overridden:
        if name not in new.header.never_overridden:
            yield f"{name} need no longer be able to stop something"


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
