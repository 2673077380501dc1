"""What casbin's part of a decision costs beside other engines, and what the proof of all costs."""

import random
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import casbin
import cedarpy
from casbin.model import Model

from inbox.access import Action, Policy, Role
from inbox.access.facts.registry import FACTS
from inbox.access.files.folder import PolicyDraft, load_draft
from inbox.access.files.proofs import violated_invariants
from inbox.access.policy.engine import model_text
from inbox.access.policy.vocabulary import Effect, PolicyRule, cell_includes
from tests.bench.figure import Figure, Of, Target, in_turn
from tests.bench.outcome import WrongOutcome

_POLICIES = Path(__file__).parents[2] / "policies"
_AT_ONCE = 50
_ENTITIES = "[]"


class _Question(NamedTuple):
    """What is asked, and the facts that its rules use."""

    role: Role
    action: Action
    facts: Mapping[str, bool]


def figures(database: str, folder: Path) -> list[Figure]:
    """With the product's own rules; no database has a part in it, so it is measured once."""
    del folder
    return _measured(200, 20) if database.startswith("sqlite") else []


def quick(database: str, folder: Path) -> list[Figure]:
    """A few questions."""
    del folder
    return _measured(2, 2) if database.startswith("sqlite") else []


def _measured(runs: int, proofs: int) -> list[Figure]:
    draft = load_draft(_POLICIES)
    return [*_steps(draft.verified_policy(), runs), _proof(draft, proofs)]


def _proof(draft: PolicyDraft, runs: int) -> Figure:
    """Every invariant, for every role and every combination of facts; in processor time."""
    denies_less = [rule for rule in draft.policy.rules if rule.effect is Effect.ALLOW]
    wider = Policy(denies_less, facts=FACTS, digest="wider")
    if violated_invariants(draft.policy, draft.invariants) or not violated_invariants(
        wider, draft.invariants
    ):
        raise WrongOutcome("the measured proof proves nothing")
    taken = []
    for _ in range(runs):
        began = time.thread_time()
        violated_invariants(draft.policy, draft.invariants)
        taken.append((time.thread_time() - began) * 1_000)
    return Figure(
        what="proof of all invariants over the product's rules",
        database="-",
        unit="ms",
        ours=tuple(taken),
        target=Target(at_most=100),
    )


def _steps(policy: Policy, runs: int) -> list[Figure]:
    chance = random.Random(5)  # noqa: S311 - which ones does not matter
    questions = [_question(policy, chance) for _ in range(1_000)]
    ours, cedar, stock = _ours(policy), _cedar(policy), _stock(policy)
    for one in questions[:200]:
        if not ours(one) is cedar(one) is stock(one):
            raise WrongOutcome(f"the engines disagree: {one}")
    found = []
    for other, what, target in (
        (cedar, "cedarpy, everything parsed once", Target(at_most=0.35, of=Of.RATIO)),
        (stock, "stock casbin", None),
    ):
        taken, beside = in_turn(_timed(ours, questions), _timed(other, questions), runs)
        found.append(
            Figure(
                what="casbin's step of a decision over the product's rules",
                database="-",
                unit="us",
                ours=taken,
                beside=beside,
                beside_what=what,
                target=target,
            )
        )
    return found


def _timed(ask: Callable[[_Question], bool], questions: list[_Question]) -> Callable[[], float]:
    """Processor time of one question over some, in microseconds; the same ones for every engine."""
    chance = random.Random(9)  # noqa: S311 - the same order for each

    def take() -> float:
        some = chance.choices(questions, k=_AT_ONCE)
        began = time.thread_time()
        for one in some:
            ask(one)
        return (time.thread_time() - began) / _AT_ONCE * 1_000_000

    return take


def _question(policy: Policy, chance: random.Random) -> _Question:
    """Of the actions that people ask for most; facts as the database would say them."""
    role = chance.choice([Role.HANDLER, Role.LEADER, Role.ARCHIVIST])
    action = chance.choice([Action.OPEN, Action.LIST, Action.RELEASE, Action.PLACE])
    often = {"active_capacity", "active_person", "own_organisation", "in_unit", "cleared"}
    return _Question(
        role,
        action,
        {
            name: chance.random() < (0.95 if name in often else 0.3)
            for name in sorted(policy.facts_used(action, role))
        },
    )


def _ours(policy: Policy) -> Callable[[_Question], bool]:
    return lambda one: policy.decide(one.role, one.facts, one.action).allowed


def _cedar(policy: Policy) -> Callable[[_Question], bool]:
    """The same rules in Cedar, policies and entities parsed once."""
    rules = cedarpy.PolicySet.from_str("\n".join(_in_cedar(rule) for rule in policy.rules))
    entities = cedarpy.Entities.from_json_str(_ENTITIES)

    def ask(one: _Question) -> bool:
        request = {
            "principal": {"type": "User", "id": "u"},
            "action": {"type": "Action", "id": one.action.value},
            "resource": {"type": "Message", "id": "m"},
            "context": {"role": one.role.value, **one.facts},
        }
        return bool(cedarpy.is_authorized(request, rules, entities).allowed)

    return ask


def _in_cedar(rule: PolicyRule) -> str:
    words = {"and": "&&", "or": "||", "not": "!", "always": "true", "(": "(", ")": ")"}
    parts = re.findall(r"[a-z_]+|[()]", rule.when)
    condition = " ".join(words.get(part, f"context.{part}") for part in parts)
    acts = list(Action) if rule.actions == "*" else rule.actions.split(" ")
    roles = list(Role) if rule.roles == "*" else rule.roles.split(" ")
    allowed = "permit" if rule.effect is Effect.ALLOW else "forbid"
    actions = ", ".join(f'Action::"{act}"' for act in acts)
    role = " || ".join(f'context.role == "{role}"' for role in roles)
    return (
        f"{allowed}(principal, action in [{actions}], resource)"
        f" when {{ ({role}) && ({condition}) }};"
    )


class _Facts:
    """Slots, so that simpleeval does not walk through them."""

    __slots__ = ("held",)

    def __init__(self, held: Mapping[str, bool]) -> None:
        self.held = held


def _stock(policy: Policy) -> Callable[[_Question], bool]:
    """Every rule in one enforcer as it comes, with functions in place of `eval`."""
    model = Model()
    model.load_model_from_text(model_text())
    model["p"]["p"].policy.extend(
        [rule.id, rule.actions, rule.roles, rule.when, "", rule.effect.value]
        for rule in policy.rules
    )
    enforcer = casbin.Enforcer(model)
    tests = {rule.when: compile(rule.when, rule.id, "eval") for rule in policy.rules}
    enforcer.add_function("named", cell_includes)
    enforcer.add_function(
        "holds",
        lambda when, facts: eval(tests[when], {"always": True}, facts.held),  # noqa: S307 - our own rows
    )
    everything = dict.fromkeys(policy.facts, False)
    return lambda one: bool(
        enforcer.enforce(one.role.value, _Facts(everything | dict(one.facts)), one.action.value)
    )
