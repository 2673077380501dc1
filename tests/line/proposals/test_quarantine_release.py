"""What may be graded and cannot be read: an archivist proposes, a security reviewer approves."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inbox.access.facts.registry import FACTS
from inbox.access.files.active import ActivePolicies
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import MessageState, OrgNumber
from inbox.errors import Conflict, NotFound, NotPermitted
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.line.proposals.quarantine_release import HeldMessage, show_held_message
from inbox.simulator.packages.arkivmelding import arkivmelding_xml
from inbox.tables import CapacityRow, Message, Proposal
from tests import databases
from tests.cli.installation import Answer, installation_of
from tests.line.school import School, school

CODE = "arkivmelding.grade_unreadable"
SECRETS = ("Testesen", "barnevern", "Eksempel", "brev.pdf", "Hemmelig")
NEWER = " and not needs_reviewer"
REASON = "Avsender bekrefter at den ikke er gradert"


@pytest.fixture
def town(database: str, tmp_path: Path) -> Iterator[School]:
    with school(database, tmp_path) as made:
        yield made


@pytest.fixture
def small_town(tmp_path: Path) -> Iterator[School]:
    """On one database, for what no database can change."""
    with school(databases.sqlite_database(tmp_path), tmp_path) as made:
        yield made


def may_be_graded() -> bytes:
    """Cut off after a grade: no parser reads it, and the letters are there."""
    graded = b"<gradering>Hemmelig</gradering><klassifikasjon>"
    return arkivmelding_xml().replace(b"<klassifikasjon>", graded, 1)[:-5]


def held(town: School, parcel: Mapping[str, Any] | None = None) -> Message:
    """Such a message in quarantine."""
    wire_id = town.world.send(parcel={"arkivmelding": may_be_graded(), **(parcel or {})})
    town.world.collect()
    town.world.work()
    return town.world.message(wire_id)


def archivist(town: School, person: str = "anne") -> Capacity:
    return town.world.person(person, Role.ARCHIVIST, "desk")


def reviewer(town: School, person: str = "siv") -> Capacity:
    return town.world.person(person, Role.SECURITY_REVIEWER, "desk")


def proposed(town: School, message: Message, codes: str = CODE, by: str = "anne") -> str:
    return message_proposals.propose(
        town.line,
        archivist(town, by),
        ProposalKind.QUARANTINE_RELEASE,
        message.id,
        code=codes,
        reason=REASON,
    )


def test_message_that_may_be_graded_goes_on_when_a_security_reviewer_approves(
    town: School,
) -> None:
    message = held(town)
    assert (message.state, message.code) == (MessageState.QUARANTINED, CODE)
    proposal = proposed(town, message)
    assert ("waiver", "security_reviewer", None) in town.tasks(message.id)

    with pytest.raises(NotPermitted):
        message_proposals.approve(town.line, archivist(town, "bjorn"), proposal)
    with pytest.raises(NotPermitted):
        message_proposals.approve(town.line, archivist(town), proposal)
    with pytest.raises(NotFound):
        message_proposals.approve(town.line, town.handler(), proposal)
    message_proposals.approve(town.line, reviewer(town), proposal)
    town.world.work()

    went_on = town.world.message(message.wire_id)
    assert went_on.state is MessageState.UNROUTED
    assert json.loads(went_on.verdict or "{}")["waived"] == [CODE]
    assert not {kind for kind, _, _ in town.tasks(message.id)} & {"waiver", "quarantine"}
    (leaf,) = town.leaves("message:quarantined", message.id)
    assert leaf["code"] == CODE
    released = [each for each in town.leaves("message:received", message.id) if each["rule"]]
    assert [(each["rule"], each["by"]) for each in released] == [("A04b", "quarantine_release")]


def test_arkivmelding_that_is_too_large_to_read_goes_on_when_a_reviewer_approves(
    small_town: School,
) -> None:
    world = small_town.world
    limits = replace(world.line.terms.limits, max_arkivmelding_bytes=100)
    world.line = replace(world.line, terms=replace(world.line.terms, limits=limits))
    message = held(small_town, {"arkivmelding": arkivmelding_xml()})
    assert message.code == "arkivmelding.too_large"

    proposal = proposed(small_town, message, "arkivmelding.too_large")
    with pytest.raises(NotPermitted):
        message_proposals.approve(world.line, archivist(small_town, "bjorn"), proposal)
    message_proposals.approve(world.line, reviewer(small_town), proposal)
    world.work()

    assert world.message(message.wire_id).state is MessageState.UNROUTED


def test_proposal_to_waive_several_codes_needs_a_reviewer_if_one_of_them_does(
    town: School,
) -> None:
    stranger = town.world.authority.issue("974761076")
    message = held(town, {"signer": stranger})
    assert message.code == "signer.not_sender"
    proposal = proposed(town, message, f"signer.not_sender {CODE}")

    with pytest.raises(NotPermitted):
        message_proposals.approve(town.line, archivist(town, "bjorn"), proposal)
    message_proposals.approve(town.line, reviewer(town), proposal)
    town.world.work()

    went_on = town.world.message(message.wire_id)
    assert went_on.state is MessageState.UNROUTED
    assert json.loads(went_on.verdict or "{}")["waived"] == ["signer.not_sender", CODE]


def test_release_of_another_code_stays_with_archivists(small_town: School) -> None:
    message = held(small_town, {"arkivmelding": None})
    assert message.code == "arkivmelding.absent"
    proposal = proposed(small_town, message, "arkivmelding.absent")
    assert "waiver" not in {kind for kind, _, _ in small_town.tasks(message.id)}

    with pytest.raises(NotFound):
        message_proposals.approve(small_town.line, reviewer(small_town), proposal)
    message_proposals.approve(small_town.line, archivist(small_town, "bjorn"), proposal)

    assert small_town.world.message(message.wire_id).state is MessageState.RECEIVED


def test_proposer_who_is_a_security_reviewer_too_cannot_approve(small_town: School) -> None:
    with small_town.line.store.transaction() as tx:
        for person in ("anne", "bjorn"):
            tx.add(
                CapacityRow(
                    id=f"{person}-reviews",
                    person=person,
                    unit="desk",
                    role=Role.SECURITY_REVIEWER.value,
                    active_from=tx.now,
                )
            )
    proposal = proposed(small_town, held(small_town))

    with pytest.raises(NotFound):
        message_proposals.approve(small_town.line, reviewer(small_town, "anne"), proposal)
    message_proposals.approve(small_town.line, reviewer(small_town, "bjorn"), proposal)


def test_damaged_proposal_lets_nobody_pass_and_tells_nothing_to_a_stranger(
    small_town: School,
) -> None:
    message = held(small_town)
    proposal = proposed(small_town, message)
    with small_town.line.store.transaction() as tx:
        row = tx.get_one(Proposal, proposal)
        row.sealed_payload = row.sealed_payload[:-1] + bytes([row.sealed_payload[-1] ^ 1])
        tx.add(row)

    with pytest.raises(NotFound):
        message_proposals.approve(small_town.line, small_town.handler(), proposal)
    with pytest.raises(Exception, match="sealed|damaged|differ|vault|key"):
        message_proposals.approve(small_town.line, reviewer(small_town), proposal)

    assert small_town.world.message(message.wire_id).state is MessageState.QUARANTINED


def test_those_who_decide_are_shown_envelope_and_verdict_and_no_content(town: School) -> None:
    message = held(town)
    with pytest.raises(NotFound):
        show_held_message(town.line, reviewer(town), message.id)
    before = show_held_message(town.line, archivist(town), message.id)
    proposal = proposed(town, message)

    shown = show_held_message(town.line, reviewer(town), message.id)

    assert before.proposal is None
    assert (shown.code, shown.verdict.code, shown.sender) == (
        CODE,
        CODE,
        OrgNumber(message.sender or ""),
    )
    assert shown.process
    assert shown.proposal is not None
    assert (shown.proposal.id, shown.proposal.proposer) == (proposal, "anne")
    assert (shown.proposal.waivers, shown.proposal.reason) == ((CODE,), REASON)
    assert shown.proposal.needs_reviewer
    assert not [secret for secret in SECRETS if secret in str(asdict(shown))]
    assert len(town.leaves("message:verdict_shown", message.id)) == 2


@pytest.mark.parametrize("who", ["handler", "leader", "late reviewer", "approved"])
def test_held_message_is_shown_to_nobody_else(small_town: School, who: str) -> None:
    message = held(small_town)
    proposal = proposed(small_town, message)
    if who == "late reviewer":
        small_town.world.clock.advance(small_town.line.terms.proposal_life + timedelta(days=1))
    if who == "approved":
        message_proposals.approve(small_town.line, reviewer(small_town), proposal)
    asks = {"handler": small_town.handler, "leader": small_town.kari}
    capacity = asks[who]() if who in asks else reviewer(small_town)

    with pytest.raises(NotFound):
        show_held_message(small_town.line, capacity, message.id)


def test_message_that_is_not_in_quarantine_is_not_shown_as_held(small_town: School) -> None:
    wire_id = small_town.world.send()
    small_town.world.collect()
    small_town.world.work()

    with pytest.raises(Conflict):
        show_held_message(
            small_town.line, archivist(small_town), small_town.world.message(wire_id).id
        )


def ask(town: School, person: str, *words: str, more: str = "") -> Answer:
    """The command, with the person's own code."""
    stdin = f"{town.world.codes[person]}\n{more}"
    program = installation_of(town.world)
    return program.ask("message", *words, "--by", person, "--code-from-stdin", stdin=stdin)


def test_release_commands_let_a_message_pass_and_print_no_content(small_town: School) -> None:
    message = held(small_town)
    archivist(small_town), archivist(small_town, "bjorn"), reviewer(small_town)

    made = ask(
        small_town,
        *("anne", "propose-release", message.id, "--waive", CODE, "--json"),
        more=f"{REASON}\n",
    )
    assert isinstance(made.value, dict), made.err
    assert made.value["needs_reviewer"] is True
    proposal = made.value["proposal"]
    shown = ask(small_town, "siv", "held", message.id)
    refused = ask(small_town, "bjorn", "approve-release", proposal)
    approved = ask(small_town, "siv", "approve-release", proposal)

    assert "Ingen" not in shown.out
    assert "sikkerhetsansvarlig" in shown.out
    assert proposal in shown.out
    assert REASON in shown.out
    assert not [secret for secret in SECRETS if secret in shown.out + made.out + approved.out]
    assert (refused.code, refused.err.split(":")[1].strip()) == (1, "not_permitted")
    assert (approved.code, approved.out) == (0, "godkjent\n")


def test_held_command_prints_json_of_a_held_message(small_town: School) -> None:
    message = held(small_town)
    archivist(small_town)

    told = ask(small_town, "anne", "held", message.id, "--json")

    assert isinstance(told.value, dict), told.err
    assert told.value.keys() == HeldMessage.__dataclass_fields__.keys()
    assert told.value["verdict"]["code"] == CODE


def test_policy_of_before_the_reviewer_lets_nobody_waive_what_may_be_graded(
    small_town: School,
) -> None:
    message = held(small_town)
    line = small_town.line
    with line.store.reading() as tx:
        now = line.policies.current(tx)
    rules = [
        replace(rule, when=rule.when.replace(NEWER, "")) for rule in now.rules if rule.id != "A04b"
    ]
    before = Policy(rules, facts=FACTS, digest=now.digest)
    small_town.world.line = replace(line, policies=ActivePolicies(before))

    proposal = proposed(small_town, message)

    with pytest.raises(NotPermitted):
        message_proposals.approve(small_town.line, archivist(small_town, "bjorn"), proposal)
    with pytest.raises(NotFound):
        message_proposals.approve(small_town.line, reviewer(small_town), proposal)
