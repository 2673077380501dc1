"""What the mailbag expects of checks and routing is what the product's own code says."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from inbox.domain import Metadata, OrgNumber, Service, UnitId
from inbox.package import Package, open_package
from inbox.package.envelope import read_envelope
from inbox.package.inputs import Expectations, Limits, RevocationList, Trust
from inbox.package.verdict import PackageQuarantined
from inbox.routing.route import route
from inbox.routing.rule_reader import read_rules
from inbox.simulator.demo_mail.expectations import Fate
from inbox.simulator.demo_mail.letters import KNOWN_REFERENCES, Letter, mailbag
from inbox.simulator.demo_mail.plan import Comes
from inbox.simulator.demo_mail.three_weeks import SPAN, OfficeTime, three_weeks
from inbox.simulator.gateway.queue import Damage
from inbox.simulator.http.wire import json_bytes
from inbox.simulator.packages.certificates import TestAuthority

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
RULES = Path(__file__).parents[3] / "policies/routing/910075918.toml"


@pytest.fixture(scope="module")
def authority() -> TestAuthority:
    return TestAuthority(valid_from=NOW - timedelta(days=30))


@pytest.fixture(scope="module")
def letters(authority: TestAuthority) -> list[Letter]:
    """Those whose packages can be had."""
    return [letter for letter in mailbag(authority, NOW) if letter.expect.fate is not Fate.MISSED]


def opened(letter: Letter, authority: TestAuthority) -> Package:
    der = authority.crl(NOW)
    listed = x509.load_der_x509_crl(der)
    return open_package(
        BytesIO(_content(letter)),
        read_envelope(json_bytes(letter.envelope)),
        expected=Expectations(service=Service(letter.service), organisation=OrgNumber("910075918")),
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


def _content(letter: Letter) -> bytes:
    package = letter.package
    assert not isinstance(package, Path | Damage | None)
    return package if isinstance(package, bytes) else b"".join(package())


def test_product_opens_demo_mail_with_the_expected_quarantine_codes(
    letters: list[Letter], authority: TestAuthority
) -> None:
    codes: dict[str, str | None] = {}
    for letter in letters:
        try:
            opened(letter, authority)
        except PackageQuarantined as quarantine:
            codes[letter.name] = quarantine.code

    assert codes == {
        "broken-signature": "signature.wrong",
        "unlisted-supplier": "signer.supplier_unknown",
        "protective-grade": "arkivmelding.protective_grade",
    }


def metadata_of(letter: Letter, package: Package, *, known_by_now: bool = False) -> Metadata:
    envelope, archive = package.envelope, package.archive
    assert archive is not None
    references = {envelope.receiver_ref, envelope.conversation_id}
    known = [
        unit
        for counterparty, reference, unit in KNOWN_REFERENCES
        if counterparty == envelope.sender and reference in references
    ]
    followed = known_by_now or letter.plan.comes is Comes.WHEN_ANSWERED
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


def test_municipality_rules_route_demo_mail_as_expected(
    letters: list[Letter], authority: TestAuthority
) -> None:
    book = read_rules(RULES.name, RULES.read_bytes())
    got, wanted = {}, {}
    for letter in letters:
        expect = letter.expect
        if expect.fate is Fate.QUARANTINED:
            continue
        found = route(metadata_of(letter, opened(letter, authority)), book, NOW.date())
        at_once = expect.fate is Fate.RULE_AT_ONCE
        release = "at once" if at_once else "by a person"
        wanted[letter.name] = (expect.rule, expect.unit, release) if expect.rule else None
        got[letter.name] = found and (found.rule, found.unit, found.release.value)

    assert got == wanted


@pytest.fixture(scope="module")
def wordings(authority: TestAuthority) -> list[Letter]:
    """Of the three weeks each kind in each of its wordings and for each fate, once."""
    found: dict[object, Letter] = {}
    for dated in three_weeks(authority, OfficeTime(NOW - SPAN, NOW)):
        plan = dated.letter.plan
        if plan.expect.fate is not Fate.MISSED:
            found.setdefault((plan.sender, plan.public, plan.expect.fate), dated.letter)
    return list(found.values())


def test_product_opens_the_three_weeks_with_the_expected_quarantine_codes(
    wordings: list[Letter], authority: TestAuthority
) -> None:
    got: dict[str, str | None] = {}
    for letter in wordings:
        got[letter.name] = None
        try:
            opened(letter, authority)
        except PackageQuarantined as quarantine:
            got[letter.name] = quarantine.code

    assert len(got) >= 40
    assert got == {
        each.name: each.expect.code if each.expect.fate is Fate.QUARANTINED else None
        for each in wordings
    }


def test_municipality_rules_route_the_three_weeks_as_expected(
    wordings: list[Letter], authority: TestAuthority
) -> None:
    book = read_rules(RULES.name, RULES.read_bytes())
    got, wanted = {}, {}
    for letter in wordings:
        expect = letter.expect
        if expect.fate is Fate.QUARANTINED:
            continue
        known = expect.fate is not Fate.PLACED
        metadata = metadata_of(letter, opened(letter, authority), known_by_now=known)
        found = route(metadata, book, NOW.date())
        wanted[letter.name] = (expect.rule, expect.unit) if expect.rule else None
        got[letter.name] = found and (found.rule, found.unit)

    assert got == wanted
