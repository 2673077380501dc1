"""The doors stand as long as they are tried, and what once broke one is tried again."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from inbox.errors import PackageRejected
from inbox.simulator.packages.cms import Profile, sign
from tests.fuzz import entries
from tests.fuzz.__main__ import DOORS, main, tried
from tests.fuzz.entries import ENTRIES, NOW, SIGNED, Entry
from tests.fuzz.fuzz_process import TooLong, TooMuch, Watch, noise_of
from tests.fuzz.mutation import CHANGES, mutated

CASES = Path(__file__).parent / "cases"


def test_every_fuzz_entry_has_mutations_and_every_case_folder_has_an_entry() -> None:
    assert set(DOORS) == set(ENTRIES) == set(CHANGES)
    assert {path.name for path in CASES.iterdir() if path.is_dir()} <= set(DOORS)


@pytest.mark.parametrize("door", DOORS)
def test_each_fuzz_entry_accepts_genuine_input(door: str) -> None:
    entry = ENTRIES[door]

    assert [entry.attempted(seed) for seed in list(entry.seeds())[:2]] == [None, None]


@pytest.mark.parametrize("door", DOORS)
def test_fuzz_mutations_get_several_rejection_codes_and_some_are_accepted(door: str) -> None:
    entry, noise = ENTRIES[door], noise_of(1)
    seeds = list(entry.seeds())[:2]

    codes = {
        entry.attempted(mutated(seeds[number % 2], CHANGES[door], entry.tokens, noise))
        for number in range(80)
    }

    assert None in codes
    assert len(codes) > 3


@pytest.mark.parametrize(
    "path", sorted(CASES.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_recorded_fuzz_case_no_longer_breaks_its_entry(path: Path) -> None:
    ENTRIES[path.parent.name].attempted(path.read_bytes())


def test_cms_fuzz_entry_does_not_trust_a_certificate_with_a_non_der_boolean() -> None:
    """Its library verifies a BOOLEAN that is neither 00 nor FF as if it were FF."""
    signer = entries._signer()
    raw = sign(SIGNED, signer, profile=Profile.SHA1, at=NOW)
    start = raw.index(signer.der) + signer.der.index(b"\x01\x01\xff") + 2

    ENTRIES["cms"].attempted(raw[:start] + b"\xc7" + raw[start + 1 :])


def _raising(error: Exception) -> Entry:
    def attempt(_: bytes) -> None:
        raise error

    return replace(ENTRIES["envelope"], attempt=attempt)


@pytest.mark.parametrize("error", [KeyError("x"), PackageRejected("envelope.unheard_of")])
def test_fuzz_attempt_raises_on_other_errors_and_unknown_rejection_codes(error: Exception) -> None:
    with pytest.raises((KeyError, AssertionError)):
        _raising(error).attempted(b"")


def test_fuzz_watch_raises_too_long_and_keeps_the_slow_input(tmp_path: Path) -> None:
    with (
        pytest.raises(TooLong),
        Watch(tmp_path / "last", seconds=0.05, megabytes=100_000) as watched,
    ):
        watched(lambda _: time.sleep(10), b"slow")

    assert (tmp_path / "last").read_bytes() == b"slow"


def test_fuzz_watch_raises_too_much_above_the_memory_limit(tmp_path: Path) -> None:
    with pytest.raises(TooMuch), Watch(tmp_path / "last", seconds=5, megabytes=1) as watched:
        watched(len, b"greedy")


def test_fuzz_run_of_an_unknown_entry_is_not_fine(tmp_path: Path) -> None:
    result = tried("nothing", "dark", tmp_path / "x", 0)

    assert (result.fine, result.inputs) == (False, None)
    assert "KeyError" in result.said


@pytest.mark.long
def test_fuzz_main_reports_every_entry_fine_after_some_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--seconds", "4", "--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("fine") == len(DOORS)
