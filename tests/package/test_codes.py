"""Every rejection code is earned by the smallest package that earns it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from inbox.package.verdict import CODES, PackageQuarantined
from tests.package.attempts import (
    Opening,
)
from tests.package.refused_packages import BREV, EARNED, FILES
from tests.package.zip.zip_writer import descriptor
from tests.package_builder import genuine, opened, pack, refusal, with_part

ROOT = Path(__file__).parents[2]
OF_THE_LINE = {"arrival.other_bytes", "envelope.absent"}
"""What the line sees before there is a package to open: tests/line/test_quarantine.py."""
READ_ALONE = {code for code, attempt in EARNED.items() if not isinstance(attempt, Opening)}


@pytest.mark.parametrize("code", EARNED)
def test_each_rejection_code_is_raised_by_its_smallest_bad_package(code: str) -> None:
    assert refusal(EARNED[code]) == code


def test_verdict_integrity_stays_unknown_when_refused_before_the_integrity_check() -> None:
    answers = {}
    for code in ("container.gap", "signature.xades", "manifest.digest"):
        with pytest.raises(PackageQuarantined) as refused:
            EARNED[code]()
        answers[code] = refused.value.verdict.integrity

    assert answers == {"container.gap": None, "signature.xades": None, "manifest.digest": False}


def test_every_rejection_code_has_a_test_package_that_raises_the_code() -> None:
    assert EARNED.keys() | OF_THE_LINE == CODES.keys()
    assert not EARNED.keys() & OF_THE_LINE


def test_every_rejection_code_raised_in_the_source_is_registered() -> None:
    one = re.compile(r'(?:PackageRejected|reject_unless_waived)\(\s*"([^"]+)"')
    sources = [*(ROOT / "inbox/package").rglob("*.py"), ROOT / "inbox/line/stations/open.py"]
    raised = {code for source in sources for code in one.findall(source.read_text())}

    assert len(raised) >= 70
    assert raised <= CODES.keys()


def test_base_packages_of_the_rejection_table_are_accepted_unchanged() -> None:
    assert opened(pack()).verdict.code is None
    assert opened(pack(files=FILES)).problems == ()
    assert opened(genuine()).verdict.code is None
    whole = replace(BREV, flags=0x808)
    noted = with_part("brev.pdf", flags=0x808, after=descriptor(whole))
    assert opened(pack(parts=noted)).verdict.integrity is True


@pytest.mark.parametrize("code", [code for code in EARNED if code not in READ_ALONE])
def test_waiver_passes_a_waivable_code_and_never_a_code_that_is_not_waivable(code: str) -> None:
    attempt = EARNED[code]
    assert isinstance(attempt, Opening)

    if CODES[code].waivable:
        assert attempt(waivers=[code]).verdict.waived == (code,)
    else:
        assert refusal(lambda: attempt(waivers=[*CODES])) == code
