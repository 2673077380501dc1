"""Every duty of every shipped row, taken away once, breaks an invariant of its folder."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inbox.access.facts.registry import FACTS
from inbox.access.files.folder import PolicyDraft, load_draft
from inbox.access.files.invariants import read_invariants
from inbox.access.files.proofs import violated_invariants
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Duty, Effect, PolicyRule
from inbox.errors import PolicyError
from tests.access.town import POLICIES, allow

EXAMPLES = sorted((POLICIES / "examples").iterdir())


def loosened(draft: PolicyDraft, but: Collection[PolicyRule] = ()) -> Iterator[tuple[str, Policy]]:
    """The policy with one duty of one row that allows taken away, and what was taken."""
    for rule in (one for one in draft.policy.rules if one not in but):
        others = [one for one in draft.policy.rules if one is not rule]
        for duty in rule.duties if rule.effect is Effect.ALLOW else ():
            rows = [*others, replace(rule, duties=rule.duties - {duty})]
            yield f"{rule.id} without {duty}", Policy(rows, facts=FACTS, digest="loosened")


def harmless(draft: PolicyDraft, edits: Iterable[tuple[str, Policy]]) -> list[str]:
    """What was taken away without breaking an invariant."""
    return [name for name, policy in edits if not violated_invariants(policy, draft.invariants)]


def test_each_loosened_duty_of_a_shipped_row_breaks_an_invariant() -> None:
    draft = load_draft(POLICIES)
    assert violated_invariants(draft.policy, draft.invariants) == ()

    edits = list(loosened(draft))

    assert len(edits) > 30
    assert harmless(draft, edits) == []


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_each_loosened_duty_of_a_row_that_an_example_has_alone_breaks_an_invariant(
    folder: Path,
) -> None:
    draft, shipped = load_draft(folder), load_draft(POLICIES)
    assert violated_invariants(draft.policy, draft.invariants) == ()

    assert harmless(draft, loosened(draft, but=shipped.policy.rules)) == []


@pytest.mark.long
@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_each_loosened_duty_of_any_row_of_an_example_breaks_an_invariant(folder: Path) -> None:
    draft = load_draft(folder)

    edits = list(loosened(draft))

    assert len(edits) > 30
    assert harmless(draft, edits) == []


def test_duty_invariant_holds_of_every_rule_that_can_be_the_basis() -> None:
    rules = [allow("A01", "open", "handler", "assigned"), allow("A02", "open", "leader", "leads")]
    bare = Policy(rules, facts=FACTS, digest="d")
    logged = Policy(
        [replace(rule, duties=frozenset({Duty.LOG})) for rule in rules], facts=FACTS, digest="d"
    )
    invariants = read_invariants(
        b"# rows: 2\nopen needs log\nopen when role:leader needs log\n", FACTS.keys()
    )

    broken = violated_invariants(bare, invariants)

    assert [(each.invariant.line.number, each.role) for each in broken] == [
        (2, "handler"),
        (2, "leader"),
        (3, "leader"),
    ]
    assert violated_invariants(logged, invariants) == ()


@pytest.mark.parametrize(
    "line",
    [
        "open needs",
        "open needs logg",
        "open needs log log",
        "opened needs log",
        "open and list needs log",
        "open when needs log",
        "open needs log needs reason",
        "assume open needs log",
        "open when list needs log",
    ],
)
def test_duty_invariant_that_is_written_otherwise_is_refused(line: str) -> None:
    with pytest.raises(PolicyError):
        read_invariants(f"# rows: 2\nopen implies list\n{line}\n".encode(), FACTS.keys())
