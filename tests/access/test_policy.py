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


def test_only_the_newer_casbin_is_installed() -> None:
    assert int(version("pycasbin").split(".")[0]) >= 2
    with pytest.raises(PackageNotFoundError):
        distribution("casbin")


def test_a_rule_allows_its_role_its_action_and_nothing_else() -> None:
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


def test_an_action_whose_name_begins_like_another_is_another() -> None:
    subject = policy(allow("A01", "route_edit", "handler", "always"))

    assert not subject.decide(Role.HANDLER, ALL_FALSE, Action.ROUTE).allowed


def test_a_deny_beats_every_allow_wherever_it_stands() -> None:
    rules = [allow("A01", "open", "handler", "a"), deny("D01", "list open", "*", "b")]
    for order in (rules, rules[::-1]):
        decision = policy(*order).decide(Role.HANDLER, facts("a", "b"), Action.OPEN)
        assert (decision.allowed, decision.rule) == (False, "D01")
        assert set(decision.matching) == {"A01", "D01"}


def test_all_denies_that_match_are_named_and_the_first_is_the_answer() -> None:
    subject = policy(
        deny("D01", "*", "*", "a"), deny("D02", "open", "*", "b"), deny("D03", "open", "*", "c")
    )

    decision = subject.decide(Role.HANDLER, facts("a", "c"), Action.OPEN)

    assert decision.matching == ("D01", "D03")
    assert decision.rule == "D01"


def test_no_rules_for_an_action_is_a_no() -> None:
    decision = policy(deny("D01", "list", "*", "a")).decide(Role.HANDLER, ALL_FALSE, Action.OPEN)

    assert (decision.allowed, decision.rule) == (False, "none")


def test_denies_alone_allow_nobody() -> None:
    decision = policy(deny("D01", "*", "*", "a")).decide(Role.HANDLER, ALL_FALSE, Action.OPEN)

    assert not decision.allowed


@pytest.mark.parametrize("role", Role)
def test_nobody_is_a_no_to_everything_with_its_own_word(role: Role) -> None:
    decision = Policy.deny_all("d").decide(role, {}, Action.OPEN)

    assert (decision.allowed, decision.rule, decision.digest) == (False, "nobody", "d")


def test_an_empty_question_to_an_empty_policy_is_a_no() -> None:
    decision = Policy.deny_all("").decide("", {}, "")  # type: ignore[arg-type] # that is the trap

    assert not decision.allowed


DAMAGE = [None, 1, 0, "true", "false", "", [], [1], 1.0, b"true"]


@pytest.mark.parametrize("value", DAMAGE, ids=repr)
@pytest.mark.parametrize("when", ["a", "not a", "a or b", "always"])
def test_a_fact_that_is_no_boolean_never_allows(value: object, when: str) -> None:
    damaged = {"a": value, "b": True, "c": True}

    decision = policy(allow("A01", "open", "handler", when)).decide(
        Role.HANDLER,
        damaged,  # type: ignore[arg-type] # the damage
        Action.OPEN,
    )

    assert (decision.allowed, decision.rule) == (False, "error")


@given(st.data())
@settings(max_examples=200)
def test_damaging_facts_never_turns_a_no_into_a_yes(data: st.DataObject) -> None:
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


def test_facts_that_are_missing_or_unknown_are_a_no() -> None:
    subject = policy(allow("A01", "open", "handler", "a and not b"))

    for given_facts in ({"a": True}, facts("a") | {"d": True}, {}):
        decision = subject.decide(Role.HANDLER, given_facts, Action.OPEN)
        assert (decision.allowed, decision.rule) == (False, "error")


def test_what_a_rule_uses_is_asked_and_nothing_else() -> None:
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
def test_words_outside_the_closed_lists_are_a_no(role: str, action: str) -> None:
    subject = policy(allow("A01", "open", "handler", "always"))

    decision = subject.decide(role, ALL_FALSE, action)  # type: ignore[arg-type] # that is the test

    assert (decision.allowed, decision.rule) == (False, "error")


class Exploding(dict[str, bool]):
    def items(self) -> None:  # type: ignore[override] # damage
        raise RuntimeError("confidential")

    keys = values = items  # type: ignore[assignment] # damage


def test_whatever_is_raised_the_answer_is_no() -> None:
    decision = policy(allow("A01", "open", "handler", "always")).decide(
        Role.HANDLER, Exploding(a=True), Action.OPEN
    )

    assert (decision.allowed, decision.rule) == (False, "error")
    assert "confidential" not in repr(decision)


def test_a_decision_is_neither_true_nor_false() -> None:
    decision = policy(allow("A01", "open", "handler", "a")).decide(
        Role.HANDLER, facts("a"), Action.OPEN
    )

    with pytest.raises(TypeError):
        bool(decision)


def test_the_basis_is_the_rule_with_the_fewest_duties_in_any_order() -> None:
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


def test_a_duty_that_is_not_met_turns_a_yes_into_a_no() -> None:
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


def test_a_no_tells_what_was_missing_nearest_first() -> None:
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
def test_what_a_miss_lacks_is_what_makes_its_rule_match(
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


def test_every_rule_tells_by_itself_whether_it_matches_or_what_it_lacks() -> None:
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


def test_two_rules_with_one_id_are_refused() -> None:
    with pytest.raises(PolicyError):
        policy(allow("A01", "open", "handler", "a"), allow("A01", "list", "handler", "a"))


def test_a_condition_with_an_unknown_fact_is_refused() -> None:
    with pytest.raises(PolicyError):
        policy(allow("A01", "open", "handler", "d"))
    with pytest.raises(PolicyError):
        read_condition("__import__('os')", NAMES)


def test_nothing_of_a_question_is_logged(caplog: pytest.LogCaptureFixture) -> None:
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


def test_unknown_words_are_not_kept() -> None:
    subject = policy(allow("A01", "open", "handler", "a"))
    subject.decide(Role.HANDLER, facts("a"), Action.OPEN)
    enforcer = subject._enforcers[Action.OPEN, Role.HANDLER]

    for number in range(50):
        subject.decide(f"ghost{number}", facts("a"), Action.OPEN)  # type: ignore[arg-type] # ghosts

    assert len(enforcer._matchers) == 1
    assert set(enforcer.model.keys()) == {"r", "p", "e", "m"}


def test_threads_that_share_a_policy_get_right_answers() -> None:
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


def test_a_matcher_is_made_of_calls_and_nothing_else() -> None:
    functions = {"named": lambda *_: True}
    asked = {"r_facts": None, "p_id": "A01", "p_act": "open", "r_act": "open"}

    assert _Matcher("named(p_act, r_act) && named(p_act, r_act)", functions).eval(asked) is True
    for text in ("p_act == r_act", "not named(p_act)", "p_act.upper()", "named('open')", "True"):
        with pytest.raises(PolicyError) as refused:
            _Matcher(text, functions)
        assert refused.value.code == "policy.matcher"


def test_of_many_rules_that_nearly_held_three_are_told() -> None:
    policy = Policy(
        [allow(f"A0{n}", "open", "handler", " and ".join("abcde"[:n])) for n in range(1, 6)],
        facts=tuple("abcde"),
        digest="d",
    )

    decision = policy.decide(Role.HANDLER, dict.fromkeys("abcde", False), Action.OPEN)

    assert [miss.rule for miss in decision.near_misses] == ["A01", "A02", "A03"]


def test_every_deny_is_named_beside_what_would_allow() -> None:
    both = policy(
        allow("A01", "open", "handler", "a"),
        deny("D01", "open", "*", "b"),
        deny("D02", "*", "handler", "c"),
    )

    decision = both.decide(Role.HANDLER, facts("a", "b", "c"), Action.OPEN)

    assert (decision.allowed, decision.rule) == (False, "D01")
    assert set(decision.matching) == {"A01", "D01", "D02"}


def test_an_answer_of_casbin_that_does_not_follow_from_its_matches_is_a_no() -> None:
    one = policy(allow("A01", "open", "handler", "a"))
    one._by_id["A01"] = deny("A01", "open", "handler", "a")  # the fault

    decision = one.decide(Role.HANDLER, facts("a"), Action.OPEN)

    assert (decision.allowed, decision.rule) == (False, "error")


def test_a_rule_that_can_never_hold_is_not_among_what_was_nearly_so() -> None:
    never = policy(
        allow("A01", "open", "handler", "a and not a"), allow("A02", "open", "handler", "b")
    )

    decision = never.decide(Role.HANDLER, ALL_FALSE, Action.OPEN)

    assert (decision.rule, [miss.rule for miss in decision.near_misses]) == ("none", ["A02"])


def test_duties_are_met_by_all_of_them_and_a_no_stays_the_no_that_it_was() -> None:
    duties = frozenset({Duty.LOG, Duty.REASON})
    yes = Decision(allowed=True, action="open", rule="A01", digest="d", duties=duties)
    no = replace(yes, allowed=False, rule="D01")

    assert yes.deny_unless_met({Duty.LOG, Duty.REASON}) is yes
    assert yes.deny_unless_met([*Duty]) is yes
    for met in ((), (Duty.LOG,), (Duty.REASON, Duty.NOTIFY)):
        assert (yes.deny_unless_met(met).allowed, yes.deny_unless_met(met).rule) == (False, "duty")
        assert no.deny_unless_met(met) is no
