"""The rows to propose for actions that a policy is too old to know. Pure.

They are those of the shipped policy, under ids that the policy has free: a row that allows as it
is, a row that denies for the one action.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, PolicyRule, cell_includes, duties_text


def rows_to_propose(policy: Policy, shipped: Policy) -> Mapping[Action, tuple[str, ...]]:
    """By each action that no row of the policy decides: the rows that would, as written."""
    taken = {rule.id for rule in policy.rules}
    proposed = {}
    for action in policy.later.denied:
        rows = []
        for rule in shipped.rules:
            if rule.actions != "*" and cell_includes(rule.actions, action):
                free = next(each for each in _ids_from(rule.id) if each not in taken)
                taken.add(free)
                rows.append(_row(replace(rule, id=free, actions=action.value), policy.bases))
        proposed[action] = tuple(rows)
    return proposed


def _ids_from(wanted: str) -> Iterator[str]:
    """This id, the same with a letter, and then every other of its kind."""
    yield wanted
    for number in (wanted[:3], *(f"{wanted[0]}{n:02}" for n in range(1, 100))):
        yield from (f"{number}{letter}" for letter in "bcdefghijklmnopqrstuvwxyz")


def _row(rule: PolicyRule, bases: Collection[str]) -> str:
    """The row, with those of its legal bases that the policy has."""
    known = " ".join(basis for basis in rule.bases if basis in bases)
    duties = duties_text(rule.duties)
    cells = ("p", rule.id, rule.actions, rule.roles, rule.when, duties, rule.effect.value, known)
    return ", ".join(cell for cell in cells if cell)
