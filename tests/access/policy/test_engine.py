"""Deciding: casbin's traps through our wrapper, damaged facts, bases, misses, duties."""

import logging
import random
import threading
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, distribution, version
from itertools import product

import casbin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.access import Action, Decision, Duty, Policy, Role
from inbox.access.policy.conditions import read_condition
from inbox.access.policy.engine import Effect, NearMiss, PolicyRule, _Matcher
from inbox.errors import PolicyError
from tests.access.town import allow, deny

NAMES = ("a", "b", "c")
ALL_FALSE = dict.fromkeys(NAMES, False)


def policy(*rules: PolicyRule) -> Policy:
    return Policy(rules, facts=NAMES, digest="d")


def facts(*held: str) -> dict[str, bool]:
    return {name: name in held for name in NAMES}


def test_installed_casbin_is_pycasbin_2_or_newer() -> None:
    assert int(version("pycasbin").split(".")[0]) >= 2
    with pytest.raises(PackageNotFoundError):
        distribution("casbin")


def test_allow_rule_allows_only_its_role_and_action_where_the_condition_holds() -> None:
    subject = policy(allow("A01", "open", "handler", "a and not b"))

    asked = product(Role, Action, product([True, False], repeat=3))
    allowed = [
        (role, action, values)
        for role, action, values in asked
        if subject.decide(role, dict(zip(NAMES, values, strict=True)), action).allowed
    ]

    assert allowed == [
        (Role.HANDLER, Action.OPEN, (True, False, True)),
        (Role.HANDLER, Action.OPEN, (True, False, False)),
    ]


def test_rule_for_route_edit_does_not_allow_route() -> None:
    subject = policy(allow("A01", "route_edit", "handler", "always"))

    assert not subject.decide(Role.HANDLER, ALL_FALSE, Action.ROUTE).allowed


def test_deny_overrides_every_allow_in_any_order() -> None:
    rules = [allow("A01", "open", "handler", "a"), deny("D01", "list open", "*", "b")]
    for order in (rules, rules[::-1]):
        decision = policy(*order).decide(Role.HANDLER, facts("a", "b"), Action.OPEN)
        assert (decision.allowed, decision.rule) == (False, "D01")
        assert set(decision.matching) == {"A01", "D01"}


def test_decision_names_all_matching_denies_and_the_first_as_its_rule() -> None:
    subject = policy(
        deny("D01", "*", "*", "a"), deny("D02", "open", "*", "b"), deny("D03", "open", "*", "c")
    )

    decision = subject.decide(Role.HANDLER, facts("a", "c"), Action.OPEN)

    assert decision.matching == ("D01", "D03")
    assert decision.rule == "D01"


def test_action_without_rules_is_denied() -> None:
    decision = policy(deny("D01", "list", "*", "a")).decide(Role.HANDLER, ALL_FALSE, Action.OPEN)

    assert (decision.allowed, decision.rule) == (False, "none")


def test_policy_with_denies_only_denies() -> None:
    decision = policy(deny("D01", "*", "*", "a")).decide(Role.HANDLER, ALL_FALSE, Action.OPEN)

    assert not decision.allowed


@pytest.mark.parametrize("role", Role)
def test_policy_of_nobody_denies_every_role_with_the_rule_nobody(role: Role) -> None:
    decision = Policy.deny_all("d").decide(role, {}, Action.OPEN)

    assert (decision.allowed, decision.rule, decision.digest) == (False, "nobody", "d")


def test_empty_request_to_an_empty_policy_is_denied() -> None:
    decision = Policy.deny_all("").decide("", {}, "")  # type: ignore[arg-type] # that is the trap

    assert not decision.allowed


DAMAGE = [None, 1, 0, "true", "false", "", [], [1], 1.0, b"true"]


@pytest.mark.parametrize("value", DAMAGE, ids=repr)
@pytest.mark.parametrize("when", ["a", "not a", "a or b", "always"])
def test_fact_value_other_than_a_boolean_is_denied_as_an_error(value: object, when: str) -> None:
    damaged = {"a": value, "b": True, "c": True}

    decision = policy(allow("A01", "open", "handler", when)).decide(
        Role.HANDLER,
        damaged,  # type: ignore[arg-type] # the damage
        Action.OPEN,
    )

    assert (decision.allowed, decision.rule) == (False, "error")


@given(st.data())
@settings(max_examples=200)
def test_missing_or_damaged_fact_values_are_always_denied_as_an_error(data: st.DataObject) -> None:
    subject = policy(
        allow("A01", "open", "handler", "a and not b"), deny("D01", "open", "*", "c and not a")
    )
    sound = {name: data.draw(st.booleans()) for name in NAMES}
    damaged: dict[str, object] = dict(sound)
    for name in data.draw(st.lists(st.sampled_from(NAMES), min_size=1)):
        if data.draw(st.booleans()):
            damaged.pop(name, None)
        else:
            damaged[name] = data.draw(st.sampled_from(DAMAGE))

    decision = subject.decide(Role.HANDLER, damaged, Action.OPEN)  # type: ignore[arg-type] # as above

    assert (decision.allowed, decision.rule) == (False, "error")


def test_missing_or_unknown_facts_are_denied_as_an_error() -> None:
    subject = policy(allow("A01", "open", "handler", "a and not b"))

    for given_facts in ({"a": True}, facts("a") | {"d": True}, {}):
        decision = subject.decide(Role.HANDLER, given_facts, Action.OPEN)
        assert (decision.allowed, decision.rule) == (False, "error")


def test_policy_asks_only_for_facts_used_by_rules_of_the_action_and_role() -> None:
    subject = policy(
        allow("A01", "open", "handler", "a"),
        allow("A02", "open", "leader", "b"),
        deny("D01", "list", "*", "c"),
    )

    assert subject.facts_used(Action.OPEN, Role.HANDLER) == {"a"}
    assert subject.facts_used(Action.LIST, Role.LEADER) == {"c"}
    assert subject.facts_used(Action.PLACE, Role.LEADER) == frozenset()
    decision = subject.decide(Role.HANDLER, facts("a", "b"), Action.OPEN)
    assert (decision.allowed, decision.facts) == (True, frozenset({"a"}))
    assert subject.decide(Role.HANDLER, {"a": True}, Action.OPEN).allowed
    assert subject.decide(Role.HANDLER, {"b": True, "c": True}, Action.OPEN).rule == "error"


@pytest.mark.parametrize(
    ("role", "action"),
    [("admin", "open"), ("*", "open"), ("", "open"), ("handler", "*"), ("handler", "opened")],
)
def test_unknown_role_or_action_is_denied_as_an_error(role: str, action: str) -> None:
    subject = policy(allow("A01", "open", "handler", "always"))

    decision = subject.decide(role, ALL_FALSE, action)  # type: ignore[arg-type] # that is the test

    assert (decision.allowed, decision.rule) == (False, "error")


class Exploding(dict[str, bool]):
    def items(self) -> None:  # type: ignore[override] # damage
        raise RuntimeError("confidential")

    keys = values = items  # type: ignore[assignment] # damage


def test_exception_while_deciding_becomes_a_denial_without_its_text() -> None:
    decision = policy(allow("A01", "open", "handler", "always")).decide(
        Role.HANDLER, Exploding(a=True), Action.OPEN
    )

    assert (decision.allowed, decision.rule) == (False, "error")
    assert "confidential" not in repr(decision)


def test_decision_used_as_a_boolean_raises_type_error() -> None:
    decision = policy(allow("A01", "open", "handler", "a")).decide(
        Role.HANDLER, facts("a"), Action.OPEN
    )

    with pytest.raises(TypeError):
        bool(decision)


def test_decision_basis_is_the_rule_with_the_fewest_duties_in_any_order() -> None:
    light = allow("A02", "open", "handler", "a")
    heavy = PolicyRule(
        id="A01",
        actions="open",
        roles="handler",
        when="b",
        duties=frozenset({Duty.LOG, Duty.REVIEW}),
        effect=Effect.ALLOW,
    )
    for order in ((light, heavy), (heavy, light)):
        decision = policy(*order).decide(Role.HANDLER, facts("a", "b"), Action.OPEN)
        assert (decision.rule, sorted(decision.duties)) == ("A02", [])
        assert set(decision.matching) == {"A01", "A02"}
        alone = policy(*order).decide(Role.HANDLER, facts("b"), Action.OPEN)
        assert (alone.rule, sorted(alone.duties)) == ("A01", ["log", "review"])


def test_unmet_duty_turns_an_allowed_decision_into_a_denial() -> None:
    rule = PolicyRule(
        id="A01",
        actions="open",
        roles="handler",
        when="a",
        duties=frozenset({Duty.LOG, Duty.REASON}),
        effect=Effect.ALLOW,
    )
    decision = policy(rule).decide(Role.HANDLER, facts("a"), Action.OPEN)

    assert decision.deny_unless_met({Duty.LOG, Duty.REASON, Duty.NOTIFY}).allowed
    unmet = decision.deny_unless_met({Duty.LOG})
    assert (unmet.allowed, unmet.rule) == (False, "duty")


def test_denial_lists_missing_facts_with_the_nearest_rule_first() -> None:
    subject = policy(
        allow("A01", "open", "handler", "a and b and not c"),
        allow("A02", "open", "handler", "a or (b and c)"),
        allow("A03", "open", "leader", "always"),
    )

    decision = subject.decide(Role.HANDLER, facts("c"), Action.OPEN)

    assert decision.near_misses == (
        NearMiss(rule="A02", missing=("a",)),
        NearMiss(rule="A01", missing=("a", "b", "not c")),
    )


texts = st.sampled_from(
    ["a", "not a", "a and b", "b or not c", "(a and b) or c", "not (a or b)", "always"]
)
effects = st.sampled_from([allow, deny])
rows = st.lists(st.tuples(effects, st.sampled_from(["open", "list"]), texts), max_size=6)


@given(rows, st.tuples(*[st.booleans()] * 3))
@settings(max_examples=60, deadline=None)
def test_missing_facts_of_a_near_miss_would_make_the_rule_match(
    drawn: list[tuple[type, str, str]], values: tuple[bool, ...]
) -> None:
    rules = [make(f"A{n:02}", act, "handler", when) for n, (make, act, when) in enumerate(drawn)]
    subject, held = policy(*rules), dict(zip(NAMES, values, strict=True))

    for miss in subject.decide(Role.HANDLER, held, Action.OPEN).near_misses:
        changed = {need.removeprefix("not "): not need.startswith("not ") for need in miss.missing}
        assert changed
        assert miss.rule not in subject.decide(Role.HANDLER, held, Action.OPEN).matching
        after = subject.decide(Role.HANDLER, held | changed, Action.OPEN)
        assert miss.rule in after.matching


def test_each_rule_reports_whether_it_matches_or_which_facts_are_missing() -> None:
    subject = policy(
        allow("A01", "open", "handler", "a"),
        allow("A02", "open", "handler", "(a and b) or (a and b and c)"),
        deny("D01", "open", "*", "a"),
        allow("A03", "list", "handler", "a"),
    )

    told = subject.explain_rules(Role.HANDLER, facts("a"), Action.OPEN)

    assert [(each.rule.id, each.matched, each.missing) for each in told] == [
        ("A01", True, ()),
        ("A02", False, ("b",)),
        ("D01", True, ()),
    ]


def test_policy_with_a_duplicate_rule_id_is_refused() -> None:
    with pytest.raises(PolicyError):
        policy(allow("A01", "open", "handler", "a"), allow("A01", "list", "handler", "a"))


def test_policy_with_an_unknown_fact_in_a_condition_is_refused() -> None:
    with pytest.raises(PolicyError):
        policy(allow("A01", "open", "handler", "d"))
    with pytest.raises(PolicyError):
        read_condition("__import__('os')", NAMES)


def test_deciding_logs_nothing_with_casbin_logging_enabled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    casbin.util.log.configure_logging()
    try:
        subject = policy(allow("A01", "open", "handler", "a"))
        for name in ("casbin", "casbin.enforcer", "casbin.policy", "casbin.role"):
            logging.getLogger(name).disabled = False
            logging.getLogger(name).propagate = True
        with caplog.at_level(logging.DEBUG):
            subject.decide(Role.HANDLER, facts("b"), Action.OPEN)
            subject.decide(Role.HANDLER, facts("a"), Action.OPEN)
    finally:
        casbin.util.log.disabled_logging()

    assert caplog.records == []


def test_matcher_is_compiled_once_however_often_a_policy_decides() -> None:
    assert callable(casbin.Enforcer._get_expression)
    subject = policy(allow("A01", "open", "handler", "a"))
    for _ in range(3):
        assert subject.decide(Role.HANDLER, facts("a"), Action.OPEN).allowed
    (enforcer,) = subject._enforcers.values()
    (matcher,) = enforcer._matchers.values()

    assert subject.decide(Role.HANDLER, facts("a"), Action.OPEN).allowed

    assert list(enforcer._matchers.values()) == [matcher]


def test_unknown_roles_are_not_cached_by_the_enforcer() -> None:
    subject = policy(allow("A01", "open", "handler", "a"))
    subject.decide(Role.HANDLER, facts("a"), Action.OPEN)
    enforcer = subject._enforcers[Action.OPEN, Role.HANDLER]

    for number in range(50):
        subject.decide(f"ghost{number}", facts("a"), Action.OPEN)  # type: ignore[arg-type] # ghosts

    assert len(enforcer._matchers) == 1
    assert set(enforcer.model.keys()) == {"r", "p", "e", "m"}


def test_policy_shared_by_threads_decides_correctly() -> None:
    subject = policy(
        allow("A01", "open", "handler", "a"),
        deny("D01", "open", "*", "b"),
        allow("A02", "list", "*", "c"),
    )
    wrong: list[object] = []

    def ask(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - a test
        for _ in range(300):
            held = {name: chance.random() < 0.5 for name in NAMES}
            decision = subject.decide(Role.HANDLER, held, Action.OPEN)
            if decision.allowed is not (held["a"] and not held["b"]):
                wrong.append(decision)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_matcher_accepts_only_calls_joined_by_and() -> None:
    functions = {"named": lambda *_: True}
    asked = {"r_facts": None, "p_id": "A01", "p_act": "open", "r_act": "open"}

    assert _Matcher("named(p_act, r_act) && named(p_act, r_act)", functions).eval(asked) is True
    for text in ("p_act == r_act", "not named(p_act)", "p_act.upper()", "named('open')", "True"):
        with pytest.raises(PolicyError) as refused:
            _Matcher(text, functions)
        assert refused.value.code == "policy.matcher"


def test_denial_lists_at_most_three_near_misses() -> None:
    policy = Policy(
        [allow(f"A0{n}", "open", "handler", " and ".join("abcde"[:n])) for n in range(1, 6)],
        facts=tuple("abcde"),
        digest="d",
    )

    decision = policy.decide(Role.HANDLER, dict.fromkeys("abcde", False), Action.OPEN)

    assert [miss.rule for miss in decision.near_misses] == ["A01", "A02", "A03"]


def test_decision_names_every_deny_beside_the_matching_allow() -> None:
    both = policy(
        allow("A01", "open", "handler", "a"),
        deny("D01", "open", "*", "b"),
        deny("D02", "*", "handler", "c"),
    )

    decision = both.decide(Role.HANDLER, facts("a", "b", "c"), Action.OPEN)

    assert (decision.allowed, decision.rule) == (False, "D01")
    assert set(decision.matching) == {"A01", "D01", "D02"}


def test_casbin_answer_that_contradicts_its_matches_is_denied_as_an_error() -> None:
    one = policy(allow("A01", "open", "handler", "a"))
    one._by_id["A01"] = deny("A01", "open", "handler", "a")  # the fault

    decision = one.decide(Role.HANDLER, facts("a"), Action.OPEN)

    assert (decision.allowed, decision.rule) == (False, "error")


def test_rule_that_can_never_hold_is_left_out_of_near_misses() -> None:
    never = policy(
        allow("A01", "open", "handler", "a and not a"), allow("A02", "open", "handler", "b")
    )

    decision = never.decide(Role.HANDLER, ALL_FALSE, Action.OPEN)

    assert (decision.rule, [miss.rule for miss in decision.near_misses]) == ("none", ["A02"])


def test_decision_requires_all_duties_and_a_denial_stays_unchanged() -> None:
    duties = frozenset({Duty.LOG, Duty.REASON})
    yes = Decision(allowed=True, action="open", rule="A01", digest="d", duties=duties)
    no = replace(yes, allowed=False, rule="D01")

    assert yes.deny_unless_met({Duty.LOG, Duty.REASON}) is yes
    assert yes.deny_unless_met([*Duty]) is yes
    for met in ((), (Duty.LOG,), (Duty.REASON, Duty.NOTIFY)):
        assert (yes.deny_unless_met(met).allowed, yes.deny_unless_met(met).rule) == (False, "duty")
        assert no.deny_unless_met(met) is no
