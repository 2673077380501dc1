"""One character wrong in the shipped rules: it is refused, it changes nothing, or diff shows it."""

import random
from functools import cache

import pytest

from inbox.errors import PolicyError
from inbox.routing.diff import diff_rule_books
from inbox.routing.rule_cases import run_cases
from inbox.routing.rule_reader import read_rules
from tests.routing.rule_books import NAME, POLICIES, the_book

THE_FILE = (POLICIES / "routing" / NAME).read_text()
THE_CASES = (POLICIES / "tests" / "routing.toml").read_bytes()
SIGNS = "abcdeinorstæøå0123456789-_.,:=\"'[]{}#* \n"


@cache
def the_ways() -> list[str]:
    return ways(THE_FILE)


def ways(text: str) -> list[str]:
    """Where every written case goes, and how; not by which rule, which may have a new name."""
    results = run_cases(read_rules(NAME, text.encode()), THE_CASES)
    return [r.got if "," not in r.got else "/".join(r.got.split(", ")[::2]) for r in results]


def slip(rng: random.Random) -> str:
    """The file with one character gone, doubled, changed, put in, or changed with the next."""
    at = rng.randrange(len(THE_FILE) - 1)
    here, after = THE_FILE[at], THE_FILE[at + 1]
    new = rng.choice(["", here * 2, rng.choice(SIGNS), rng.choice(SIGNS) + here, None])
    if new is None:
        return THE_FILE[:at] + after + here + THE_FILE[at + 2 :]
    return THE_FILE[:at] + new + THE_FILE[at + 1 :]


def slipped(count: int, seed: int) -> dict[str, int]:
    rng = random.Random(seed)  # noqa: S311 - drawn by seed, not secret
    met = {"refused": 0, "the same": 0, "shown": 0}
    for _ in range(count):
        text = slip(rng)
        try:
            book = read_rules(NAME, text.encode())
        except PolicyError as error:
            assert NAME in error.reason  # noqa: PT017 - either outcome is right
            met["refused"] += 1
            continue
        found = diff_rule_books(the_book(), book)
        assert found.complete
        assert found.has_changes or ways(text) == the_ways(), text
        met["shown" if found.has_changes else "the same"] += 1
    return met


def test_typing_error_in_rules_is_refused_or_harmless_or_shown_by_diff() -> None:
    met = slipped(200, seed=6)

    assert all(met.values()), met


@pytest.mark.long
def test_three_thousand_typing_errors_in_rules_are_refused_or_harmless_or_shown_by_diff() -> None:
    met = slipped(3_000, seed=60)

    assert min(met.values()) > 100, met
