"""Runs the written test cases of a policy.

A case states a role, the facts that are true, the actions asked for, and the expected decisions.
Pure.
"""

from collections.abc import Iterator
from typing import Final

from inbox.access.files.phrases import POLICY_PHRASES
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import NO_RULE, Action, Decision, Duty, Role, duties_text
from inbox.strict.phrases import Phrase
from inbox.strict.toml import TomlFile, TomlTable

CASES_FILE: Final = "tests/access.toml"
_NEEDED: Final = ("name", "role", "expect")
_OPTIONAL: Final = ("with", "without", "duties")


def run_cases(policy: Policy, raw: bytes) -> tuple[Phrase, ...]:
    """The failures of the written cases, and the rules that no case covers; empty if all is well.

    Raises:
        PolicyError: the cases cannot be read.
    """
    document = TomlFile(CASES_FILE, raw)
    top = document.top(("base", "case"))
    cases = document.table_list("case")
    document.check_row_count(len(cases))
    base = _facts_in(policy, top, "base")
    named: set[str] = set()
    failures: list[Phrase] = []
    for case in cases:
        failures += _run_case(policy, base, case, named)
    unnamed = (rule.id for rule in policy.rules if rule.id not in named)
    return (*failures, *(POLICY_PHRASES("case_names_no", rule=each) for each in unnamed))


def _run_case(
    policy: Policy, base: frozenset[str], case: TomlTable, named: set[str]
) -> Iterator[Phrase]:
    case.check_keys(_NEEDED, optional=_OPTIONAL)
    name, role = case.text("name"), case.text("role")
    if role not in set(Role):
        raise case.refuse("role", "role", role, ", ".join(Role), *Role)
    expect = case.table("expect").value
    duties = case.table("duties").value if "duties" in case.value else {}
    if not expect or not duties.keys() <= expect.keys():
        raise case.refuse("expect", "expect", expect, POLICY_PHRASES("expected"))
    held = base | _facts_in(policy, case, "with")
    held -= _facts_in(policy, case, "without")
    facts = {fact: fact in held for fact in policy.facts}
    for action, expected in expect.items():
        if action not in set(Action):
            raise case.refuse("action", "expect", action, ", ".join(Action), *Action)
        decision = policy.decide(Role(role), facts, Action(action))
        named.add(decision.rule)
        where = POLICY_PHRASES("case_at", file=CASES_FILE, line=str(case.line), case=name)
        got = _outcome_text(decision)
        if got != expected:
            yield POLICY_PHRASES(
                "case_outcome", where=where, action=action, got=got, expected=str(expected)
            )
        if action in duties and decision.duties != _duties_in(case, action):
            has = duties_text(decision.duties)
            yield POLICY_PHRASES("case_duties", where=where, action=action, duties=has)


def _outcome_text(decision: Decision) -> str:
    if decision.rule == NO_RULE:
        return "no"
    return f"{'allow' if decision.allowed else 'deny'} {decision.rule}"


def _facts_in(policy: Policy, table: TomlTable, key: str) -> frozenset[str]:
    read = frozenset(table.texts(key) if key in table.value else ())
    if unknown := sorted(read - policy.facts):
        raise table.refuse("fact", key, unknown[0], POLICY_PHRASES("known_facts"), *policy.facts)
    return read


def _duties_in(case: TomlTable, action: str) -> frozenset[Duty]:
    words = case.table("duties").texts(action)
    if unknown := sorted(set(words) - set(Duty)):
        raise case.refuse("duty", "duties", unknown[0], ", ".join(Duty), *Duty)
    return frozenset(Duty(word) for word in words)
