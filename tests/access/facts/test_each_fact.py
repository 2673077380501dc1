"""Each row fact: when it holds, when it does not, and that it is never NULL."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlmodel import Session

from inbox.access import (
    Action,
    Capacity,
    OfArrival,
    OfInstallation,
    OfMessage,
    OfTask,
    RequestFacts,
    Role,
)
from inbox.access.facts.lookup import look_up_facts
from inbox.access.facts.registry import ACTION_SUBJECTS, FACTS, fact_names_of
from inbox.access.question import OfConflict, OfGrant, OfProposal, OfUnit, Subject
from inbox.domain import (
    ArrivalId,
    ArrivalState,
    DeliveryId,
    DeliveryState,
    GrantKind,
    MessageId,
    MessageState,
    Mode,
    OrgNumber,
    PersonId,
    ProposalState,
    ReceiptState,
    TaskState,
    UnitId,
)
from inbox.tables import CaseSystem, Message, Person, Unit
from tests.access.town import AFTER, BERGVIK, HAVNES, NOW, Town

JUST_NOW = NOW - timedelta(seconds=1)


def held(
    town: Town, capacity: Capacity, subject: Subject | Message, given: RequestFacts | None = None
) -> set[str]:
    if isinstance(subject, Message):
        subject = OfMessage(message_id=MessageId(subject.id))
    facts = look_up_facts(town.session, NOW, capacity, subject, given or RequestFacts())
    assert facts is not None
    assert facts.keys() == FACTS.keys()
    assert all(type(value) is bool for value in facts.values())
    return {name for name, value in facts.items() if value}


def test_facts_of_a_handler_with_an_assignment_in_the_unit(town: Town) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    message = town.message()
    town.assign(message, "kari")

    facts = held(town, kari, message)

    assert facts == {
        "active_capacity",
        "active_person",
        "own_organisation",
        "in_unit",
        "assigned",
        "cleared",
        "target_cleared",
        "routed",
        "unopened",
        "readable",
        "refusable",
    }


@pytest.mark.parametrize("role", [Role.HANDLER, Role.LEADER, Role.ARCHIVIST])
def test_unit_facts_hold_only_while_capacity_person_and_unit_are_active(
    town: Town, role: Role
) -> None:
    unit = "arkiv" if role is Role.ARCHIVIST else "bv"
    kari = town.capacity("kari", role, unit)
    message = town.message(unit=unit)
    bonds = {"in_unit", "leads", "mailbox", "active_capacity", "active_person"}
    assert held(town, kari, message) & bonds >= {"in_unit", "active_capacity", "active_person"}

    row, person, home = (
        town.row_of(kari),
        town.session.get_one(Person, "kari"),
        town.session.get_one(Unit, unit),
    )
    for ends in (row, person, home):
        ends.active_until = NOW
        town.add(ends)
        assert not held(town, kari, message) & {"in_unit", "leads", "mailbox", "active_capacity"}
        assert ("active_person" in held(town, kari, message)) is (ends is not person)
        ends.active_until = AFTER
        town.add(ends)
        assert "in_unit" in held(town, kari, message)
        ends.active_from = NOW + timedelta(seconds=1)
        town.add(ends)
        assert not held(town, kari, message) & {"in_unit", "leads", "mailbox", "active_capacity"}
        ends.active_from = NOW
        town.add(ends)


Forge = Callable[[Capacity], Capacity]


@pytest.mark.parametrize(
    "forge",
    [
        lambda c: replace(c, id="another"),
        lambda c: replace(c, person=PersonId("ola")),
        lambda c: replace(c, unit=UnitId("ppt")),
        lambda c: replace(c, role=Role.LEADER),
        lambda c: replace(c, organisation=OrgNumber("915933149")),
    ],
    ids=["id", "person", "unit", "role", "organisation"],
)
def test_forged_capacity_has_no_active_capacity_or_unit_facts(town: Town, forge: Forge) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    town.person("ola")
    message = town.message()

    facts = held(town, forge(kari), message)

    assert not facts & {"active_capacity", "in_unit", "leads", "mailbox"}


def test_leads_requires_a_leader_capacity_in_the_unit_of_the_message(town: Town) -> None:
    leader = town.capacity("lise", Role.LEADER, "bv")
    handler = town.capacity("kari", Role.HANDLER, "bv")

    assert "leads" in held(town, leader, town.message(unit="bv"))
    assert "leads" not in held(town, leader, town.message(unit="ppt"))
    assert "leads" not in held(town, leader, town.message(unit=None))
    assert "leads" not in held(town, handler, town.message(unit="bv"))


def test_mailbox_requires_an_archivist_capacity_in_the_receiving_organisation(town: Town) -> None:
    archivist = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    leader = town.capacity("lise", Role.LEADER, "bv")
    ours = town.message(MessageState.UNROUTED, unit=None)
    theirs = town.message(MessageState.UNROUTED, unit=None, organisation=HAVNES)

    assert {"mailbox", "own_organisation"} <= held(town, archivist, ours)
    assert not {"mailbox", "own_organisation"} & held(town, archivist, theirs)
    assert "mailbox" not in held(town, leader, ours)


def test_assigned_holds_for_the_assigned_person_until_the_assignment_ends(town: Town) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    ola = town.capacity("ola", Role.HANDLER, "bv")
    message = town.message()

    assert "unassigned" in held(town, kari, message)
    assignment = town.assign(message, "kari")
    assert "assigned" in held(town, kari, message)
    assert not {"assigned", "unassigned"} & held(town, ola, message)
    assignment.active_until = NOW
    town.add(assignment)
    assert "assigned" not in held(town, kari, message)
    assert "unassigned" in held(town, ola, message)


def test_unit_shares_holds_when_the_unit_of_the_message_shares(town: Town) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    message, nowhere = town.message(), town.message(MessageState.UNROUTED, unit=None)
    assert "unit_shares" not in held(town, kari, message)

    unit = town.session.get_one(Unit, "bv")
    unit.shares_unassigned = True
    town.add(unit)

    assert "unit_shares" in held(town, kari, message)
    assert "unit_shares" not in held(town, kari, nowhere)


def test_conflict_with_a_message_or_sender_holds_until_the_conflict_ends(town: Town) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    message, other = town.message(), town.message()
    unread = town.message(MessageState.RECEIVED)
    other.sender, unread.sender = "915933149", None
    town.add(other)

    conflict = town.conflict("kari", message_id=message.id)
    assert "conflict" in held(town, kari, message)
    assert "conflict" not in held(town, kari, other)
    conflict.active_until = NOW
    town.add(conflict)
    assert "conflict" not in held(town, kari, message)
    town.conflict("kari", sender="915933149")
    assert "conflict" in held(town, kari, other)
    assert "conflict" not in held(town, kari, unread)
    assert "target_conflict" in held(town, kari, other, RequestFacts(target=PersonId("kari")))
    assert "target_conflict" not in held(town, kari, other, RequestFacts(target=PersonId("ola")))


def test_cleared_requires_a_clearance_for_the_shielding_code_of_the_message(town: Town) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    message = town.message()
    message.shielding = "13"
    town.add(message)

    assert "cleared" not in held(town, kari, message)
    town.clear("kari", "26")
    assert "cleared" not in held(town, kari, message)
    clearance = town.clear("kari", "13")
    assert "cleared" in held(town, kari, message)
    assert "target_cleared" in held(town, kari, message, RequestFacts(target=PersonId("kari")))
    assert "target_cleared" not in held(town, kari, message, RequestFacts(target=PersonId("ola")))
    clearance.active_until = JUST_NOW
    town.add(clearance)
    assert "cleared" not in held(town, kari, message)


def test_cleared_holds_for_a_message_without_shielding(town: Town) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")

    assert {"cleared", "target_cleared"} <= held(town, kari, town.message())


STATE_FACTS = {
    MessageState.UNROUTED: {"unrouted", "refusable"},
    MessageState.ROUTED: {"routed", "readable", "refusable"},
    MessageState.RELEASED: {"released", "readable"},
    MessageState.OFFERED: {"offered", "readable"},
    MessageState.RETURNED: {"returned", "readable", "refusable"},
    MessageState.REGISTERED: {"readable"},
    MessageState.ANSWERED: {"readable"},
    MessageState.QUARANTINED: {"quarantined", "refusable"},
}


@pytest.mark.parametrize("state", list(MessageState))
def test_state_facts_follow_the_state_of_the_message(town: Town, state: MessageState) -> None:
    every = set().union(*STATE_FACTS.values())
    facts = held(town, town.capacity("kari", Role.HANDLER, "bv"), town.message(state))

    assert facts & every == STATE_FACTS.get(state, set())


def test_unopened_is_false_once_the_message_is_opened(town: Town) -> None:
    kari, message = town.capacity("kari", Role.HANDLER, "bv"), town.message()
    message.opened_at = NOW
    town.add(message)

    assert "unopened" not in held(town, kari, message)


@pytest.mark.parametrize("state", list(DeliveryState))
def test_delivery_facts_follow_the_state_and_owner_of_the_delivery(
    town: Town, state: DeliveryState
) -> None:
    acos, other = town.system("acos"), town.system("other")
    message = town.message(MessageState.OFFERED)
    delivery = town.delivery(message, "acos", state)
    named = OfMessage(message_id=MessageId(message.id), delivery_id=DeliveryId(delivery.id))

    facts = held(town, acos, named)

    assert "own_delivery" in facts
    assert ("own_open_delivery" in facts) is (
        state in {DeliveryState.OPEN, DeliveryState.COLLECTED}
    )
    assert ("uncollected" in facts) is (state is DeliveryState.OPEN)
    assert not {"own_delivery", "own_open_delivery"} & held(town, other, named)


def test_own_delivery_ignores_a_delivery_of_another_message(town: Town) -> None:
    acos = town.system("acos")
    message, other = town.message(MessageState.OFFERED), town.message(MessageState.OFFERED)
    town.delivery(message, "acos")
    foreign = town.delivery(other, "acos")

    facts = held(
        town,
        acos,
        OfMessage(message_id=MessageId(message.id), delivery_id=DeliveryId(foreign.id)),
    )

    assert not {"own_delivery", "own_open_delivery"} & facts


def test_uncollected_is_false_once_the_delivery_is_collected(town: Town) -> None:
    acos, message = town.system("acos"), town.message(MessageState.OFFERED)
    delivery = town.delivery(message, "acos")
    delivery.collected_at = NOW
    town.add(delivery)

    assert "uncollected" not in held(town, acos, message)


@pytest.mark.parametrize("state", list(DeliveryState))
@pytest.mark.parametrize("mode", list(Mode))
def test_by_hand_holds_only_while_a_delivery_to_people_is_active(
    town: Town, state: DeliveryState, mode: Mode
) -> None:
    town.system("acos")
    town.session.get_one(CaseSystem, "acos").mode = mode
    message, other = town.message(MessageState.OFFERED), town.message(MessageState.OFFERED)
    town.delivery(message, "acos", state)
    kari = town.capacity("kari", Role.HANDLER, "bv")

    stands = state in {DeliveryState.OPEN, DeliveryState.COLLECTED}
    expected = stands and mode is Mode.BY_HAND
    assert ("by_hand" in held(town, kari, message)) is expected
    assert "by_hand" not in held(town, kari, other)


def test_case_system_facts_require_an_active_system_of_unit_and_organisation(town: Town) -> None:
    acos, foreign = town.system("acos"), town.system("foreign", HAVNES)
    unit = town.session.get_one(Unit, "bv")
    unit.case_system = "acos"
    town.add(unit)
    message = town.message(MessageState.RELEASED)

    facts = held(town, acos, message)
    assert {
        "unit_uses_system",
        "system_cleared",
        "active_capacity",
        "own_organisation",
    } <= facts
    assert "active_person" not in facts
    assert not held(town, foreign, message) & {"unit_uses_system", "system_cleared"}
    assert "unit_uses_system" not in held(town, acos, town.message(unit="ppt"))
    system = town.session.get_one(CaseSystem, "acos")
    system.active_until = NOW
    town.add(system)
    assert not held(town, acos, message) & {"system_cleared", "active_capacity"}


def test_person_has_none_of_the_case_system_facts(town: Town) -> None:
    town.system("acos")
    kari, message = town.capacity("kari", Role.HANDLER, "bv"), town.message(MessageState.OFFERED)
    town.delivery(message, "acos")

    assert not held(town, kari, message) & {
        "unit_uses_system",
        "system_cleared",
        "own_delivery",
        "own_open_delivery",
    }


@pytest.mark.parametrize("state", list(ReceiptState))
def test_receipt_failed_holds_for_unsettled_failed_and_impossible_receipts(
    town: Town, state: ReceiptState
) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    message = town.message(MessageState.REGISTERED)
    receipt = town.receipt(message, state)

    failed = state in {ReceiptState.FAILED, ReceiptState.IMPOSSIBLE}
    assert ("receipt_failed" in held(town, ada, message)) is failed
    receipt.settled_at = NOW
    town.add(receipt)
    assert "receipt_failed" not in held(town, ada, message)


def test_late_word_follows_the_named_task_or_any_open_late_word_task(town: Town) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    message = town.message()
    word = town.task("late_word", Role.ARCHIVIST, message=message)
    common = town.task("other_bytes", Role.ARCHIVIST, message=message)
    of_message = OfMessage(message_id=MessageId(message.id))

    assert "late_word" in held(town, ada, of_message)
    assert "late_word" in held(town, ada, replace(of_message, task_id=word.id))
    assert "late_word" not in held(town, ada, replace(of_message, task_id=common.id))
    assert "late_word" in held(town, ada, OfTask(task_id=word.id))
    assert "late_word" not in held(town, ada, OfTask(task_id=common.id))
    word.state = TaskState.DONE
    town.add(word)
    assert "late_word" not in held(town, ada, of_message)
    assert "late_word" not in held(town, ada, OfTask(task_id=word.id))


def test_own_task_requires_an_open_task_of_the_role_and_unit(town: Town) -> None:
    lise = town.capacity("lise", Role.LEADER, "bv")
    kari = town.capacity("kari", Role.HANDLER, "bv")
    message = town.message()
    here = town.task("release", Role.LEADER, message=message, unit="bv")
    there = town.task("release", Role.LEADER, unit="ppt")
    done = town.task("returned", Role.LEADER, unit="bv", state=TaskState.DONE)
    named = OfMessage(message_id=MessageId(message.id), task_id=here.id)

    assert "own_task" in held(town, lise, OfTask(task_id=here.id))
    assert "own_task" in held(town, lise, named)
    assert "own_task" not in held(town, lise, replace(named, task_id=there.id))
    assert "own_task" not in held(town, lise, OfTask(task_id=there.id))
    assert "own_task" not in held(town, lise, OfTask(task_id=done.id))
    assert "own_task" not in held(town, kari, OfTask(task_id=here.id))


def test_own_organisation_of_a_task_follows_its_unit_message_or_arrival(town: Town) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    ours = [
        town.task("missed", Role.ARCHIVIST, subject=town.arrival().id),
        town.task("late_word", Role.ARCHIVIST, message=town.message(), unit="bv"),
        town.task("stuck", Role.OPERATOR),
    ]
    theirs = [
        town.task("missed", Role.ARCHIVIST, subject=town.arrival(organisation=HAVNES).id),
        town.task("late_word", Role.ARCHIVIST, message=town.message(organisation=HAVNES)),
        town.task("release", Role.ARCHIVIST, unit="x"),
    ]

    assert ["own_organisation" in held(town, ada, OfTask(task_id=t.id)) for t in ours] == [True] * 3
    assert not any("own_organisation" in held(town, ada, OfTask(task_id=t.id)) for t in theirs)


def test_proposed_by_other_requires_an_open_proposal_of_another_person(town: Town) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    lise = town.capacity("lise", Role.LEADER, "bv")
    also_lise = town.capacity("lise", Role.ARCHIVIST, "arkiv")
    message, other = town.message(), town.message()
    proposal = town.proposal(message.id, "lise")
    named = OfMessage(message_id=MessageId(message.id), proposal_id=proposal.id)
    elsewhere = OfMessage(message_id=MessageId(other.id), proposal_id=proposal.id)

    assert "proposed_by_other" in held(town, ada, named)
    assert "proposed_by_other" not in held(town, lise, named)
    assert "proposed_by_other" not in held(town, also_lise, named)
    assert "proposed_by_other" not in held(town, ada, elsewhere)
    assert "proposed_by_other" not in held(town, ada, message)
    proposal.expires_at = NOW
    town.add(proposal)
    assert "proposed_by_other" not in held(town, ada, named)
    proposal.expires_at, proposal.state = AFTER, ProposalState.LAPSED
    town.add(proposal)
    assert "proposed_by_other" not in held(town, ada, named)


def test_proposed_by_other_counts_a_proposal_about_the_named_task_of_the_message(
    town: Town,
) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    town.person("lise")
    message, other = town.message(), town.message()
    task = town.task("late_word", Role.ARCHIVIST, message=message)
    town.task("late_word", Role.ARCHIVIST, message=other)
    proposal = town.proposal(task.id, "lise")

    def about(row: Message, task_id: str | None) -> set[str]:
        subject = OfMessage(message_id=MessageId(row.id), proposal_id=proposal.id, task_id=task_id)
        return held(town, ada, subject)

    assert "proposed_by_other" in about(message, task.id)
    assert "proposed_by_other" not in about(message, None)
    assert "proposed_by_other" not in about(other, task.id)


def test_facts_of_an_arrival_follow_its_state_and_organisation(town: Town) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    town.person("lise")
    missed = town.arrival()
    proposal = town.proposal(missed.id, "lise")

    facts = held(town, ada, OfArrival(arrival_id=ArrivalId(missed.id), proposal_id=proposal.id))
    assert facts == {
        "active_capacity",
        "active_person",
        "own_organisation",
        "mailbox",
        "missed",
        "proposed_by_other",
    }
    stored = town.arrival(ArrivalState.STORED, HAVNES)
    facts = held(town, ada, OfArrival(arrival_id=ArrivalId(stored.id), proposal_id=proposal.id))
    assert facts == {"active_capacity", "active_person"}


def test_facts_of_the_installation_and_of_policy_and_route_proposals(town: Town) -> None:
    rune = town.capacity("rune", Role.SECURITY_REVIEWER, "arkiv")
    town.person("pia")
    policy = OfProposal(proposal_id=town.proposal("policy", "pia", kind="policy").id)
    ours = OfProposal(proposal_id=town.proposal(BERGVIK, "pia", kind="route").id)
    theirs = OfProposal(proposal_id=town.proposal(HAVNES, "pia", kind="route").id)
    own = OfProposal(proposal_id=town.proposal("policy", "rune", kind="policy").id)

    always = {"active_capacity", "active_person"}
    assert held(town, rune, OfInstallation()) == always | {"own_organisation"}
    assert held(town, rune, policy) == always | {"own_organisation", "proposed_by_other"}
    assert held(town, rune, ours) == always | {"own_organisation", "proposed_by_other"}
    assert held(town, rune, theirs) == always | {"proposed_by_other"}
    assert held(town, rune, own) == always | {"own_organisation"}


def test_in_parent_unit_holds_for_a_unit_above_until_the_relation_ends(town: Town) -> None:
    above = town.capacity("olga", Role.HANDLER, "arkiv")
    beside = town.capacity("per", Role.HANDLER, "ppt")
    town.above("bv", "bv")
    row = town.above("bv", "arkiv")
    message, unplaced = town.message(), town.message(unit=None)

    assert "in_parent_unit" in held(town, above, message)
    assert "in_parent_unit" not in held(town, beside, message)
    assert "in_parent_unit" not in held(town, above, unplaced)
    assert "in_parent_unit" not in held(town, town.capacity("kari", Role.HANDLER, "bv"), message)
    row.active_until = NOW
    town.add(row)
    assert "in_parent_unit" not in held(town, above, message)


def test_covers_holds_for_messages_of_the_absent_colleague_in_the_unit(town: Town) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    elsewhere = town.capacity("kari", Role.HANDLER, "ppt")
    for name in ("ola", "lise"):
        town.person(name)
    standing = town.delegation("bv", "ola", "kari", "lise")
    message, other, moved = town.message(), town.message(), town.message(unit="ppt")
    assignment = town.assign(message, "ola")
    town.assign(other, "lise")
    town.assign(moved, "ola")

    assert "covers" in held(town, kari, message)
    assert "covers" not in held(town, kari, other)
    assert "covers" not in held(town, elsewhere, moved)
    assert "covers" not in held(town, elsewhere, message)
    standing.active_until = NOW
    town.add(standing)
    assert "covers" not in held(town, kari, message)
    standing.active_until, assignment.active_until = AFTER, NOW
    town.add(standing), town.add(assignment)
    assert "covers" not in held(town, kari, message)


@pytest.mark.parametrize("kind", GrantKind)
def test_grant_facts_hold_until_the_grant_ends_or_the_message_changes_unit(
    town: Town, kind: GrantKind
) -> None:
    fact = {GrantKind.GIVEN: "has_grant", GrantKind.BREAKGLASS: "has_breakglass"}[kind]
    kari = town.capacity("kari", Role.HANDLER, "ppt")
    ola = town.capacity("ola", Role.HANDLER, "ppt")
    town.person("lise")
    message, other = town.message(), town.message()
    grant = town.grant(message, "kari", "lise", kind)

    assert {"has_grant", "has_breakglass"} & held(town, kari, message) == {fact}
    assert fact not in held(town, ola, message)
    assert fact not in held(town, kari, other)
    message.unit = "ppt"
    town.add(message)
    assert fact not in held(town, kari, message)
    message.unit, grant.active_until = "bv", NOW
    town.add(message), town.add(grant)
    assert fact not in held(town, kari, message)


def test_involved_holds_for_grantee_giver_former_assignee_and_unit_leader(town: Town) -> None:
    message, other = town.message(), town.message()
    for name in ("kari", "lise", "ola", "per"):
        town.person(name)
    grant = town.grant(message, "kari", "lise", GrantKind.BREAKGLASS)
    town.assign(message, "ola", until=NOW)
    leader = town.capacity("leif", Role.LEADER, "bv")
    town.grant(other, "per", "per", GrantKind.BREAKGLASS)

    def is_involved(person: str) -> bool:
        reviewer = town.capacity(person, Role.SECURITY_REVIEWER, "arkiv")
        return "involved" in held(town, reviewer, OfGrant(grant_id=grant.id))

    assert [is_involved(name) for name in ("kari", "lise", "ola", str(leader.person))] == [True] * 4
    assert not is_involved("per")
    assert not is_involved("rune")
    review = held(
        town, town.capacity("una", Role.SECURITY_REVIEWER, "x"), OfGrant(grant_id=grant.id)
    )
    assert "own_organisation" not in review


def test_conflict_with_a_case_holds_for_every_message_that_names_the_case(town: Town) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    message, other = town.message(), town.message()
    town.reference(message, "a"), town.reference(other, "b")
    town.conflict("kari", reference_hash="a")

    assert "conflict" in held(town, kari, message)
    assert "conflict" not in held(town, kari, other)


def test_facts_about_a_unit_follow_its_leader_organisation_and_target(town: Town) -> None:
    lise = town.capacity("lise", Role.LEADER, "bv")
    town.capacity("kari", Role.HANDLER, "bv")
    own, other = OfUnit(unit_id=UnitId("bv")), OfUnit(unit_id=UnitId("ppt"))

    assert {"leads", "own_organisation"} <= held(town, lise, own)
    assert "leads" not in held(town, lise, other)
    assert "own_organisation" not in held(town, lise, OfUnit(unit_id=UnitId("x")))
    assert "target_in_unit" in held(town, lise, own, RequestFacts(target=PersonId("kari")))
    assert "target_in_unit" not in held(town, lise, other, RequestFacts(target=PersonId("kari")))


def test_leads_person_is_about_who_works_in_the_unit_or_below_it(town: Town) -> None:
    town.above("bv", "arkiv")
    leaders = [town.capacity("lise", Role.LEADER, unit) for unit in ("bv", "arkiv", "ppt", "x")]
    handler = town.capacity("ola", Role.HANDLER, "bv")
    kari = town.capacity("kari", Role.HANDLER, "bv")
    subject = OfConflict(conflict_id=town.conflict("kari", sender="974760673").id)

    led = [leader.unit for leader in leaders if "leads_person" in held(town, leader, subject)]

    assert led == ["bv", "arkiv"]
    assert "leads_person" not in held(town, handler, subject)
    assert "own_organisation" not in held(town, leaders[3], subject)
    assert "conflict" in held(town, kari, subject)
    assert "conflict" not in held(town, handler, subject)
    row = town.row_of(kari)
    row.active_until = NOW
    town.add(row)
    assert "leads_person" not in held(town, leaders[0], subject)
    assert "own_organisation" in held(town, leaders[0], subject)


def test_unassignable_follows_an_open_task_about_the_message(town: Town) -> None:
    manager, message = town.capacity("mona", Role.RECORDS_MANAGER, "arkiv"), town.message()
    assert "unassignable" not in held(town, manager, message)
    town.task("reassign", Role.LEADER, message=message)
    town.task("unassignable", Role.RECORDS_MANAGER, message=message, state=TaskState.DONE)
    assert "unassignable" not in held(town, manager, message)

    town.task("unassignable", Role.RECORDS_MANAGER, message=message)

    assert "unassignable" in held(town, manager, message)
    assert "unassignable" not in held(town, manager, town.message())


def test_every_action_and_every_fact_has_a_kind_of_subject() -> None:
    kinds = {kind for subjects in ACTION_SUBJECTS.values() for kind in subjects}

    assert set(ACTION_SUBJECTS) == set(Action)
    assert set().union(*(fact_names_of(kind) for kind in kinds)) == set(FACTS)


def test_actions_per_subject_kind_match_design_section_7() -> None:
    """The closed lists of design §7: what else there is, is about a message alone."""
    others = {
        OfArrival: {
            *(Action.ROUTE, Action.PROPOSE, Action.DECLINE, Action.REFETCH, Action.ABANDON),
        },
        OfTask: {Action.CLOSE_TASK},
        OfUnit: {Action.DELEGATE, Action.END_ACCESS, Action.FIGURES},
        OfGrant: {Action.ACCESS_REVIEW, Action.BREAKGLASS_REVIEW},
        OfConflict: {Action.PROPOSE, Action.DECLINE, Action.END_CONFLICT},
        OfProposal: {
            *(Action.POLICY_APPROVE, Action.ROUTE_APPROVE),
            *(Action.DIRECTORY_APPROVE, Action.DECLINE),
        },
        OfInstallation: {
            *(Action.POLICY_EDIT, Action.ROUTE_EDIT, Action.DIRECTORY_EDIT),
            *(Action.OPERATE, Action.AUDIT_READ, Action.ACCESS_READ),
        },
    }
    beside_messages = {
        *(Action.ROUTE, Action.PROPOSE, Action.DECLINE),
        *(Action.CLOSE_TASK, Action.END_ACCESS),
    }
    no_message = set().union(*others.values()) - beside_messages

    for kind, actions in others.items():
        assert {action for action in Action if kind in ACTION_SUBJECTS[action]} == actions
    assert {action for action in Action if OfMessage not in ACTION_SUBJECTS[action]} == no_message


def test_facts_known_of_a_subject_kind_exclude_facts_of_other_kinds() -> None:
    assert {"missed", "mailbox"} <= fact_names_of(OfArrival)
    assert not {"assigned", "cleared", "involved", "target_in_unit"} & fact_names_of(OfArrival)
    assert "involved" in fact_names_of(OfGrant)
    assert not {"missed", "assigned"} & fact_names_of(OfGrant)
    assert not {"missed", "involved"} & fact_names_of(OfMessage)


def test_fact_lookup_returns_only_the_requested_facts(town: Town) -> None:
    ada, message = town.capacity("ada", Role.ARCHIVIST, "arkiv"), town.message()
    subject = OfMessage(message_id=MessageId(message.id))
    for names in ({"routed"}, {"strong_auth"}, {"routed", "reason_given", "missed"}, set[str]()):
        found = look_up_facts(town.session, NOW, ada, subject, RequestFacts(), names)

        assert found is not None
        assert found.keys() == names


def test_target_in_unit_requires_an_active_handler_in_the_unit(town: Town) -> None:
    lise = town.capacity("lise", Role.LEADER, "bv")
    kari = town.capacity("kari", Role.HANDLER, "bv")
    town.capacity("per", Role.HANDLER, "ppt")
    message = town.message()

    def for_(person: str) -> set[str]:
        return held(town, lise, message, RequestFacts(target=PersonId(person)))

    assert "target_in_unit" in for_("kari")
    assert "target_in_unit" not in for_("per")
    assert {"target_in_unit", "target_is_self"} & for_("lise") == {"target_is_self"}
    assert "target_in_unit" not in held(town, lise, message)
    row = town.row_of(kari)
    row.active_until = NOW
    town.add(row)
    assert "target_in_unit" not in for_("kari")


def test_request_facts_follow_the_request_and_strong_sign_in(town: Town) -> None:
    ada = replace(town.capacity("ada", Role.ARCHIVIST, "arkiv"), strong_auth=True)
    message = town.message()
    given = RequestFacts(
        reason_given=True,
        period_given=True,
        reference_given=True,
        waivable=True,
        needs_reviewer=True,
        same_documents=True,
    )

    wanted = {"strong_auth", "reason_given", "period_given", "reference_given"}
    wanted |= {"waivable", "needs_reviewer", "same_documents"}
    assert held(town, ada, message, given) >= wanted
    assert not held(town, replace(ada, strong_auth=False), message) & wanted


def test_fact_lookup_of_a_missing_subject_returns_none(town: Town) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    nothing: list[Subject] = [
        OfMessage(message_id=MessageId("none")),
        OfArrival(arrival_id=ArrivalId("none")),
        OfTask(task_id="none"),
        OfUnit(unit_id=UnitId("none")),
        OfGrant(grant_id="none"),
        OfConflict(conflict_id="none"),
        OfProposal(proposal_id="none"),
    ]

    assert [look_up_facts(town.session, NOW, ada, s, RequestFacts()) for s in nothing] == [None] * 7


def test_facts_are_booleans_when_every_nullable_column_is_null(
    town: Town, session: Session
) -> None:
    """Every column that may be NULL is, on the message, the task and in the request."""
    message = town.message(MessageState.RECEIVED, unit=None)
    message.sender = None
    town.add(message)
    task = town.task("stuck", Role.OPERATOR)
    bare = [town.system("acos"), town.capacity("kari", Role.HANDLER, "bv")]
    subjects: list[Subject] = [
        OfMessage(message_id=MessageId(message.id)),
        OfArrival(arrival_id=ArrivalId(town.arrival().id)),
        OfTask(task_id=task.id),
        OfUnit(unit_id=UnitId("bv")),
        OfGrant(grant_id=town.grant(message, "kari", "kari").id),
        OfConflict(conflict_id=town.conflict("kari", message_id=message.id).id),
        OfProposal(proposal_id=town.proposal("none", "kari").id),
        OfInstallation(),
    ]

    answers = [look_up_facts(session, NOW, c, s, RequestFacts()) for c in bare for s in subjects]

    assert len(answers) == len(bare) * len(subjects)
    for facts in answers:
        assert facts is not None
        assert [name for name, value in facts.items() if type(value) is not bool] == []


def test_fact_lookup_is_one_select_with_a_constant_text(town: Town, session: Session) -> None:
    kari, ola = (town.capacity(name, Role.HANDLER, "bv") for name in ("kari", "ola"))
    first, second = town.message(), town.message(MessageState.OFFERED)
    texts: list[str] = []

    def note(*told: object) -> None:
        texts.append(str(told[2]))

    event.listen(session.get_bind(), "before_cursor_execute", note)
    held(town, kari, first, RequestFacts(target=PersonId("ola")))
    held(town, ola, second)
    event.remove(session.get_bind(), "before_cursor_execute", note)

    assert len(texts) == 2
    assert texts[0] == texts[1]
    assert BERGVIK not in texts[0]


@pytest.mark.parametrize("state", MessageState)
def test_own_recent_move_is_of_its_person_while_it_can_be_undone(
    town: Town, state: MessageState
) -> None:
    anne = town.capacity("anne", Role.ARCHIVIST, "bv")
    other = town.capacity("bo", Role.ARCHIVIST, "bv")
    message = town.message(state, unit=None)
    message.moved_by = "anne"

    facts = [held(town, capacity, message) for capacity in (anne, other)]

    undoable = state in {MessageState.PLACING, MessageState.RELEASED}
    assert ["own_recent_move" in each for each in facts] == [undoable, False]


@pytest.mark.parametrize(("transfers", "climbed"), [(2, False), (3, True), (4, True)])
def test_message_is_escalated_from_the_third_transfer_until_it_is_done(
    town: Town, transfers: int, *, climbed: bool
) -> None:
    olga = town.capacity("olga", Role.RECORDS_MANAGER, "bv")
    open_one, done = town.message(), town.message(MessageState.REGISTERED)
    open_one.transfers = done.transfers = transfers

    assert ("escalated" in held(town, olga, open_one)) is climbed
    assert "escalated" not in held(town, olga, done)


def test_state_that_a_request_decides_in_replaces_that_of_the_message(town: Town) -> None:
    anne = town.capacity("anne", Role.ARCHIVIST, "bv")
    message = town.message(MessageState.PLACING, unit=None)
    given = RequestFacts(in_state=MessageState.ROUTED)

    facts, own = held(town, anne, message, given), held(town, anne, message)

    assert facts - own == {"routed", "readable", "refusable"}
    assert own - facts == set()


def test_state_that_a_request_decides_in_gives_no_fact_that_is_not_asked_for(town: Town) -> None:
    anne = town.capacity("anne", Role.ARCHIVIST, "bv")
    subject = OfMessage(message_id=MessageId(town.message(MessageState.PLACING, unit=None).id))
    given = RequestFacts(in_state=MessageState.ROUTED)

    facts = look_up_facts(town.session, NOW, anne, subject, given, {"routed", "mailbox"})

    assert facts is not None
    assert facts.keys() == {"routed", "mailbox"}
    assert facts["routed"]


def test_state_that_a_request_decides_in_is_of_messages_alone(town: Town) -> None:
    anne = town.capacity("anne", Role.ARCHIVIST, "bv")
    arrival = OfArrival(arrival_id=ArrivalId(town.arrival(ArrivalState.STORED).id))
    given = RequestFacts(in_state=MessageState.ROUTED)

    assert not {"routed", "readable", "refusable"} & held(town, anne, arrival, given)
