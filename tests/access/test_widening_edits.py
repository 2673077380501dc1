"""Every edit of a row that widens access breaks an invariant or a case, or stands in the diff."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from inbox.access import Action, Policy, Role
from inbox.access.facts.registry import FACTS
from inbox.access.files.cases import CASES_FILE, run_cases
from inbox.access.files.folder import PolicyDraft, load_draft
from inbox.access.files.proofs import violated_invariants
from inbox.access.policy.conditions import And, Condition, Name, Not, Or
from inbox.access.policy.vocabulary import Effect, PolicyRule
from inbox.access.review.diff import ChangeKind, DecisionChange, PolicyDiff, compare_policies
from tests.access.town import POLICIES


@pytest.fixture(scope="module")
def draft() -> PolicyDraft:
    return load_draft(POLICIES)


def text_of(condition: Condition) -> str:
    match condition:
        case Name(name):
            return name
        case Not(part):
            return f"not ({text_of(part)})"
        case And(parts):
            return " and ".join(f"({text_of(part)})" for part in parts)
        case Or(parts):
            return " or ".join(f"({text_of(part)})" for part in parts)


def faults_in(condition: Condition) -> Iterator[tuple[str, Condition]]:
    """Each joined part dropped or negated, at every depth; each fact negated."""
    match condition:
        case Name(name):
            yield f"{name} negated", Not(condition)
        case Not(part):
            yield f"not dropped before {text_of(part)}", part
            for said, fault in faults_in(part):
                yield said, Not(fault)
        case And(parts) | Or(parts):
            for at, part in enumerate(parts):
                rest = (*parts[:at], *parts[at + 1 :])
                yield f"{text_of(part)} dropped", replace(condition, parts=rest)
                for said, fault in faults_in(part):
                    yield said, replace(condition, parts=(*parts[:at], fault, *parts[at + 1 :]))


def edits(policy: Policy) -> Iterator[tuple[str, str, list[PolicyRule]]]:
    """Kind and name of each edit, and the rows after it."""
    for rule in policy.rules:
        others = [one for one in policy.rules if one is not rule]
        flipped = Effect.DENY if rule.effect is Effect.ALLOW else Effect.ALLOW
        yield "row deleted", f"{rule.id} deleted", others
        yield "effect flipped", f"{rule.id} flipped", [*others, replace(rule, effect=flipped)]
        if rule.roles != "*":
            yield "role to *", f"{rule.id} for all", [*others, replace(rule, roles="*")]
        for said, fault in faults_in(policy.conditions[rule.when]):
            kind = "part dropped" if "dropped" in said else "fact negated"
            yield kind, f"{rule.id}: {said}", [*others, replace(rule, when=text_of(fault))]


def noticed(draft: PolicyDraft, name: str, rows: list[PolicyRule]) -> str | None:
    """By what an edit that widens access is noticed first; None if it widens nothing."""
    edited = replace(draft, policy=Policy(rows, facts=FACTS, digest="edited"))
    diff = compare_policies(draft, edited)
    gained = [change for change in diff.changes if change.kind is ChangeKind.GAINED]
    chance = random.Random(name)  # noqa: S311 - a test
    if not gained:
        assert not any(newly_allowed(draft, edited, *one) for one in asked(chance)), name
        return None
    for change in gained:
        role = change.roles[0]
        examples = (fitting(chance, role, change, diff) for _ in range(400))
        assert any(newly_allowed(draft, edited, role, one, change.action) for one in examples), name
    if violated_invariants(edited.policy, draft.invariants):
        return "invariant"
    return "case" if run_cases(edited.policy, draft.cases[CASES_FILE]) else "diff"


def newly_allowed(
    draft: PolicyDraft, edited: PolicyDraft, role: Role, facts: dict[str, bool], action: Action
) -> bool:
    """Whether casbin says yes now and said no; the diff has no part in it."""
    was, becomes = (each.policy.decide(role, facts, action).allowed for each in (draft, edited))
    return becomes and not was


def asked(chance: random.Random) -> Iterator[tuple[Role, dict[str, bool], Action]]:
    for _ in range(8):
        role = chance.choice([*Role])
        facts = likely(chance, role)
        for action in Action:
            yield role, facts, action


STATES = ("unrouted", "routed", "released", "offered", "returned", "quarantined")


def likely(chance: random.Random, role: Role) -> dict[str, bool]:
    """Facts that can be, for this role, as the assumptions have it."""
    facts = {fact: chance.random() < 0.5 for fact in FACTS}
    facts |= dict.fromkeys(("own_organisation", "active_capacity", "active_person"), True)
    facts |= dict.fromkeys(STATES, False) | {chance.choice(STATES): True}
    facts["unassigned"] &= not facts["assigned"]
    facts["covers"] &= facts["in_unit"] and not facts["unassigned"]
    facts["in_parent_unit"] &= not facts["in_unit"]
    facts["leads"] = facts["in_unit"] and role is Role.LEADER
    facts["mailbox"] &= role is Role.ARCHIVIST
    return facts


def fitting(
    chance: random.Random, role: Role, change: DecisionChange, diff: PolicyDiff
) -> dict[str, bool]:
    """The same, with the facts of a term and of what is given as they must be."""
    words = " and ".join([chance.choice(change.terms), *diff.common_literals]).split(" and ")
    wanted = {word.removeprefix("not "): not word.startswith("not ") for word in words}
    return likely(chance, role) | {name: held for name, held in wanted.items() if name in FACTS}


def counted(draft: PolicyDraft, every: int) -> tuple[Counter[tuple[str, str]], set[str]]:
    found, alone = Counter[tuple[str, str]](), set()
    for number, (kind, name, rows) in enumerate(edits(draft.policy)):
        if number % every == 0 and (by := noticed(draft, name, rows)):
            found[kind, by] += 1
            alone |= {name} if by == "diff" else set()
    return found, alone


def test_sampled_edits_that_widen_access_break_an_invariant_or_a_case(draft: PolicyDraft) -> None:
    found, alone = counted(draft, 40)

    assert sum(found.values()) > 5
    assert alone == set()


@pytest.mark.long
def test_every_edit_that_widens_access_breaks_an_invariant(draft: PolicyDraft) -> None:
    found, alone = counted(draft, 1)

    assert alone == set()
    assert {by for _, by in found} == {"invariant"}
    assert {kind for kind, _ in found} == {
        "row deleted",
        "effect flipped",
        "role to *",
        "part dropped",
        "fact negated",
    }
