"""Who may do what, decided by casbin over named facts: pure, and the only module that knows casbin.

Closed: no rule, no policy, a name that is missing or unknown, a value that is no boolean, or any
exception is a no.
"""

import ast
import logging
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import CodeType
from typing import Final

import casbin
from casbin.model import Model

from inbox.access.policy.conditions import (
    ALWAYS,
    Condition,
    Meaning,
    Need,
    fold,
    literal_of,
    names_in,
    read_condition,
    ways_of,
)
from inbox.access.policy.shielding import Shieldings
from inbox.access.policy.vocabulary import (
    ERROR,
    NO_POLICY,
    NO_RULE,
    Action,
    Decision,
    Duty,
    Effect,
    Miss,
    Role,
    Rule,
    Told,
    basis_first,
    named,
)
from inbox.errors import PolicyError

__all__ = ["MODEL", "Action", "Decision", "Duty", "Effect", "Miss", "Policy", "Role", "Rule"]

MODEL: Final = """\
[request_definition]
r = role, facts, act
[policy_definition]
p = id, act, role, when, duty, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = named(p.act, r.act) && named(p.role, r.role) && holds(p.when, r.facts)
"""
_SHOWN_MISSES: Final = 3


class _Asked:
    """The facts of one question, checked: those that its rules use, known names, booleans only.

    `matched` collects the ids of the rules that casbin finds to match.
    """

    __slots__ = ("_facts", "matched")

    def __init__(
        self, facts: Mapping[str, bool], used: frozenset[str], known: frozenset[str]
    ) -> None:
        if not used <= facts.keys() <= known:
            raise PolicyError("policy.facts", "a fact is missing, or is none of the closed list")
        if any(type(value) is not bool for value in facts.values()):
            raise PolicyError("policy.facts", "a fact is neither True nor False")
        self._facts = {name: facts[name] for name in used}
        self.matched: list[str] = []

    def holds(self, name: str) -> bool:
        """Whether the fact is true; `always` is."""
        return name == ALWAYS or self._facts[name]

    def held(self) -> frozenset[str]:
        """The names of all facts that are true."""
        return frozenset(name for name, value in self._facts.items() if value)


class _Matcher:
    """Stands in for the interpreter that casbin would make of its matcher on every call."""

    _NODES = (ast.Expression, ast.BoolOp, ast.And, ast.Call, ast.Name, ast.Load)

    def __init__(self, expression: str, functions: Mapping[str, object]) -> None:
        tree = ast.parse(re.sub(r"\s*&&\s*", " and ", expression), mode="eval")
        if any(not isinstance(node, self._NODES) for node in ast.walk(tree)):
            raise PolicyError("policy.matcher", "the matcher is not made of calls joined by &&")
        self._code: CodeType = compile(tree, "matcher", "eval")
        self._names = {"__builtins__": {}, **functions}

    def eval(self, names: Mapping[str, object]) -> object:
        """Evaluate the matcher for one rule, and record the rule if it matches; casbin calls it."""
        answer = eval(self._code, self._names, names)  # noqa: S307 - MODEL's matcher, never a cell
        asked, rule_id = names["r_facts"], names["p_id"]
        if answer is True and isinstance(asked, _Asked) and isinstance(rule_id, str):
            asked.matched.append(rule_id)
        return answer


class _Enforcer(casbin.Enforcer):  # type: ignore[misc] # casbin comes without types
    """casbin's enforcer with one change: the matcher is compiled once and reused."""

    def __init__(self, rules: Iterable[Rule], functions: Mapping[str, object]) -> None:
        model = Model()
        model.load_model_from_text(MODEL)
        model["p"]["p"].policy.extend(
            [rule.id, rule.acts, rule.roles, rule.when, "", rule.effect.value] for rule in rules
        )
        self._functions = functions
        self._matchers: dict[str, _Matcher] = {}
        super().__init__(model)
        # On a no casbin writes the whole request to its log, unless that is switched off.
        self.logger = logging.Logger("silent", logging.CRITICAL + 1)  # noqa: LOG001 - as above

    def _get_expression(self, expression: str, functions: object = None) -> _Matcher:
        del functions
        if (matcher := self._matchers.get(expression)) is None:
            matcher = self._matchers[expression] = _Matcher(expression, self._functions)
        return matcher

    def says_yes(self, role: Role, facts: _Asked, action: Action) -> bool:
        """Whether casbin answers exactly True; a value that is merely truthy is a denial."""
        yes, _ = self.enforce_ex(role.value, facts, action.value)
        return yes is True


class Policy:
    """The rules of one policy, ready to decide. They never change: a new policy is a new object."""

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        facts: Collection[str],
        digest: str,
        shieldings: Shieldings | None = None,
    ) -> None:
        self.rules: Final = tuple(rules)
        self.digest: Final = digest
        self.facts: Final = frozenset(facts)
        self.conditions: Final[Mapping[str, Condition]] = {
            rule.when: read_condition(rule.when, self.facts) for rule in rules
        }
        """What each `when` cell says, by its text."""
        self._shieldings = shieldings or Shieldings(())
        self._ways = {rule.id: ways_of(self.conditions[rule.when]) for rule in rules}
        if len(self._ways) != len(rules):
            raise PolicyError("policy.rule_id_twice", "two rules have one id")
        self._uses = {rule.id: names_in(self.conditions[rule.when]) for rule in rules}
        self._asks: dict[tuple[Action, Role], frozenset[str]] = {}
        functions = {"named": named, "holds": _holds_in(self.conditions)}
        self._functions: Final = functions
        # casbin stops at the first deny that matches: with every allow before, none is left out.
        ordered = sorted(rules, key=lambda rule: rule.effect is Effect.DENY)
        self._by_id = {rule.id: rule for rule in ordered}
        self._ordered: Final = tuple(ordered)
        self._concerned: dict[tuple[Action, Role], tuple[Rule, ...]] = {}
        self._enforcers: dict[tuple[Action, Role], _Enforcer] = {}
        self._alone: Final[Mapping[str, _Enforcer]] = {
            rule.id: _Enforcer([rule], functions) for rule in rules if rule.effect is Effect.DENY
        }

    @classmethod
    def nobody(cls, digest: str) -> "Policy":
        """A policy that denies everything, used when the active policy cannot be read."""
        return cls((), facts=(), digest=digest)

    def shielding(self, access_restriction: str | None, authority: str | None = None) -> str | None:
        """The code of the clearance it takes to see what these texts restrict; None: none."""
        return self._shieldings.code_of(access_restriction, authority)

    def asks(self, action: Action, role: Role) -> frozenset[str]:
        """The facts that the rules for this action and role use, and no others."""
        if (asked := self._asks.get((action, role))) is None:
            used = [self._uses[rule.id] for rule in self._concerning(action, role)]
            asked = self._asks[action, role] = frozenset().union(*used)
        return asked

    def decide(self, role: Role, facts: Mapping[str, bool], action: Action) -> Decision:
        """Decide whether this role may perform the action when these facts are true.

        Raises nothing.

        The facts are at least those that `asks` names; a rule gets those and no others.
        """
        try:
            if not self.rules:
                return _no(action, NO_POLICY, self.digest)
            role, action = Role(role), Action(action)
            asked = _Asked(facts, self.asks(action, role), self.facts)
            return self._decide(role, asked, action)
        except Exception:  # noqa: BLE001 - whatever casbin throws, the answer is no
            return _no(action, ERROR, self.digest)

    def tell(self, role: Role, facts: Mapping[str, bool], action: Action) -> tuple[Told, ...]:
        """Every rule about this action by this role, each asked of casbin by itself.

        Raises `PolicyError` where `decide` would say that an error is a no.
        """
        told = []
        for rule in self._concerning(action, role):
            asked = _Asked(facts, self.asks(action, role), self.facts)
            _Enforcer([rule], self._functions).says_yes(role, asked, action)
            lacks = [_lacking(way, asked) for way in self._ways[rule.id]]
            fewest = () if asked.matched else min(lacks, key=len, default=())
            told.append(Told(rule=rule, matched=bool(asked.matched), lacks=fewest))
        return tuple(told)

    def _decide(self, role: Role, asked: _Asked, action: Action) -> Decision:
        enforcer = self._enforcer_of(action, role)
        allowed = enforcer is not None and enforcer.says_yes(role, asked, action)
        if any(self._by_id[rule_id].effect is Effect.DENY for rule_id in asked.matched):
            self._note_all_denies(role, asked, action)
        matching = [self._by_id[rule_id] for rule_id in dict.fromkeys(asked.matched)]
        allows = [rule for rule in matching if rule.effect is Effect.ALLOW]
        denies = [rule for rule in matching if rule.effect is Effect.DENY]
        if allowed is not (bool(allows) and not denies):
            raise PolicyError(
                "policy.disagrees", "casbin's answer does not follow from its matches"
            )
        ranked = denies or basis_first(allows)
        return Decision(
            allowed=allowed,
            action=action.value,
            rule=ranked[0].id if ranked else NO_RULE,
            digest=self.digest,
            matching=tuple(rule.id for rule in matching),
            misses=() if allowed else self._misses(role, asked, action),
            duties=ranked[0].duties if ranked else frozenset(),
            facts=asked.held(),
        )

    def _concerning(self, action: Action, role: Role) -> tuple[Rule, ...]:
        if (rules := self._concerned.get((action, role))) is None:
            rules = tuple(rule for rule in self._ordered if rule.concerns(action, role))
            self._concerned[action, role] = rules
        return rules

    def _enforcer_of(self, action: Action, role: Role) -> _Enforcer | None:
        """Of what concerns them alone, and kept; two threads may both make one, which is the same.

        None: no rule does.
        """
        if (enforcer := self._enforcers.get((action, role))) is None:
            if not (rules := self._concerning(action, role)):
                return None
            enforcer = self._enforcers[action, role] = _Enforcer(rules, self._functions)
        return enforcer

    def _note_all_denies(self, role: Role, asked: _Asked, action: Action) -> None:
        """Evaluate each deny rule alone, because casbin stops at the first deny that matches."""
        for rule in self._concerning(action, role):
            if rule.effect is Effect.DENY:
                self._alone[rule.id].says_yes(role, asked, action)

    def _misses(self, role: Role, asked: _Asked, action: Action) -> tuple[Miss, ...]:
        """The allow rules of this role that miss the fewest literals, nearest first."""
        missed = []
        for rule in self._concerning(action, role):
            if rule.effect is Effect.ALLOW:
                lacks = [_lacking(way, asked) for way in self._ways[rule.id]]
                if lacks and all(lacks):
                    missed.append(Miss(rule=rule.id, needs=min(lacks, key=len)))
        return tuple(sorted(missed, key=lambda miss: len(miss.needs))[:_SHOWN_MISSES])


_Test = Callable[[_Asked], bool]
_TEST: Final = Meaning[_Test](
    of=lambda name: lambda asked: asked.holds(name),
    negated=lambda part: lambda asked: not part(asked),
    every=lambda parts: lambda asked: all(part(asked) for part in parts),
    some=lambda parts: lambda asked: any(part(asked) for part in parts),
)
"""A condition as a function: closed, over names and booleans."""


def _holds_in(conditions: Mapping[str, Condition]) -> Callable[[str, _Asked], bool]:
    """What casbin calls for each rule; a text that is not a rule's is an error, so a no."""
    tests = {when: fold(condition, _TEST) for when, condition in conditions.items()}
    return lambda when, asked: tests[when](asked)


def _lacking(way: Need, asked: _Asked) -> tuple[str, ...]:
    lacks = sorted((name, wanted) for name, wanted in way if asked.holds(name) is not wanted)
    return tuple(literal_of(*each) for each in lacks)


def _no(action: object, rule: str, digest: str) -> Decision:
    return Decision(allowed=False, action=str(action), rule=rule, digest=digest)
