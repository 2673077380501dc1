"""The demo's mailbag: enough of it, lifelike, the same every time, and expecting what is true."""

import hashlib
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from inbox.domain import parse_org_number
from inbox.simulator.demo_mail.expectations import REGISTERED, SYSTEM_OF, Answered, Fate
from inbox.simulator.demo_mail.letters import (
    CAPABILITIES,
    KNOWN_REFERENCES,
    Letter,
    mailbag,
    refusals,
)
from inbox.simulator.demo_mail.plan import Comes, Packing
from inbox.simulator.demo_mail.postman import Postman, others_mail
from inbox.simulator.gateway.queue import Damage
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.packages import envelopes
from inbox.simulator.packages.certificates import TestAuthority

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> TestAuthority:
    return TestAuthority(valid_from=NOW - timedelta(days=30))


@pytest.fixture(scope="module")
def letters(authority: TestAuthority) -> list[Letter]:
    return mailbag(authority, NOW)


OF_THREE_WEEKS = {Fate.OFFERED, Fate.SENT_BACK, Fate.UNANSWERED}


def content(letter: Letter) -> bytes:
    """The package as the gateway would give it; of a lost one what it would have been."""
    package = letter.package
    assert not isinstance(package, Path | Damage | None)
    return package if isinstance(package, bytes) else b"".join(package())


def openable(letters: list[Letter]) -> Iterator[Letter]:
    for letter in letters:
        if letter.expect.fate is not Fate.MISSED:
            yield letter


def named(letters: list[Letter], name: str) -> Letter:
    return next(letter for letter in letters if letter.name == name)


def test_demo_mail_has_enough_letters_of_every_fate(letters: list[Letter]) -> None:
    fates = Counter(letter.expect.fate for letter in letters)

    assert len(letters) >= 32
    assert set(fates) == set(Fate) - OF_THREE_WEEKS
    assert fates[Fate.UNROUTED] >= 5
    assert sum(letter.expect.rule is not None for letter in letters) >= 20
    assert fates[Fate.RULE_AT_ONCE] >= 4
    assert fates[Fate.RULE_RELEASED] >= 8
    no_rule = (Fate.PLACED, Fate.PLACED_BY_HAND, Fate.UNROUTED, Fate.REFUSED)
    assert sum(fates[fate] for fate in no_rule) >= 4


def test_demo_mail_letters_with_a_rule_are_spread_over_all_units(letters: list[Letter]) -> None:
    units = {letter.expect.unit for letter in letters if letter.expect.rule is not None}

    assert units == {"bv", "ppt", "skole", "helse", "nav", "bygg", "jurist"}
    assert units <= set(SYSTEM_OF)


def test_demo_mail_has_every_packing_and_each_special_letter(letters: list[Letter]) -> None:
    packings = Counter(letter.plan.packing for letter in letters)

    assert set(packings) == set(Packing)
    assert packings[Packing.MODERN] >= 4
    assert sum(letter.plan.again for letter in letters) == 1
    assert sum(letter.plan.resends is not None for letter in letters) == 1
    assert refusals(letters) == {named(letters, "pupil-leave").message_id: "missing_case_file"}
    assert {letter.expect.code for letter in letters if letter.plan.sender == "312140004"} == {
        "receipt.not_dpo"
    }


def test_demo_mail_is_the_same_every_time(letters: list[Letter]) -> None:
    again = mailbag(TestAuthority(valid_from=NOW - timedelta(days=30)), NOW)

    assert [each.envelope for each in again] == [each.envelope for each in letters]
    assert [each.parcel.arkivmelding for each in again] == [
        each.parcel.arkivmelding for each in letters
    ]
    assert [[document.name for document in each.parcel.documents] for each in again] == [
        [document.name for document in each.parcel.documents] for each in letters
    ]
    assert all(
        mine.content == theirs.content
        for one, other in zip(again, letters, strict=True)
        for mine, theirs in zip(one.parcel.documents, other.parcel.documents, strict=True)
        if isinstance(mine.content, bytes)
    )


def test_demo_mail_has_one_shared_message_id_with_different_bytes(letters: list[Letter]) -> None:
    counted = Counter(letter.message_id for letter in letters)
    shared = [letter.name for letter in letters if counted[letter.message_id] > 1]

    assert sorted(shared) == ["hospital-summary", "same-id-other-bytes"]
    assert content(named(letters, shared[0])) != content(named(letters, shared[1]))


def test_demo_mail_packages_open_with_zipfile(letters: list[Letter]) -> None:
    for letter in openable(letters):
        with zipfile.ZipFile(BytesIO(content(letter))) as archive:
            assert archive.testzip() is None
            names = {document.name for document in letter.parcel.documents}
            assert names < set(archive.namelist()), letter.name


def test_large_demo_package_is_40_megabytes_and_the_same_at_each_pop(
    letters: list[Letter],
) -> None:
    package = named(letters, "hospital-recording").package
    assert callable(package)

    sizes, digests = set[int](), set[str]()
    for _ in range(2):
        digest, size = hashlib.sha256(), 0
        for chunk in package():
            digest.update(chunk)
            size += len(chunk)
        sizes.add(size)
        digests.add(digest.hexdigest())

    assert len(digests) == 1
    assert 40 << 20 <= min(sizes) < 41 << 20


def test_demo_mail_pdf_xref_table_finds_every_object(letters: list[Letter]) -> None:
    found = [
        document.content
        for letter in letters
        for document in letter.parcel.documents
        if document.media_type == "application/pdf"
    ]

    assert len(found) >= 32
    for file in found:
        assert isinstance(file, bytes)
        start = int(file.rsplit(b"startxref\n", 1)[1].split()[0])
        assert file[start : start + 4] == b"xref"
        places = re.findall(rb"(\d{10}) 00000 n", file[start:])
        for number, place in enumerate(places, start=1):
            assert file[int(place) :].startswith(b"%d 0 obj" % number)


def test_demo_mail_organisation_numbers_have_a_valid_check_digit(letters: list[Letter]) -> None:
    numbers = {letter.plan.sender for letter in letters} | set(CAPABILITIES)
    numbers |= {counterparty for counterparty, _, _ in KNOWN_REFERENCES}

    assert {parse_org_number(number) for number in numbers} == numbers


def is_national_id(text: str) -> bool:
    digits = [int(digit) for digit in text]
    first = sum(a * b for a, b in zip((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), digits, strict=False))
    second = sum(a * b for a, b in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), digits, strict=False))
    return first % 11 == 0 and second % 11 == 0


def test_demo_mail_contains_no_valid_national_id_number(letters: list[Letter]) -> None:
    texts = [f"{letter.plan.title} {letter.plan.lines}" for letter in letters]
    found = [number for text in texts for number in re.findall(r"(?<!\d)\d{11}(?!\d)", text)]

    assert is_national_id("01810190090")
    assert len(found) >= 1
    assert not any(is_national_id(number) for number in found)


def test_demo_mail_expects_a_receipt_only_where_capabilities_say_dpo(letters: list[Letter]) -> None:
    response = "urn:no:difi:profile:arkivmelding:response:ver1.0"
    for letter in letters:
        reachable = CAPABILITIES.get(letter.plan.sender, {}).get(response) == "DPO"
        assert reachable is (letter.expect.answered is not Answered.IMPOSSIBLE), letter.name


def test_resent_demo_letter_has_the_same_documents_under_another_id(
    letters: list[Letter],
) -> None:
    copy = named(letters, "sent-again")
    original = named(letters, "school-referral")

    assert copy.parcel.documents == original.parcel.documents
    assert copy.message_id != original.message_id
    assert copy.expect.fate is Fate.DUPLICATE
    assert original.expect.fate in REGISTERED


def take(gateway: GatewaySimulator, message_id: str) -> None:
    """Another consumer's taking looks the same to the postman."""
    gateway.lose(message_id)


def test_postman_delivers_later_demo_letters_when_their_time_comes(letters: list[Letter]) -> None:
    gateway = GatewaySimulator(clock=lambda: NOW, capabilities=CAPABILITIES)
    postman = Postman(gateway, letters)

    first = postman.bring()
    assert set(first) == {each.name for each in letters if each.plan.comes is Comes.AT_START}
    assert postman.bring() == []

    take(gateway, named(letters, "hospital-summary").message_id)
    assert postman.bring() == ["same-id-other-bytes"]

    take(gateway, named(letters, "hospital-discharge").message_id)
    assert postman.bring() == ["hospital-discharge, once more"]
    assert not postman.done


def test_other_consumers_demo_mail_matches_none_of_our_filters() -> None:
    ours = ("urn:no:difi:profile:arkivmelding:taushetsbelagt:ver1.0", "910075918")
    gateway = GatewaySimulator(clock=lambda: NOW)
    for letter in others_mail(NOW):
        gateway.put(letter.envelope, letter.package)

    filters = [
        (envelopes.process_of(letter.envelope), envelopes.org_of(letter.envelope, "receiver"))
        for letter in others_mail(NOW)
    ]

    assert gateway.queue() == [letter.message_id for letter in others_mail(NOW)]
    assert len(filters) == 3
    assert ours not in filters
