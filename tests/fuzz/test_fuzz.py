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
from tests.fuzz.mutation import CHANGES, mutated
from tests.fuzz.running import TooLong, TooMuch, Watch, noise_of

CASES = Path(__file__).parent / "cases"


def test_every_door_has_a_case_folder_and_a_way_to_change_bytes() -> None:
    assert set(DOORS) == set(ENTRIES) == set(CHANGES)
    assert {path.name for path in CASES.iterdir() if path.is_dir()} <= set(DOORS)


@pytest.mark.parametrize("door", DOORS)
def test_each_door_lets_in_what_is_genuine(door: str) -> None:
    entry = ENTRIES[door]

    assert [entry.attempted(seed) for seed in list(entry.seeds())[:2]] == [None, None]


@pytest.mark.parametrize("door", DOORS)
def test_changed_bytes_are_refused_for_many_reasons_and_sometimes_taken(door: str) -> None:
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
def test_what_once_broke_a_door_does_so_no_more(path: Path) -> None:
    ENTRIES[path.parent.name].attempted(path.read_bytes())


def test_a_certificate_in_another_encoding_is_not_believed() -> None:
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
def test_only_a_refusal_with_a_known_code_is_an_answer(error: Exception) -> None:
    with pytest.raises((KeyError, AssertionError)):
        _raising(error).attempted(b"")


def test_an_input_that_takes_too_long_is_a_finding_and_is_kept(tmp_path: Path) -> None:
    with (
        pytest.raises(TooLong),
        Watch(tmp_path / "last", seconds=0.05, megabytes=100_000) as watched,
    ):
        watched(lambda _: time.sleep(10), b"slow")

    assert (tmp_path / "last").read_bytes() == b"slow"


def test_an_input_that_takes_too_much_memory_is_a_finding(tmp_path: Path) -> None:
    with pytest.raises(TooMuch), Watch(tmp_path / "last", seconds=5, megabytes=1) as watched:
        watched(len, b"greedy")


def test_a_door_that_cannot_be_tried_is_not_fine(tmp_path: Path) -> None:
    result = tried("nothing", "dark", tmp_path / "x", 0)

    assert (result.fine, result.inputs) == (False, None)
    assert "KeyError" in result.said


@pytest.mark.long
def test_every_door_stands_for_some_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--seconds", "4", "--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("fine") == len(DOORS)
