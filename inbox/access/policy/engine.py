"""The policy engine: casbin decides from named facts who may do what.

The problem: lawyers must be able to read the rules, and the answer must be right for every
combination of facts, also when a fact is missing, a rule is damaged or a library fails.

The method: attribute-based access control in casbin's PERM model (policy, effect, request,
matchers; see `model.conf`), with its effect allow-and-deny: at least one allow rule must match, and
no deny rule may. An attribute is a named fact, looked up before the question is asked; a condition
over facts is parsed by `conditions`, never evaluated as text. Everything is closed: no rule, no
policy, a missing or unknown name, a value that is not a boolean, or any exception is a no.

An example, with one allow and one deny:

    >>> rows = [("A09", "assigned and cleared", Effect.ALLOW), ("D03", "conflict", Effect.DENY)]
    >>> rules = [PolicyRule(id=i, actions="*", roles="*", when=w, effect=e) for i, w, e in rows]
    >>> policy = Policy(rules, facts=["assigned", "cleared", "conflict"], digest="")
    >>> facts = {"assigned": True, "cleared": True, "conflict": True}
    >>> no = policy.decide(Role.HANDLER, facts, Action.OPEN)
    >>> no.allowed, no.rule, no.matching
    (False, 'D03', ('A09', 'D03'))
    >>> policy.decide(Role.HANDLER, {}, Action.OPEN).rule == ERROR_RULE
    True

Not done here: no fact is looked up (`facts.lookup`), no file is read (`files.folder`), no duty is
met (`line.authorize`), no answer is kept. casbin's roles, groups and `eval()` are not used. This is
the only module that imports casbin, and it is pure.
"""

import ast
import logging
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Final

import casbin
from casbin.model import Model

from inbox.access.policy.conditions import (
    ALWAYS,
    Condition,
    Conjunction,
    Interpretation,
    dnf_of,
    fold,
    literal_text,
    names_in,
    read_condition,
)
from inbox.access.policy.legal_basis import LegalBasis
from inbox.access.policy.names import LaterNames
from inbox.access.policy.shielding import ShieldingTable
from inbox.access.policy.vocabulary import (
    ERROR_RULE,
    NO_POLICY,
    NO_RULE,
    Action,
    Decision,
    Duty,
    Effect,
    NearMiss,
    PolicyRule,
    Role,
    RuleResult,
    by_fewest_duties,
    cell_includes,
)
from inbox.errors import PolicyError

__all__ = [
    "Action",
    "Decision",
    "Duty",
    "Effect",
    "NearMiss",
    "Policy",
    "PolicyRule",
    "Role",
    "model_text",
]

_MAX_NEAR_MISSES: Final = 3


@cache
def model_text() -> str:
    """The casbin model: the lines of `model.conf` that are neither empty nor comments."""
    lines = Path(__file__).with_name("model.conf").read_text("utf-8").splitlines()
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("#"))


class _CheckedFacts:
    """The facts of one question, validated.

    The caller may give more facts than the rules use, but no unknown ones and no values that are
    not booleans. Only the facts that the rules use are kept.

    `matched` collects the ids of the rules that casbin finds to match.
    """

    __slots__ = ("_facts", "matched")

    def __init__(
        self, facts: Mapping[str, bool], used: frozenset[str], known: frozenset[str]
    ) -> None:
        # A missing fact must not be guessed, and an unknown one is a mistake of the caller.
        if not used <= facts.keys() <= known:
            raise PolicyError("policy.facts", "a fact is missing, or is not in the closed list")
        # A driver may give 0 and 1, other code "false" or None: only True and False are answers.
        if any(type(value) is not bool for value in facts.values()):
            raise PolicyError("policy.facts", "a fact is neither True nor False")
        self._facts = {name: facts[name] for name in used}
        self.matched: list[str] = []

    def holds(self, name: str) -> bool:
        """Whether the fact is true; `always` is."""
        return name == ALWAYS or self._facts[name]

    def true_names(self) -> frozenset[str]:
        """The names of all facts that are true."""
        return frozenset(name for name, value in self._facts.items() if value)


class _Matcher:
    """The compiled casbin matcher.

    It replaces the interpreter that casbin would create from the expression on every call.
    """

    _NODES = (ast.Expression, ast.BoolOp, ast.And, ast.Call, ast.Name, ast.Load)

    def __init__(self, expression: str, functions: Mapping[str, object]) -> None:
        tree = ast.parse(re.sub(r"\s*&&\s*", " and ", expression), mode="eval")
        # `eval` below runs this tree and nothing else: an allowlist of nodes, checked before.
        if any(not isinstance(node, self._NODES) for node in ast.walk(tree)):
            raise PolicyError("policy.matcher", "the matcher is not made of calls joined by &&")
        self._code: CodeType = compile(tree, "matcher", "eval")
        self._names = {"__builtins__": {}, **functions}

    def eval(self, names: Mapping[str, object]) -> object:
        """Evaluate the matcher for one rule, and record the rule if it matches; casbin calls it."""
        answer = eval(self._code, self._names, names)  # noqa: S307 - the model's matcher, never a cell
        asked, rule_id = names["r_facts"], names["p_id"]
        if answer is True and isinstance(asked, _CheckedFacts) and isinstance(rule_id, str):
            asked.matched.append(rule_id)
        return answer


class _Enforcer(casbin.Enforcer):  # type: ignore[misc] # casbin comes without types
    """casbin's enforcer with one change: the matcher is compiled once and reused."""

    def __init__(self, rules: Iterable[PolicyRule], functions: Mapping[str, object]) -> None:
        model = Model()
        model.load_model_from_text(model_text())
        model["p"]["p"].policy.extend(
            [rule.id, rule.decided_actions, rule.roles, rule.when, "", rule.effect.value]
            for rule in rules
        )
        self._functions = functions
        self._matchers: dict[str, _Matcher] = {}
        super().__init__(model)
        # When casbin denies, it logs the whole request, unless its logger is switched off.
        self.logger = logging.Logger("silent", logging.CRITICAL + 1)  # noqa: LOG001 - as above

    def _get_expression(self, expression: str, functions: object = None) -> _Matcher:
        del functions
        if (matcher := self._matchers.get(expression)) is None:
            matcher = self._matchers[expression] = _Matcher(expression, self._functions)
        return matcher

    def allows(self, role: Role, facts: _CheckedFacts, action: Action) -> bool:
        """Whether casbin answers exactly True; a value that is merely truthy is a denial."""
        yes, _ = self.enforce_ex(role.value, facts, action.value)
        return yes is True


class Policy:
    """The rules of one policy, ready to decide. They never change: a new policy is a new object."""

    def __init__(
        self,
        rules: Sequence[PolicyRule],
        *,
        facts: Collection[str],
        digest: str,
        shieldings: ShieldingTable | None = None,
        later: LaterNames | None = None,
        bases: Mapping[str, LegalBasis] | None = None,
    ) -> None:
        self.rules: Final = tuple(rules)
        self.later: Final = later or LaterNames()
        """The names that the vocabulary got after this policy was written."""
        self.bases: Final[Mapping[str, LegalBasis]] = bases or {}
        """The legal bases that rules name, by their ids."""
        self.digest: Final = digest
        self.facts: Final = frozenset(facts)
        self.conditions: Final[Mapping[str, Condition]] = {
            rule.when: read_condition(rule.when, self.facts) for rule in rules
        }
        """What each `when` cell says, by its text."""
        self._shieldings = shieldings or ShieldingTable(())
        self._dnf = {rule.id: dnf_of(self.conditions[rule.when]) for rule in rules}
        if len(self._dnf) != len(rules):
            raise PolicyError("policy.rule_id_twice", "two rules have one id")
        self._facts_of_rule = {rule.id: names_in(self.conditions[rule.when]) for rule in rules}
        self._facts_used: dict[tuple[Action, Role], frozenset[str]] = {}
        functions = {"named": cell_includes, "holds": _holds_function(self.conditions)}
        self._functions: Final = functions
        # casbin stops at the first deny that matches. The allow rules stand first, so all of them
        # have been evaluated by then, and `matched` is complete for them.
        ordered = sorted(rules, key=lambda rule: rule.effect is Effect.DENY)
        self._by_id = {rule.id: rule for rule in ordered}
        self._ordered: Final = tuple(ordered)
        self._applicable: dict[tuple[Action, Role], tuple[PolicyRule, ...]] = {}
        self._enforcers: dict[tuple[Action, Role], _Enforcer] = {}
        self._single_deny_enforcers: Final[Mapping[str, _Enforcer]] = {
            rule.id: _Enforcer([rule], functions) for rule in rules if rule.effect is Effect.DENY
        }

    @classmethod
    def deny_all(cls, digest: str) -> "Policy":
        """A policy that denies everything, used when the active policy cannot be read."""
        return cls((), facts=(), digest=digest)

    def shielding_code(
        self, access_restriction: str | None, authority: str | None = None
    ) -> str | None:
        """The code of the clearance that is required to see what these texts restrict.

        It is None if no clearance is required.
        """
        return self._shieldings.code_of(access_restriction, authority)

    def facts_used(self, action: Action, role: Role) -> frozenset[str]:
        """The facts that the rules for this action and role use, and no others."""
        if (asked := self._facts_used.get((action, role))) is None:
            used = [self._facts_of_rule[rule.id] for rule in self._applicable_rules(action, role)]
            asked = self._facts_used[action, role] = frozenset().union(*used)
        return asked

    def decide(self, role: Role, facts: Mapping[str, bool], action: Action) -> Decision:
        """Decide whether this role may perform the action when these facts are true.

        Raises nothing.

        The facts are at least those that `facts_used` names; a rule gets those and no others.
        """
        try:
            if not self.rules:
                return _denial(action, NO_POLICY, self.digest)
            role, action = Role(role), Action(action)
            asked = _CheckedFacts(facts, self.facts_used(action, role), self.facts)
            return self._decide(role, asked, action)
        except Exception:  # noqa: BLE001 - whatever casbin throws, the answer is no
            return _denial(action, ERROR_RULE, self.digest)

    def explain_rules(
        self, role: Role, facts: Mapping[str, bool], action: Action
    ) -> tuple[RuleResult, ...]:
        """The result of every rule that applies to this action and role.

        Each rule is evaluated alone by casbin.

        An exception that `decide` turns into a denial is raised here, for example `PolicyError` for
        a missing fact.
        """
        told = []
        for rule in self._applicable_rules(action, role):
            asked = _CheckedFacts(facts, self.facts_used(action, role), self.facts)
            _Enforcer([rule], self._functions).allows(role, asked, action)
            lacks = [_missing_literals(way, asked) for way in self._dnf[rule.id]]
            fewest = () if asked.matched else min(lacks, key=len, default=())
            told.append(RuleResult(rule=rule, matched=bool(asked.matched), missing=fewest))
        return tuple(told)

    def _decide(self, role: Role, asked: _CheckedFacts, action: Action) -> Decision:
        enforcer = self._enforcer_for(action, role)
        allowed = enforcer is not None and enforcer.allows(role, asked, action)
        if any(self._by_id[rule_id].effect is Effect.DENY for rule_id in asked.matched):
            self._match_all_denies(role, asked, action)
        matching = [self._by_id[rule_id] for rule_id in dict.fromkeys(asked.matched)]
        allows = [rule for rule in matching if rule.effect is Effect.ALLOW]
        denies = [rule for rule in matching if rule.effect is Effect.DENY]
        # casbin's answer and the matches it reported must agree; a difference is an error, so a no.
        if allowed is not (bool(allows) and not denies):
            raise PolicyError(
                "policy.disagrees", "casbin's answer does not follow from its matches"
            )
        ranked = denies or by_fewest_duties(allows)
        return Decision(
            allowed=allowed,
            action=action.value,
            rule=ranked[0].id if ranked else NO_RULE,
            digest=self.digest,
            matching=tuple(rule.id for rule in matching),
            near_misses=() if allowed else self._near_misses(role, asked, action),
            duties=ranked[0].duties if ranked else frozenset(),
            facts=asked.true_names(),
        )

    def _applicable_rules(self, action: Action, role: Role) -> tuple[PolicyRule, ...]:
        if (rules := self._applicable.get((action, role))) is None:
            rules = tuple(rule for rule in self._ordered if rule.applies_to(action, role))
            self._applicable[action, role] = rules
        return rules

    def _enforcer_for(self, action: Action, role: Role) -> _Enforcer | None:
        """The cached enforcer with only the rules that apply to this action and role.

        None if no rule applies. Two threads may both build it, with the same result.
        """
        if (enforcer := self._enforcers.get((action, role))) is None:
            if not (rules := self._applicable_rules(action, role)):
                return None
            enforcer = self._enforcers[action, role] = _Enforcer(rules, self._functions)
        return enforcer

    def _match_all_denies(self, role: Role, asked: _CheckedFacts, action: Action) -> None:
        """Evaluate each deny rule alone, because casbin stops at the first deny that matches."""
        for rule in self._applicable_rules(action, role):
            if rule.effect is Effect.DENY:
                self._single_deny_enforcers[rule.id].allows(role, asked, action)

    def _near_misses(
        self, role: Role, asked: _CheckedFacts, action: Action
    ) -> tuple[NearMiss, ...]:
        """The allow rules of this role that miss the fewest literals, nearest first."""
        missed = []
        for rule in self._applicable_rules(action, role):
            if rule.effect is Effect.ALLOW:
                lacks = [_missing_literals(way, asked) for way in self._dnf[rule.id]]
                if lacks and all(lacks):
                    missed.append(NearMiss(rule=rule.id, missing=min(lacks, key=len)))
        return tuple(sorted(missed, key=lambda miss: len(miss.missing))[:_MAX_NEAR_MISSES])


_Predicate = Callable[[_CheckedFacts], bool]
_PREDICATE: Final = Interpretation[_Predicate](
    atom=lambda name: lambda asked: asked.holds(name),
    negate=lambda part: lambda asked: not part(asked),
    conjoin=lambda parts: lambda asked: all(part(asked) for part in parts),
    disjoin=lambda parts: lambda asked: any(part(asked) for part in parts),
)
"""Compiles a condition to a Python function of the checked facts, without evaluating any text."""


def _holds_function(conditions: Mapping[str, Condition]) -> Callable[[str, _CheckedFacts], bool]:
    """The function `holds` that the casbin matcher calls for each rule.

    An unknown condition text is an error, and an error denies access.
    """
    tests = {when: fold(condition, _PREDICATE) for when, condition in conditions.items()}
    return lambda when, asked: tests[when](asked)


def _missing_literals(way: Conjunction, asked: _CheckedFacts) -> tuple[str, ...]:
    lacks = sorted((name, wanted) for name, wanted in way if asked.holds(name) is not wanted)
    return tuple(literal_text(*each) for each in lacks)


def _denial(action: object, rule: str, digest: str) -> Decision:
    return Decision(allowed=False, action=str(action), rule=rule, digest=digest)
