"""An authority without a fresh list: whose mail waits, whose goes on, and a pilot without lists."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from inbox.domain import MessageState
from inbox.errors import ConfigurationError
from inbox.health.condition import HealthCondition, Level
from inbox.health.current import conditions_of
from inbox.health.words import words_of
from inbox.language import TextLanguage
from inbox.package.inputs import STALE_LIST
from inbox.simulator.packages.certificates import TestAuthority
from inbox.trust.trust_store import TrustStore
from tests.health.readiness import readiness_of
from tests.worlds import BEGIN, World

OTHER = "CN=Other Root CA,O=Simulator,C=NO"


def _of_trust(world: World) -> list[HealthCondition]:
    return [each for each in conditions_of(world.line) if each.kind == "trust"]


def _believe_another_authority_too(world: World) -> None:
    other = TestAuthority(valid_from=BEGIN - timedelta(days=30), name="Other Root CA")
    (world.folder / "trust" / "other.pem").write_bytes(other.root_pem())


def _arrive(world: World) -> MessageState:
    wire_id = world.send()
    world.collect()
    world.work()
    return world.message(wire_id).state


def _pilot(world: World, digests: Collection[str]) -> None:
    trust = TrustStore(world.folder / "trust", without_lists=digests)
    world.line = replace(world.line, trust=trust)


def _digest(authority: TestAuthority) -> str:
    return hashlib.sha256(authority.root.public_bytes(Encoding.DER)).hexdigest()


def test_one_authority_without_a_list_leaves_the_process_ready_and_the_others_mail_moving(
    small_world: World,
) -> None:
    _believe_another_authority_too(small_world)

    state = _arrive(small_world)

    [found] = _of_trust(small_world)
    assert (found.subject, found.code, found.level) == (f"trust:{OTHER}", STALE_LIST, Level.WRONG)
    assert readiness_of(small_world.line)["trust"] == "ok"
    assert state is MessageState.OFFERED
    assert "the others go on" in words_of(found, TextLanguage.EN).otherwise


def test_no_authority_with_a_list_makes_the_process_unready_and_says_how_many_wait(
    small_world: World,
) -> None:
    _believe_another_authority_too(small_world)
    (small_world.folder / "trust" / "root.crl").unlink()

    state = _arrive(small_world)

    found = _of_trust(small_world)
    assert [each.level for each in found] == [Level.UNREADY, Level.UNREADY]
    assert readiness_of(small_world.line)["trust"] == STALE_LIST
    assert state is MessageState.RECEIVED
    assert "(1 do)" in words_of(found[0], TextLanguage.EN).otherwise


def test_pilot_without_lists_lets_mail_pass_and_says_so_everywhere(small_world: World) -> None:
    (small_world.folder / "trust" / "root.crl").unlink()
    _pilot(small_world, [_digest(small_world.authority)])

    state = _arrive(small_world)

    [found] = _of_trust(small_world)
    assert (found.code, found.level) == ("trust.without_lists", Level.WARNING)
    assert readiness_of(small_world.line)["trust"] == "ok"
    assert state is MessageState.OFFERED
    verdict = json.loads(small_world.messages()[0].verdict or "")
    assert verdict["revocation"] is None
    assert "revocation_not_checked" in verdict["notes"]


def test_pilot_without_lists_still_refuses_what_a_list_at_hand_revokes(small_world: World) -> None:
    signer = small_world.authority.issue("910077473")
    revoked = small_world.authority.crl(BEGIN, revoked=[signer])
    (small_world.folder / "trust" / "root.crl").write_bytes(revoked)
    _pilot(small_world, [_digest(small_world.authority)])

    wire_id = small_world.send(parcel={"signer": signer})
    small_world.collect()
    small_world.work()

    message = small_world.message(wire_id)
    assert (message.state, message.code) == (MessageState.QUARANTINED, "trust.revoked")


def test_pilot_that_names_a_certificate_that_is_not_there_is_unready(small_world: World) -> None:
    _pilot(small_world, ["0" * 64])

    with pytest.raises(ConfigurationError, match=r"trust\.without_lists"):
        small_world.line.current_trust()
    assert readiness_of(small_world.line)["trust"] == "trust.without_lists"
