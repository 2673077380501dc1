"""Quarantine in the line: alarms, waivers that are named, and nothing shown to anybody."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import update
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import MessageState
from inbox.errors import NotPermitted
from inbox.line import Line
from inbox.line.case_systems import capacity_of
from inbox.line.moves import archive_staff, case_system
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.package.codes.registry import CODES
from inbox.simulator.packages.arkivmelding import arkivmelding_xml
from inbox.simulator.packages.builder import ParcelDocument
from inbox.simulator.packages.certificates import SigningKey
from inbox.simulator.packages.envelopes import sbd_json
from inbox.tables import CaseSystem, Message, Task
from inbox.trust.trust_store import TrustStore
from tests.package.signature.signatures import holder, usage
from tests.worlds import BEGIN, OURS, SENDER, World

SUPPLIER, STRANGER = "991825827", "974761076"
SECRETS = ("Testesen", "barnevern", "Eksempel", "brev.pdf")


def telling(old: bytes, new: bytes) -> bytes:
    changed = arkivmelding_xml().replace(old, new, 1)
    assert new in changed
    return changed


def graded(grade: bytes) -> bytes:
    return telling(b"<klassifikasjon>", b"<gradering>" + grade + b"</gradering><klassifikasjon>")


@dataclass(frozen=True, kw_only=True)
class Earned:
    """How a message earns a code in a world."""

    parcel: Callable[[World], Mapping[str, Any]] = lambda _: {}
    sender: str = SENDER
    under: Callable[[Line], Line] = lambda line: line
    """What else must be so in the line."""


def without_sha1(line: Line) -> Line:
    return replace(line, terms=replace(line.terms, legacy_sha1_until=date(2026, 1, 1)))


def only_encrypts(world: World) -> Mapping[str, Any]:
    """Authorities made in one process share their key: the world's vouches for it."""
    del world
    made = holder(extensions=[(usage(key_encipherment=True), True)])
    assert isinstance(made.key, rsa.RSAPrivateKey)
    return {"signer": SigningKey(made.key, made.certificate)}


EARNED: Mapping[str, Earned] = {
    "trust.legacy_sha1": Earned(under=without_sha1),
    "trust.unknown_anchor": Earned(under=lambda line: replace(line, trust=TrustStore(None))),
    "trust.expired": Earned(
        parcel=lambda world: {"signer": world.authority.expired(SENDER, now=BEGIN)}
    ),
    "trust.not_yet_valid": Earned(
        parcel=lambda world: {
            "signer": world.authority.issue(SENDER, valid_from=BEGIN + timedelta(days=1))
        }
    ),
    "trust.usage": Earned(parcel=only_encrypts),
    "signer.no_org_number": Earned(
        parcel=lambda world: {"signer": world.authority.issue("9578-4050")}
    ),
    "signer.not_sender": Earned(parcel=lambda world: {"signer": world.authority.issue(STRANGER)}),
    "signer.supplier_unknown": Earned(
        sender=f"{SUPPLIER}:{SENDER}",
        parcel=lambda world: {"signer": world.authority.issue(SUPPLIER)},
    ),
    "envelope.other_sender": Earned(parcel=lambda world: {"sender": STRANGER}),
    "envelope.other_receiver": Earned(parcel=lambda world: {"receiver": STRANGER}),
    "arkivmelding.absent": Earned(parcel=lambda world: {"arkivmelding": None}),
    "arkivmelding.malformed": Earned(
        parcel=lambda world: {"arkivmelding": arkivmelding_xml()[:-5]}
    ),
    "arkivmelding.encoding": Earned(
        parcel=lambda world: {"arkivmelding": telling(b"UTF-8", b"UTF-7")}
    ),
    "arkivmelding.unsafe_xml": Earned(
        parcel=lambda world: {"arkivmelding": telling(b"?>", b"?><!DOCTYPE arkivmelding>")}
    ),
    "arkivmelding.too_complex": Earned(
        parcel=lambda world: {"arkivmelding": b"<a>" * 300 + b"</a>" * 300}
    ),
    "arkivmelding.not_noark": Earned(parcel=lambda world: {"arkivmelding": b"<arkivmelding/>"}),
    "arkivmelding.newer_namespace": Earned(
        parcel=lambda world: {"arkivmelding": telling(b'arkivmelding"', b'arkivmelding/v2"')}
    ),
    "arkivmelding.no_registration": Earned(
        parcel=lambda world: {
            "arkivmelding": arkivmelding_xml().replace(b"basisregistrering", b"annet")
        }
    ),
    "arkivmelding.protective_grade": Earned(
        parcel=lambda world: {"arkivmelding": graded(b"Fortrolig (beskyttelsesgrad)")}
    ),
    "arkivmelding.several": Earned(
        parcel=lambda world: {
            "documents": (
                ParcelDocument(
                    name="Arkivmelding.xml", media_type="text/xml", content=b"<arkivmelding/>"
                ),
            )
        }
    ),
    "documents.none": Earned(parcel=lambda world: {"documents": ()}),
}
BY_ITSELF = {
    "revocation-unknown",
    "arrival.other_bytes",
    "arkivmelding.grade_unreadable",
    "arkivmelding.too_large",
}
"""Waivable, and with a test of its own: below, or in proposals/test_quarantine_release.py."""


def arrive(world: World, earned: Earned) -> str:
    """Send it; the wire id."""
    envelope = sbd_json(sender=earned.sender, receiver=OURS, created_at=world.clock.now)
    parcel = earned.parcel(world)
    return world.gateway.put(envelope, world.package("Melding om barnevern", parcel=parcel))


def archivist(world: World, who: str = "anne") -> Capacity:
    return world.person(who, Role.ARCHIVIST, "desk")


def release(world: World, message: Message, code: str | None = None) -> None:
    """One proposes, naming the waivers; another approves."""
    proposal = message_proposals.propose(
        world.line,
        archivist(world),
        ProposalKind.QUARANTINE_RELEASE,
        message.id,
        code=code or message.code or "",
        reason="Avklart med avsenderen",
    )
    message_proposals.approve(world.line, archivist(world, "bjorn"), proposal)


def work(world: World) -> None:
    world.collect()
    world.work()


def test_every_waivable_quarantine_code_is_released_by_two_people_naming_the_code(
    small_world: World,
) -> None:
    world = small_world
    assert EARNED.keys() | BY_ITSELF == {code for code, it in CODES.items() if it.waivable}
    ordinary = world.line
    for code, earned in EARNED.items():
        world.line = earned.under(ordinary)
        wire_id = arrive(world, earned)
        work(world)
        held = world.message(wire_id)
        assert (held.state, held.code) == (MessageState.QUARANTINED, code)

        release(world, held)
        world.work()

        opened = world.message(wire_id)
        assert json.loads(opened.verdict or "{}")["waived"] == [code]
        assert opened.state in {MessageState.OFFERED, MessageState.UNROUTED}


def test_quarantine_for_unknown_revocation_is_released_by_two_people(small_world: World) -> None:
    world = small_world
    world.clock.advance(timedelta(days=9))
    wire_id = arrive(world, Earned())
    work(world)
    assert world.message(wire_id).state is MessageState.RECEIVED
    world.clock.advance(timedelta(days=8))
    world.work()
    assert world.message(wire_id).code == "revocation-unknown"

    release(world, world.message(wire_id))
    world.work()

    assert world.message(wire_id).state is MessageState.OFFERED


def test_quarantine_for_other_bytes_under_a_known_wire_id_is_released_by_two_people(
    small_world: World,
) -> None:
    world = small_world
    first = world.send(message_id="0b6c2f2e-6c1f-4a53-9a54-6f0a3c1d8e11")
    work(world)
    world.send(message_id=first, content=b"annet")
    work(world)
    with world.line.store.reading() as tx:
        held = tx.exec(select(Message).where(col(Message.shares_wire_id))).one()
    assert (held.state, held.code) == (MessageState.QUARANTINED, "arrival.other_bytes")

    release(world, held)
    world.work()

    with world.line.store.reading() as tx:
        assert tx.get_one(Message, held.id).state is MessageState.OFFERED


def test_waiver_covers_only_the_codes_named_and_may_name_several(
    small_world: World,
) -> None:
    world = small_world
    both = Earned(
        parcel=lambda world: {
            "signer": world.authority.issue(STRANGER),
            "arkivmelding": None,
        }
    )
    wire_id = arrive(world, both)
    work(world)

    release(world, world.message(wire_id))
    world.work()
    held = world.message(wire_id)
    assert (held.state, held.code) == (MessageState.QUARANTINED, "arkivmelding.absent")
    release(world, held, "signer.not_sender arkivmelding.absent")
    world.work()

    assert world.message(wire_id).state is MessageState.UNROUTED


def test_release_from_quarantine_is_denied_for_a_code_that_cannot_be_waived(
    small_world: World,
) -> None:
    world = small_world
    wire_id = arrive(world, Earned(parcel=lambda world: {"arkivmelding": graded(b"Hemmelig")}))
    work(world)

    with pytest.raises(NotPermitted):
        release(world, world.message(wire_id), "signer.not_sender")


def test_security_grade_task_stays_open_until_a_person_closes_the_task(small_world: World) -> None:
    world = small_world
    wire_id = arrive(world, Earned(parcel=lambda world: {"arkivmelding": graded(b"Hemmelig")}))
    work(world)
    held = world.message(wire_id)
    assert (held.state, held.code) == (MessageState.QUARANTINED, "arkivmelding.security_grade")
    assert world.open_tasks(held.id) == {"quarantine", "security_grade"}

    archive_staff.recheck(world.line, archivist(world), held.id, expected_version=held.version)
    world.work()
    assert world.open_tasks(held.id) == {"quarantine", "security_grade"}
    proposal = message_proposals.propose(
        world.line,
        archivist(world),
        ProposalKind.REFUSE,
        held.id,
        code="not_for_us",
        reason="Gradert",
    )
    message_proposals.approve(world.line, archivist(world, "bjorn"), proposal)
    assert world.open_tasks(held.id) == {"security_grade"}
    with world.line.store.reading() as tx:
        task = tx.exec(select(Task.id).where(col(Task.kind) == "security_grade")).one()
    archive_staff.close_by_hand(
        world.line, archivist(world), task, reason="Meldt til sikkerhetsleder"
    )

    assert world.open_tasks(held.id) == set()


def test_protective_grade_opens_no_security_grade_task(small_world: World) -> None:
    earned = EARNED["arkivmelding.protective_grade"]
    wire_id = arrive(small_world, earned)
    work(small_world)

    assert small_world.open_tasks(small_world.message(wire_id).id) == {"quarantine"}


def test_recheck_of_a_message_without_an_envelope_gives_code_envelope_absent(
    small_world: World,
) -> None:
    world = small_world
    wire_id = arrive(world, EARNED["signer.not_sender"])
    work(world)
    held = world.message(wire_id)
    with world.line.store.transaction() as tx:
        tx.execute(update(Message).values(sealed_envelope=None))

    archive_staff.recheck(world.line, archivist(world), held.id, expected_version=held.version)
    world.work()

    assert world.message(wire_id).code == "envelope.absent"


def test_quarantined_message_has_no_stored_content_and_no_delivery(small_world: World) -> None:
    world = small_world
    wire_ids = [
        arrive(world, Earned(parcel=lambda world: {"arkivmelding": graded(b"Hemmelig")})),
        arrive(world, EARNED["signer.not_sender"]),
        arrive(world, EARNED["documents.none"]),
    ]
    work(world)

    for wire_id in wire_ids:
        held = world.message(wire_id)
        assert held.state is MessageState.QUARANTINED
        assert (held.sealed_metadata, held.sealed_archive, held.sealed_documents) == (None,) * 3
        assert (held.document_count, held.total_bytes, held.missing) == (None,) * 3
        assert held.unit is None
        assert not [secret for secret in SECRETS if secret in (held.verdict or "")]
    with world.line.store.reading() as tx:
        systems = [capacity_of(found) for found in tx.exec(select(CaseSystem))]
    for capacity in systems:
        assert list(case_system.deliveries(world.line, capacity)) == []
