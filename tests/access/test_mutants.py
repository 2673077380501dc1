"""Planted faults are noticed: the mutants of need to know, a sample of them, and their list."""

import subprocess
import sys

import pytest

from tests.access.mutants import MODULES, ROOT, known_survivors, mutants_of
from tests.cli.installation import clean_environment


def tried(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tests.access.run_mutants", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=clean_environment(),
    )


def test_every_known_survivor_is_a_mutant_with_a_reason() -> None:
    known = known_survivors()
    modules = {name.partition(": ")[0] for name in known}
    names = [m.name for module in MODULES for m in mutants_of(module)]

    assert len(names) == len(set(names))
    assert set(known) <= set(names)
    assert modules
    assert all(why.strip() for why in known.values())


def test_mutant_is_the_module_with_one_thing_changed() -> None:
    (mutant,) = [
        m
        for m in mutants_of("tables.periods")
        if m.name.startswith("tables.periods.active_on") and "<= on ->" in m.name
    ]

    changed = mutant.tree()

    less = "col(kind.active_from) < on"
    assert mutant.name == f"tables.periods.active_on: col(kind.active_from) <= on -> {less}"
    assert less in __import__("ast").unparse(changed)
    assert all(other.tree() for other in mutants_of("access.policy.vocabulary"))


@pytest.mark.long
def test_sampled_mutants_of_the_sql_of_facts_and_the_engine_are_killed() -> None:
    words = ["--every", "12", "--own"]
    for module in (
        "access.facts.relationship",
        "access.facts.other_subjects",
        "access.facts.message",
        "access.facts.parameters",
        "access.policy.engine",
    ):
        words += ["--module", module]

    answer = tried(*words)

    assert "lives, and is not listed" not in answer.stdout, answer.stdout
    assert int(answer.stdout.splitlines()[-1].split(" ")[0]) >= 18


@pytest.mark.long
def test_mutation_run_over_receipt_failed_reports_no_unlisted_survivor() -> None:
    """So that the test above can see: nothing of condition's own tests looks at receipts."""
    answer = tried("--module", "access.facts.message", "--part", "receipt_failed", "--own")

    assert answer.returncode == 0, answer.stdout
    assert "noticed" in answer.stdout
