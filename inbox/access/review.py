"""Proofs and cases: what a policy promises, for every combination of facts, and by example.

An invariant is proved, not sampled: one bit per combination of the facts that it needs, for each
role. Pure.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from inbox.access.condition import (
    ALWAYS,
    Condition,
    Every,
    Meaning,
    Not,
    Some,
    fold,
    names_in,
    read_condition,
)
from inbox.access.lines import (
    Line,
    check_rows,
    read_lines,
    read_string,
    read_strings,
    read_toml,
    refusal,
)
from inbox.access.policy import Policy
from inbox.access.words import NO_RULE, Action, Decision, Duty, Effect, Role, named
from inbox.errors import PolicyError

INVARIANTS: Final = "invariants.txt"
CASES: Final = "tests/access.toml"
WIDEST: Final = 24
"""More facts than these in one proof (2^24 combinations) are refused: split the invariant."""
_IMPLIES = " implies "
_ASSUME = "assume "
_ROLE = "role:"
_ACTIONS = frozenset(action.value for action in Action)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """`left implies right`: an invariant, or an assumption about the world."""

    left: Condition
    right: Condition
    line: Line
    assumed: bool

    @cached_property
    def whole(self) -> Condition:
        """The claim as one condition."""
        return Some((Not(self.left), self.right))

    @cached_property
    def actions(self) -> frozenset[str]:
        """The actions that it speaks of."""
        return names_in(self.whole) & _ACTIONS

    @cached_property
    def facts(self) -> frozenset[str]:
        """The facts that it speaks of; roles are not among them, they are tried one by one."""
        names = names_in(self.whole) - _ACTIONS
        return frozenset(name for name in names if not name.startswith(_ROLE))


def read_claims(raw: bytes, facts: Collection[str]) -> tuple[Claim, ...]:
    """Invariants and assumptions, over facts, `role:...` and, in invariants, actions."""
    claims = tuple(_read_claim(line, facts) for line in read_lines(INVARIANTS, raw))
    if not any(not claim.assumed for claim in claims):
        raise refusal(INVARIANTS, "empty", "no invariant", "at least one")
    return claims


def _read_claim(line: Line, facts: Collection[str]) -> Claim:
    assumed = line.text.startswith(_ASSUME)
    sides = line.text.removeprefix(_ASSUME).split(_IMPLIES)
    if len(sides) != 2:  # noqa: PLR2004 - a left and a right side
        raise line.refuse("claim", line.text, "left implies right")
    roles = {f"{_ROLE}{role}" for role in Role}
    names = {*facts, *roles} if assumed else {*facts, *roles, *Action}
    try:
        left, right = (read_condition(side, names) for side in sides)
    except PolicyError as error:
        raise line.locate(error) from error
    return Claim(left=left, right=right, line=line, assumed=assumed)


class _Table:
    """All combinations of some facts, for one role: bit i is the combination with the number i."""

    def __init__(self, policy: Policy, facts: Sequence[str], role: Role) -> None:
        self._policy = policy
        self._role = role
        self._facts = facts
        size = 1 << len(facts)
        self.full = (1 << size) - 1
        self._bits = {ALWAYS: self.full}
        for number, name in enumerate(facts):
            width = 1 << number
            pattern = ((1 << width) - 1) << width
            while (width := width << 1) < size:
                pattern |= pattern << width
            self._bits[name] = pattern

    def where(self, condition: Condition) -> int:
        """The combinations in which it holds."""

        def every(parts: Sequence[int]) -> int:
            bits = self.full
            for part in parts:
                bits &= part
            return bits

        def some(parts: Sequence[int]) -> int:
            bits = 0
            for part in parts:
                bits |= part
            return bits

        meaning = Meaning[int](
            of=self._of, negated=lambda part: self.full & ~part, every=every, some=some
        )
        return fold(condition, meaning)

    def _of(self, name: str) -> int:
        if name in self._bits:
            return self._bits[name]
        if name.startswith(_ROLE):
            return self.full if name.removeprefix(_ROLE) == self._role else 0
        return self._allowed(Action(name))

    def _allowed(self, action: Action) -> int:
        bits = {Effect.ALLOW: 0, Effect.DENY: 0}
        for rule in self._policy.rules:
            if rule.concerns(action, self._role):
                bits[rule.effect] |= self.where(self._policy.conditions[rule.when])
        return bits[Effect.ALLOW] & ~bits[Effect.DENY]

    def example(self, bits: int) -> str:
        """The first of these combinations, in words."""
        number = (bits & -bits).bit_length() - 1
        held = [name for place, name in enumerate(self._facts) if number >> place & 1]
        return f"{self._role} with {' '.join(held) or 'nothing'}"


def prove(policy: Policy, raw: bytes) -> int:
    """Prove every invariant for every role and combination; the number of proofs.

    Raises:
        PolicyError: an invariant does not hold; the reason gives a combination that breaks it.
    """
    claims = read_claims(raw, policy.facts)
    assumed = [claim for claim in claims if claim.assumed]
    invariants = [claim for claim in claims if not claim.assumed]
    for claim in invariants:
        facts = _facts_for(policy, claim)
        facts |= {name for a in assumed if a.facts & facts for name in a.facts}
        if len(facts) > WIDEST:
            raise claim.line.refuse("too_wide", f"{len(facts)} facts", f"at most {WIDEST}")
        world = Every(tuple(a.whole for a in assumed if a.facts <= facts))
        for role in Role:
            table = _Table(policy, sorted(facts), role)
            if broken := table.where(world) & ~table.where(claim.whole):
                raise claim.line.refuse("invariant", table.example(broken), claim.line.text)
    return len(invariants)


def _facts_for(policy: Policy, claim: Claim) -> set[str]:
    """The facts of the claim and of every rule about the actions in it."""
    facts = set(claim.facts)
    for rule in policy.rules:
        if any(named(rule.acts, action) for action in claim.actions):
            facts |= names_in(policy.conditions[rule.when])
    return facts


def run_cases(policy: Policy, raw: bytes) -> tuple[str, ...]:
    """What does not come out as the cases say, and rules that no case speaks of; empty: all well.

    Raises:
        PolicyError: the cases cannot be read.
    """
    text, table = read_toml(CASES, raw, ("base", "case"))
    cases = table["case"]
    if not isinstance(cases, list) or not cases:
        raise refusal(CASES, "list", cases, "[[case]] tables")
    check_rows(CASES, text, len(cases))
    base = _read_facts(policy, f"{CASES}, base", table["base"])
    named: set[str] = set()
    failures: list[str] = []
    for number, case in enumerate(cases, 1):
        failures += _run_case(policy, base, f"{CASES}, case {number}", case, named)
    failures += [f"no case names {rule.id}" for rule in policy.rules if rule.id not in named]
    return tuple(failures)


_CASE_KEYS: Final = frozenset({"name", "role", "with", "without", "expect", "duties"})


def _run_case(
    policy: Policy, base: frozenset[str], where: str, case: object, named: set[str]
) -> Iterable[str]:
    if not isinstance(case, dict) or not case.keys() <= _CASE_KEYS:
        raise refusal(where, "keys", case, ", ".join(sorted(_CASE_KEYS)))
    name = read_string(where, case.get("name"))
    role = read_string(where, case.get("role"))
    expect, duties = case.get("expect"), case.get("duties", {})
    if role not in set(Role) or not isinstance(expect, dict) or not isinstance(duties, dict):
        raise refusal(where, "case", case, "a role, `expect` and perhaps `duties` tables")
    held = base | _read_facts(policy, where, case.get("with", []))
    held -= _read_facts(policy, where, case.get("without", []))
    facts = {fact: fact in held for fact in policy.facts}
    for action, expected in expect.items():
        if action not in set(Action):
            raise refusal(where, "action", action, ", ".join(Action))
        decision = policy.decide(Role(role), facts, Action(action))
        named.add(decision.rule)
        if _said(decision) != expected:
            yield f"{name}: {action} gives {_said(decision)}, not {expected}"
        if action in duties and decision.duties != _read_duties(where, duties[action]):
            yield f"{name}: {action} has the duties {' '.join(sorted(decision.duties)) or 'none'}"


def _said(decision: Decision) -> str:
    if decision.rule == NO_RULE:
        return "no"
    return f"{'allow' if decision.allowed else 'deny'} {decision.rule}"


def _read_facts(policy: Policy, where: str, value: object) -> frozenset[str]:
    read = frozenset(read_strings(where, value))
    if unknown := sorted(read - policy.facts):
        raise refusal(where, "fact", unknown, "facts of facts.toml")
    return read


def _read_duties(where: str, value: object) -> frozenset[Duty]:
    words = read_strings(where, value)
    if unknown := sorted(set(words) - set(Duty)):
        raise refusal(where, "duty", unknown, ", ".join(Duty))
    return frozenset(Duty(word) for word in words)
