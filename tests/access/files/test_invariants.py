"""What `invariants.txt` may say, and what each line speaks of."""

import pytest

from inbox.access.files.invariants import read_invariants
from inbox.access.policy.vocabulary import Duty
from inbox.errors import PolicyError


def raw(*lines: str) -> bytes:
    return "\n".join([f"# rows: {len(lines)}", *lines]).encode()


def test_invariants_and_assumptions_list_the_facts_used() -> None:
    assumed, claimed = read_invariants(
        raw("assume role:leader and a implies not b", "open and list implies role:handler or c"),
        ("a", "b", "c"),
    )

    assert (assumed.is_assumption, assumed.facts) == (True, frozenset({"a", "b"}))
    assert (claimed.is_assumption, claimed.facts) == (False, frozenset({"c"}))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("open", "policy.claim"),
        ("open implies a implies b", "policy.claim"),
        ("open implies", "policy.claim"),
        ("open implies d", "policy.condition_name"),
        ("open implies role:boss", "policy.condition_name"),
        ("assume open implies a", "policy.condition_name"),
        ("open needs log needs reason", "policy.claim"),
        ("open when a when b needs log", "policy.claim"),
        ("nothing needs log", "policy.claim"),
        ("open needs log log", "policy.word"),
        ("open needs shout", "policy.word"),
        ("open when d needs log", "policy.condition_name"),
    ],
)
def test_invalid_line_in_the_invariants_file_is_refused_with_its_number(
    line: str, code: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        read_invariants(raw("open implies a", line), ("a", "b"))

    assert refused.value.code == code
    assert refused.value.reason.startswith("invariants.txt, line 3: read ")


def test_invariants_file_with_assumptions_only_is_refused() -> None:
    with pytest.raises(PolicyError, match="no invariant") as refused:
        read_invariants(raw("assume a implies b"), ("a", "b"))

    assert refused.value.code == "policy.empty"
    assert refused.value.reason.startswith("invariants.txt, line 1: ")


@pytest.mark.parametrize("duties", [frozenset({Duty.LOG}), frozenset(Duty)])
def test_duties_demanded_of_an_action_are_read_with_its_condition(duties: frozenset[Duty]) -> None:
    words = " ".join(duties)

    always, sometimes = read_invariants(
        raw(f"open needs {words}", f"list when a needs {words}"), ("a", "b")
    )

    assert (always.needs, always.is_assumption, always.facts) == (duties, False, frozenset[str]())
    assert (sometimes.needs, sometimes.facts) == (duties, frozenset({"a"}))
