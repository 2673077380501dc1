"""What bites in casbin, each as casbin does it and as it cannot happen here."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import casbin
import pytest
from casbin.model import Model

from inbox.access import Action, Policy, Role
from inbox.access.files.folder import read_policy
from inbox.access.policy.engine import PolicyRule, model_text
from inbox.access.policy.vocabulary import cell_includes
from inbox.errors import PolicyError
from tests.access.town import allow, deny, files_of_vocabulary_1, policy_files

NAMES = ("a", "b")
RULES = (allow("A01", "open", "handler", "a"), deny("D01", "open", "*", "b"))


def policy(*rules: PolicyRule) -> Policy:
    return Policy(rules, facts=NAMES, digest="d")


def stock(*lines: str, model: str = model_text()) -> casbin.Enforcer:
    """Casbin as it comes, which finds that every condition holds."""
    made = Model()
    made.load_model_from_text(model)
    enforcer = casbin.Enforcer(made)
    enforcer.add_function("named", cell_includes)
    enforcer.add_function("holds", lambda when, facts: facts.get(when, True))
    for line in lines:
        casbin.persist.load_policy_line(line, made)
    return enforcer


@contextmanager
def called() -> Iterator[set[tuple[str, str]]]:
    """File and name of every function that is called meanwhile."""
    seen: set[tuple[str, str]] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            seen.add((Path(frame.f_code.co_filename).stem, frame.f_code.co_name))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(before)


ALLOW = "p, A01, open, handler, a, , allow"
DENY = "p, D01, open, *, b, , deny"


@pytest.mark.parametrize(
    "line", [f"{DENY} # since May", DENY.replace("deny", '"deny"'), f"P{DENY[1:]}", f"# {DENY}"]
)
def test_deny_row_with_a_typing_error_is_ignored_by_casbin_and_refused_by_us(line: str) -> None:
    assert not stock(ALLOW, DENY).enforce("handler", {}, "open")
    assert stock(ALLOW, line).enforce("handler", {}, "open")
    files = policy_files()
    rows = files["deny.csv"].decode()
    last = [row for row in rows.splitlines() if row.startswith("p, ")][-1]
    slipped = line.replace(DENY, last).replace(f"P{DENY[1:]}", f"P{last[1:]}")
    if '"' in line:
        slipped = last.replace(", deny", ', "deny"')

    with pytest.raises(PolicyError):
        read_policy({**files, "deny.csv": rows.replace(last, slipped).encode()})


def test_matcher_with_a_comment_sign_is_cut_by_casbin_and_refused_by_us() -> None:
    def cut(sign: str) -> str:
        return model_text().replace(" && named(p.role", f" {sign}&& named(p.role")

    assert stock(ALLOW, model=cut("#")).enforce("nobody", {}, "open")
    assert not stock(ALLOW).enforce("nobody", {}, "open")

    for sign in "#;":
        with pytest.raises(PolicyError):
            read_policy({**files_of_vocabulary_1(), "model.conf": cut(sign).encode()})


def test_empty_policy_and_request_are_allowed_by_casbin_and_denied_by_us() -> None:
    model = (
        model_text()
        .replace("holds(p.when, r.facts)", "p.when == r.facts")
        .replace(
            "named(p.act, r.act) && named(p.role, r.role)", "p.act == r.act && p.role == r.role"
        )
        .replace("some(where (p.eft == allow)) && !some", "!some")
    )
    assert stock(model=model).enforce("", "", "")

    assert not Policy.deny_all("d").decide("", {}, "").allowed  # type: ignore[arg-type] # the trap
    for file in ("allow.csv", "deny.csv"):
        with pytest.raises(PolicyError):
            read_policy({**policy_files(), file: b"# rows: 0\n"})


def test_disabled_enforcer_allows_all_in_casbin_and_is_an_error_in_our_policy() -> None:
    enforcer = stock(DENY)
    enforcer.enable_enforce(enabled=False)
    assert enforcer.enforce("handler", {}, "open")
    subject = policy(*RULES)
    subject.decide(Role.HANDLER, {"a": False, "b": True}, Action.OPEN)

    subject._enforcers[Action.OPEN, Role.HANDLER].enable_enforce(enabled=False)

    for a, b in ((True, True), (False, False), (False, True)):
        decision = subject.decide(Role.HANDLER, {"a": a, "b": b}, Action.OPEN)
        assert (decision.allowed, decision.rule) == (False, "error")


def test_casbin_names_one_matching_allow_and_our_decision_names_each() -> None:
    both = stock(ALLOW, "p, A02, open, handler, b, , allow")
    assert len([both.enforce_ex("handler", {}, "open")[1][0]]) == 1

    subject = policy(allow("A01", "open", "handler", "a"), allow("A02", "open", "handler", "b"))

    decision = subject.decide(Role.HANDLER, {"a": True, "b": True}, Action.OPEN)
    assert decision.matching == ("A01", "A02")


def test_exception_escapes_casbin_and_is_a_denial_in_our_policy() -> None:
    enforcer = stock(ALLOW)
    with pytest.raises(AttributeError):
        enforcer.enforce("handler", None, "open")

    decision = policy(*RULES).decide(Role.HANDLER, None, Action.OPEN)  # type: ignore[arg-type] # so

    assert (decision.allowed, decision.rule) == (False, "error")


def test_policy_decides_without_reloading_rules_or_calling_simpleeval() -> None:
    """`load_policy` clears before it fills; simpleeval walks every container that it is handed."""

    def ask(asked: Callable[[], object]) -> set[tuple[str, str]]:
        with called() as seen:
            asked()
        return seen

    ours = ask(
        lambda: [
            policy(*RULES).decide(Role.HANDLER, {"a": a, "b": b}, Action.OPEN)
            for a in (True, False)
            for b in (True, False)
        ]
    )
    theirs = ask(lambda: stock(ALLOW).enforce("handler", {}, "open"))

    assert ("core_enforcer", "enforce_ex") in ours
    assert "simpleeval" in {file for file, _ in theirs}
    assert "simpleeval" not in {file for file, _ in ours}
    loading = {name for _, name in ours if name.startswith("load_") and "policy" in name}
    assert loading == set()


def test_policy_uses_neither_the_fast_nor_the_synced_enforcer() -> None:
    """The fast one answers wrongly under threads, the locking one lets readers starve."""
    subject = policy(*RULES)
    subject.decide(Role.HANDLER, {"a": True, "b": True}, Action.OPEN)

    kept = [*subject._enforcers.values(), *subject._single_deny_enforcers.values()]

    assert len(kept) == 2
    for enforcer in kept:
        assert isinstance(enforcer, casbin.Enforcer)
        assert not isinstance(enforcer, casbin.FastEnforcer | casbin.SyncedEnforcer)


@pytest.mark.parametrize(
    "when",
    ["eval(a)", "a.clear()", "r.facts", "a == b", "a in b", "a and 1", "'a'", "a # b", "[a]"],
)
def test_condition_cell_with_python_code_is_refused(when: str) -> None:
    with pytest.raises(PolicyError):
        policy(allow("A01", "open", "handler", when))
