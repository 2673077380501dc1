"""Nothing hostile gets in, nothing genuine is turned away, and it costs little to find out."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.flaws import KINDS, Spoilt
from tests.hostile.genuine_writers import SHAPES
from tests.hostile.trial import LONGEST_SECONDS, MOST_MEMORY, Report, judge
from tests.package_builder import genuine

ROOT = Path(__file__).parents[2]
SEED = 20261124


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a process of its own says that it saw."""

    seen: dict[str, int]
    codes: dict[str, int]
    faults: list[str]
    slowest: float
    peak_bytes: int


def run(*words: object, seconds: int = 60) -> dict[str, Told]:
    command = [sys.executable, "-m", "tests.hostile", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stderr.decode()
    told: dict[str, Any] = json.loads(done.stdout)
    return {name: Told(**values) for name, values in told.items()}


def check(told: dict[str, Told], *, hostile: int, genuine: int) -> None:
    """All were tried, of all kinds and shapes; every base was accepted; no fault was seen."""
    assert (told["hostile"].faults, told["genuine"].faults) == ([], [])
    assert sum(told["hostile"].seen.values()) == hostile
    assert sum(told["genuine"].seen.values()) == genuine
    assert set(told["hostile"].seen) == set(KINDS)
    assert set(told["genuine"].seen) == set(SHAPES)
    assert max(each.slowest for each in told.values()) <= LONGEST_SECONDS
    assert max(each.peak_bytes for each in told.values()) <= MOST_MEMORY


def test_hostile_trial_refuses_hostile_and_accepts_genuine_sample_packages() -> None:
    hostile, genuine = len(KINDS), len(SHAPES)

    check(run("trial", hostile, genuine, SEED), hostile=hostile, genuine=genuine)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_hostile_trial_refuses_and_accepts_thousands_of_packages(seed: int) -> None:
    """More than 5 000 and 2 000 in all."""
    hostile, genuine = 40 * len(KINDS), 40 * len(SHAPES)

    told = run("trial", hostile, genuine, seed, seconds=600)

    check(told, hostile=hostile, genuine=genuine)
    assert len(told["hostile"].codes) > len(KINDS)


@pytest.mark.long
def test_package_of_a_gigabyte_is_opened_within_the_memory_limit(tmp_path: Path) -> None:
    told = run("large", tmp_path, seconds=600)

    assert told["large"].seen["bytes"] > 1_000_000_000
    assert told["large"].peak_bytes <= MOST_MEMORY


def test_hostile_trial_has_at_least_14_kinds_of_flaws() -> None:
    assert len(KINDS) >= 14


def test_hostile_trial_reports_an_accepted_package_and_a_wrong_refusal_code() -> None:
    report = Report()

    judge(report, "whole", Spoilt(raw=genuine(), codes=frozenset({"gap"})))
    judge(report, "cut", Spoilt(raw=genuine()[:-1], codes=frozenset({"gap"})))

    said = [fault.partition(": ")[2] for fault in report.faults]
    assert said[:3] == ["container says None", "inspect says None", "archive says None"]
    assert set(said[3:]) == {
        f"{reader} says container.truncated" for reader in ("container", "inspect", "archive")
    }


def test_hostile_trial_reports_a_crash_and_a_slow_package() -> None:
    report = Report()

    with report.timing("broken"):
        raise ZeroDivisionError
    with report.timing("slow", at_most=0.0):
        pass

    assert report.faults[0] == "broken: crashed with ZeroDivisionError()"
    assert report.faults[1].startswith("slow: took ")


@pytest.mark.long
def test_hostile_trial_memory_limit_raises_memory_error() -> None:
    greedy = "from tests.hostile.trial import *; hold_memory(); bytearray(MOST_MEMORY)"

    done = subprocess.run(
        [sys.executable, "-c", greedy], cwd=ROOT, capture_output=True, check=False
    )

    assert b"MemoryError" in done.stderr
