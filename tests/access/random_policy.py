"""Policies by seed over every fact or changed at random, and what stock casbin says of them.

Nothing of `inbox.access.policy.engine` but the text of the model is used by the stock side.
"""

# ruff: noqa: S311 - drawn by seed, not secret

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import casbin
from casbin.model import Model

from inbox.access import Action, Duty, OfMessage, Policy, Role
from inbox.access.facts.registry import ACTION_SUBJECTS, FACTS
from inbox.access.policy.conditions import names_in
from inbox.access.policy.engine import model_text
from inbox.access.policy.vocabulary import NO_RULE, Effect, PolicyRule, cell_includes

ACTIONS_ABOUT_MESSAGES = [action for action in Action if OfMessage in ACTION_SUBJECTS[action]]
CHANGED_ACTIONS = (
    Action.ROUTE,
    Action.LIST,
    Action.OPEN,
    Action.TAKE,
    Action.HAND_BACK,
    Action.RELEASE,
)
"""Those whose rules are changed at random."""


def random_condition(chance: random.Random, depth: int = 2) -> str:
    """Facts of the closed list, nested and negated."""
    roll = chance.random()
    if depth == 0 or roll < 0.4:
        name = chance.choice([*FACTS] * 8 + ["always"])
        return name if chance.random() < 0.7 else f"not {name}"
    parts = [random_condition(chance, depth - 1) for _ in range(chance.choice([2, 2, 3]))]
    joined = chance.choice([" and ", " or "]).join(
        part if part.removeprefix("not ").isidentifier() else f"({part})" for part in parts
    )
    return f"not ({joined})" if roll > 0.9 else joined


def random_policy(seed: int | str, actions: Sequence[Action]) -> Policy:
    """Some rows that allow, some that deny, in any order, with duties; over these actions."""
    chance = random.Random(seed)
    rules = []
    for number in range(chance.randint(3, 8)):
        allows = chance.random() < 0.65
        acts = chance.sample(list(actions), 1 if allows else chance.randint(1, len(actions)))
        roles = chance.sample(list(Role), chance.randint(2, 6))
        wild = not allows and chance.random() < 0.2
        rules.append(
            PolicyRule(
                id=f"{'A' if allows else 'D'}{number:02}",
                actions="*" if wild else " ".join(acts),
                roles="*" if chance.random() < (0.3 if allows else 0.5) else " ".join(roles),
                when=random_condition(chance),
                duties=frozenset(chance.sample(list(Duty), chance.randint(0, 3))),
                effect=Effect.ALLOW if allows else Effect.DENY,
            )
        )
    return Policy(rules, facts=FACTS, digest=str(seed))


def policy_with_random_changes(policy: Policy, chance: random.Random) -> Policy:
    """One or two rows with another condition, for more roles, or not there."""
    rules = list(policy.rules)
    conditions = [rule.when for rule in rules if _rests_on_rows(policy, rule)]
    for _ in range(2):
        at = chance.choice([n for n, rule in enumerate(rules) if _includes_changed_action(rule)])
        rule = rules[at]
        other = chance.choice(conditions)
        when = chance.choice([rule.when, f"({rule.when}) and ({other})", other, "always"])
        roles = chance.choice([rule.roles, "handler leader archivist"])
        rules[at] = PolicyRule(
            id=rule.id, actions=rule.actions, roles=roles, when=when, effect=rule.effect
        )
        if chance.random() < 0.3:
            del rules[at]
    return Policy(rules, facts=FACTS, digest="changed")


def _rests_on_rows(policy: Policy, rule: PolicyRule) -> bool:
    """The list knows what this request brings; all at once anything may be brought."""
    brought = {"proposed_by_other", "target_in_unit", "target_cleared", "target_conflict"}
    brought |= {name for name, fact in FACTS.items() if fact.from_request is not None}
    return not names_in(policy.conditions[rule.when]) & brought


def _includes_changed_action(rule: PolicyRule) -> bool:
    return any(cell_includes(rule.actions, action) for action in CHANGED_ACTIONS)


@dataclass(frozen=True)
class Held:
    """The facts of one question, by name, as stock casbin carries them."""

    facts: dict[str, bool]


def _says(cell: str, word: str) -> bool:
    return cell == "*" or word in cell.split()


def _holds(when: str, held: Held) -> bool:
    """A cell read as Python, which has the same three words and the same brackets."""
    names = {"__builtins__": {}, "always": True, **held.facts}
    return eval(when, names) is True  # noqa: S307 - a cell of this test's own making


def _enforcer(rules: Sequence[PolicyRule]) -> casbin.Enforcer:
    model = Model()
    model.load_model_from_text(model_text())
    enforcer = casbin.Enforcer(model)
    for rule in rules:
        enforcer.add_policy(rule.id, rule.actions, rule.roles, rule.when, "none", rule.effect.value)
    enforcer.add_function("named", _says)
    enforcer.add_function("holds", _holds)
    return enforcer


class Stock:
    """casbin as it is installed: an enforcer over all rules, and one for each rule by itself."""

    def __init__(self, policy: Policy) -> None:
        self._rules = policy.rules
        self._whole = _enforcer(policy.rules)
        # A single rule is asked as one that allows: whether it matches is all that is asked.
        self._alone = {
            rule.id: _enforcer([replace(rule, effect=Effect.ALLOW)]) for rule in policy.rules
        }

    def decide(
        self, role: Role, facts: dict[str, bool], action: Action
    ) -> tuple[bool, str, set[str]]:
        """Yes or no, the rule to name, and all that match."""
        held = Held(facts)
        yes, _ = self._whole.enforce_ex(role.value, held, action.value)
        matching = [
            rule
            for rule in self._rules
            if self._alone[rule.id].enforce_ex(role.value, held, action.value)[0]
        ]
        denies = [rule for rule in matching if rule.effect is Effect.DENY]
        named = denies or sorted(matching, key=lambda rule: len(rule.duties))
        rule_id = named[0].id if named else NO_RULE
        return yes, rule_id, {rule.id for rule in matching}
