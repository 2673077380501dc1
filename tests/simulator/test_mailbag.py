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
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from inbox.message import Metadata, OrgNumber, Service, UnitId, parse_org_number
from inbox.package import Package, open_package
from inbox.package.envelope import read_envelope
from inbox.package.terms import Expected, Limits, RevocationList, Trust
from inbox.package.verdict import Quarantine
from inbox.routing.route import route
from inbox.routing.rules import read_rules
from inbox.simulator import envelopes
from inbox.simulator.certificates import TestAuthority
from inbox.simulator.gateway import GatewaySimulator
from inbox.simulator.gateway_queue import Damage
from inbox.simulator.mailbag import CAPABILITIES, KNOWN_REFERENCES, Letter, mailbag, refusals
from inbox.simulator.mailbag_expectations import REGISTERED, SYSTEM_OF, Answered, Fate
from inbox.simulator.mailbag_plan import Comes, Packing
from inbox.simulator.mailbag_postman import Postman, others_mail
from inbox.simulator.wire import json_bytes

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
RULES = Path(__file__).parents[2] / "policies/routing/910075918.toml"


@pytest.fixture(scope="module")
def authority() -> TestAuthority:
    return TestAuthority(valid_from=NOW - timedelta(days=30))


@pytest.fixture(scope="module")
def letters(authority: TestAuthority) -> list[Letter]:
    return mailbag(authority, NOW)


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


def opened(letter: Letter, authority: TestAuthority) -> Package:
    der = authority.crl(NOW)
    listed = x509.load_der_x509_crl(der)
    return open_package(
        BytesIO(content(letter)),
        read_envelope(json_bytes(letter.envelope)),
        expected=Expected(service=Service(letter.service), organisation=OrgNumber("910075918")),
        trust=Trust(
            anchors=(authority.root.public_bytes(serialization.Encoding.DER),),
            lists=(
                RevocationList(
                    der=der,
                    fetched_at=NOW,
                    this_update=listed.last_update_utc,
                    next_update=listed.next_update_utc,
                ),
            ),
        ),
        limits=Limits(),
        waivers=frozenset(),
        now=NOW,
    )


def test_there_are_enough_letters_of_every_fate(letters: list[Letter]) -> None:
    fates = Counter(letter.expect.fate for letter in letters)

    assert len(letters) >= 32
    assert set(fates) == set(Fate)
    assert sum(letter.expect.rule is not None for letter in letters) >= 20
    assert fates[Fate.RULE_AT_ONCE] >= 4
    assert fates[Fate.RULE_RELEASED] >= 8
    no_rule = (Fate.PLACED, Fate.PLACED_BY_HAND, Fate.UNROUTED, Fate.REFUSED)
    assert sum(fates[fate] for fate in no_rule) >= 4


def test_letters_that_fit_a_rule_are_spread_over_the_units(letters: list[Letter]) -> None:
    units = {letter.expect.unit for letter in letters if letter.expect.rule is not None}

    assert units == {"bv", "ppt", "skole", "helse", "nav", "bygg", "jurist"}
    assert units <= set(SYSTEM_OF)


def test_each_peculiar_letter_is_there(letters: list[Letter]) -> None:
    packings = Counter(letter.plan.packing for letter in letters)

    assert set(packings) == set(Packing)
    assert packings[Packing.MODERN] >= 4
    assert sum(letter.plan.again for letter in letters) == 1
    assert sum(letter.plan.resends is not None for letter in letters) == 1
    assert refusals(letters) == {named(letters, "pupil-leave").message_id: "missing_case_file"}
    assert {letter.expect.code for letter in letters if letter.plan.sender == "312140004"} == {
        "receipt.not_dpo"
    }


def test_the_mailbag_is_the_same_every_time(letters: list[Letter]) -> None:
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


def test_only_the_letter_with_other_bytes_shares_an_id(letters: list[Letter]) -> None:
    counted = Counter(letter.message_id for letter in letters)
    shared = [letter.name for letter in letters if counted[letter.message_id] > 1]

    assert sorted(shared) == ["hospital-summary", "same-id-other-bytes"]
    assert content(named(letters, shared[0])) != content(named(letters, shared[1]))


def test_every_package_opens_with_zipfile(letters: list[Letter]) -> None:
    for letter in openable(letters):
        with zipfile.ZipFile(BytesIO(content(letter))) as archive:
            assert archive.testzip() is None
            names = {document.name for document in letter.parcel.documents}
            assert names < set(archive.namelist()), letter.name


def test_the_large_package_is_forty_megabytes_and_the_same_each_time_it_is_popped(
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


def test_pdf_documents_have_a_table_that_finds_every_object(letters: list[Letter]) -> None:
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


def test_organisation_numbers_have_a_right_check_digit(letters: list[Letter]) -> None:
    numbers = {letter.plan.sender for letter in letters} | set(CAPABILITIES)
    numbers |= {counterparty for counterparty, _, _ in KNOWN_REFERENCES}

    assert {parse_org_number(number) for number in numbers} == numbers


def is_national_id(text: str) -> bool:
    digits = [int(digit) for digit in text]
    first = sum(a * b for a, b in zip((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), digits, strict=False))
    second = sum(a * b for a, b in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), digits, strict=False))
    return first % 11 == 0 and second % 11 == 0


def test_what_looks_like_a_national_id_is_none(letters: list[Letter]) -> None:
    texts = [f"{letter.plan.title} {letter.plan.lines}" for letter in letters]
    found = [number for text in texts for number in re.findall(r"(?<!\d)\d{11}(?!\d)", text)]

    assert is_national_id("01810190090")
    assert len(found) >= 1
    assert not any(is_national_id(number) for number in found)


def test_the_product_opens_them_as_expected(
    letters: list[Letter], authority: TestAuthority
) -> None:
    codes: dict[str, str | None] = {}
    for letter in openable(letters):
        try:
            opened(letter, authority)
        except Quarantine as quarantine:
            codes[letter.name] = quarantine.code

    assert codes == {
        "broken-signature": "signature.wrong",
        "unlisted-supplier": "signer.supplier_unknown",
        "protective-grade": "arkivmelding.protective_grade",
    }


def metadata_of(letter: Letter, package: Package) -> Metadata:
    envelope, archive = package.envelope, package.archive
    assert archive is not None
    references = {envelope.receiver_ref, envelope.conversation_id}
    known = [
        unit
        for counterparty, reference, unit in KNOWN_REFERENCES
        if counterparty == envelope.sender and reference in references
    ]
    followed = letter.plan.comes is Comes.WHEN_ANSWERED
    return Metadata(
        channel="integrasjonspunkt",
        service=Service(letter.service),
        sender=envelope.sender,
        sender_known=bool(known) or followed,
        signer=None,
        on_behalf_of=envelope.on_behalf_of,
        receiver=envelope.receiver,
        process=envelope.process,
        document_type=envelope.document_type,
        known_unit=UnitId(known[0]) if known else None,
        administrative_unit=archive.administrative_unit,
        screening_authority=archive.screening.authority if archive.screening else None,
        access_restriction=archive.screening.access_restriction if archive.screening else None,
        public_title=archive.public_title,
        received_at=NOW,
        document_count=len(package.documents),
        total_bytes=package.total_bytes,
    )


def test_the_municipalitys_rules_route_them_as_expected(
    letters: list[Letter], authority: TestAuthority
) -> None:
    book = read_rules(RULES.name, RULES.read_bytes())
    got, wanted = {}, {}
    for letter in openable(letters):
        expect = letter.expect
        if expect.fate is Fate.QUARANTINED:
            continue
        found = route(metadata_of(letter, opened(letter, authority)), book, NOW.date())
        at_once = expect.fate is Fate.RULE_AT_ONCE
        release = "at once" if at_once else "by a person"
        wanted[letter.name] = (expect.rule, expect.unit, release) if expect.rule else None
        got[letter.name] = found and (found.rule, found.unit, found.release.value)

    assert got == wanted


def test_who_can_be_answered_is_what_the_registry_says(letters: list[Letter]) -> None:
    response = "urn:no:difi:profile:arkivmelding:response:ver1.0"
    for letter in letters:
        reachable = CAPABILITIES.get(letter.plan.sender, {}).get(response) == "DPO"
        assert reachable is (letter.expect.answered is not Answered.IMPOSSIBLE), letter.name


def test_what_is_sent_again_has_the_same_documents_under_another_id(
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


def test_the_postman_brings_later_letters_when_their_time_comes(letters: list[Letter]) -> None:
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


def test_other_consumers_mail_fits_none_of_our_filters() -> None:
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
