"""One question from end to end: rows in the database, the product's policy, an answer."""

from collections.abc import Callable
from dataclasses import fields

import pytest
from sqlalchemy import event
from sqlmodel import Session

from inbox.access import (
    Action,
    Capacity,
    Decision,
    OfInstallation,
    OfMessage,
    OfTask,
    Policy,
    RequestFacts,
    Role,
    Subject,
    permit,
)
from inbox.domain import MessageId, MessageState, OrgNumber, PersonId, UnitId
from tests.access.town import BERGVIK, HAVNES, NOW, Town, strongly

Decide = Callable[[Capacity, Action, Subject], Decision]


@pytest.fixture
def decide(town: Town, the_policy: Policy) -> Decide:
    """What the product's policy says in the town now."""

    def decided(capacity: Capacity, action: Action, subject: Subject) -> Decision:
        return permit(
            town.session, the_policy, NOW, capacity=capacity, action=action, subject=subject
        )

    return decided


def test_assigned_handler_may_open_until_the_assignment_ends(
    town: Town, the_policy: Policy, decide: Decide
) -> None:
    kari, message = town.capacity("kari", Role.HANDLER, "bv"), town.message()
    assignment = town.assign(message, "kari")
    subject = OfMessage(message_id=MessageId(message.id))

    first = decide(kari, Action.OPEN, subject)
    assignment.active_until = NOW
    town.add(assignment)
    then = decide(kari, Action.OPEN, subject)

    assert (first.allowed, first.rule) == (True, "A09")
    assert (then.allowed, then.rule) == (False, "none")
    assert first.digest == then.digest == the_policy.digest


@pytest.mark.parametrize("action", Action)
def test_missing_message_is_denied_by_the_same_statement_as_a_foreign_one(
    town: Town, decide: Decide, session: Session, action: Action
) -> None:
    ada = strongly(town.capacity("ada", Role.ARCHIVIST, "arkiv"))
    theirs = town.message(MessageState.UNROUTED, unit=None, organisation=HAVNES)
    statements: list[str] = []

    def note(*told: object) -> None:
        statements.append(str(told[2]))

    event.listen(session.get_bind(), "before_cursor_execute", note)
    decisions = [
        decide(ada, action, OfMessage(message_id=MessageId(message_id)))
        for message_id in (theirs.id, "not there")
    ]
    event.remove(session.get_bind(), "before_cursor_execute", note)

    assert [decision.allowed for decision in decisions] == [False, False]
    assert len(statements) == 2
    assert statements[0] == statements[1]
    gone = decisions[1]
    assert (gone.rule, gone.matching, gone.near_misses) == ("none", (), ())
    assert (gone.duties, gone.facts) == (frozenset(), frozenset())
    assert {
        field.name: type(getattr(decisions[0], field.name)) for field in fields(decisions[0])
    } == {field.name: type(getattr(decisions[1], field.name)) for field in fields(decisions[1])}


def test_refuse_requires_two_persons_not_one_person_in_two_capacities(
    town: Town, decide: Decide
) -> None:
    ada = strongly(town.capacity("ada", Role.ARCHIVIST, "arkiv"))
    also_ada = strongly(town.capacity("ada", Role.LEADER, "bv"))
    lise = strongly(town.capacity("lise", Role.LEADER, "bv"))
    message = town.message()
    proposal = town.proposal(message.id, "ada")
    subject = OfMessage(message_id=MessageId(message.id), proposal_id=proposal.id)

    rules = [decide(each, Action.REFUSE, subject).rule for each in (ada, also_ada, lise)]

    assert rules == ["D06", "D06", "A06"]


def test_leader_may_assign_to_another_handler_but_not_to_self(
    town: Town, the_policy: Policy
) -> None:
    lise, message = town.capacity("lise", Role.LEADER, "bv"), town.message()
    town.capacity("lise", Role.HANDLER, "bv")
    town.capacity("kari", Role.HANDLER, "bv")

    def rule(person: str) -> str:
        return permit(
            town.session,
            the_policy,
            NOW,
            capacity=lise,
            action=Action.ASSIGN,
            subject=OfMessage(message_id=MessageId(message.id)),
            request=RequestFacts(target=PersonId(person)),
        ).rule

    assert [rule("kari"), rule("lise"), rule("nobody")] == ["A17", "D05", "none"]


def test_operator_may_operate_and_close_own_tasks_but_not_edit_policy(
    town: Town, decide: Decide
) -> None:
    rune = town.capacity("rune", Role.OPERATOR, "arkiv")
    stuck = OfTask(task_id=town.task("stuck", Role.OPERATOR).id)
    other = OfTask(task_id=town.task("missed", Role.ARCHIVIST).id)

    assert decide(rune, Action.OPERATE, OfInstallation()).allowed
    assert decide(rune, Action.CLOSE_TASK, stuck).allowed
    assert not decide(rune, Action.CLOSE_TASK, other).allowed
    assert not decide(rune, Action.POLICY_EDIT, OfInstallation()).allowed


def test_action_on_a_subject_of_the_wrong_kind_is_denied(town: Town, decide: Decide) -> None:
    rune = town.capacity("rune", Role.OPERATOR, "arkiv")
    message = OfMessage(message_id=MessageId(town.message().id))

    decisions = [decide(rune, Action.OPERATE, each) for each in (OfInstallation(), message)]

    assert [(d.allowed, d.rule) for d in decisions] == [(True, "A28"), (False, "none")]


def test_permit_sees_unflushed_changes_of_the_transaction(town: Town, decide: Decide) -> None:
    kari, message = town.capacity("kari", Role.HANDLER, "bv"), town.message()
    assignment = town.assign(message, "kari")
    assignment.active_until = NOW
    town.session.add(assignment)

    decision = decide(kari, Action.OPEN, OfMessage(message_id=MessageId(message.id)))

    assert not decision.allowed


def test_decision_holds_only_facts_that_the_rules_use(
    town: Town, the_policy: Policy, decide: Decide
) -> None:
    kari, message = town.capacity("kari", Role.HANDLER, "bv"), town.message()
    town.assign(message, "kari")

    decision = decide(kari, Action.OPEN, OfMessage(message_id=MessageId(message.id)))

    asked = the_policy.facts_used(Action.OPEN, Role.HANDLER)
    assert {"in_unit", "assigned", "cleared"} <= decision.facts <= asked
    assert "routed" not in asked


def test_permit_by_the_policy_of_nobody_denies(town: Town) -> None:
    rune = town.capacity("rune", Role.OPERATOR, "arkiv")

    decision = permit(
        town.session,
        Policy.deny_all("d"),
        NOW,
        capacity=rune,
        action=Action.OPERATE,
        subject=OfInstallation(),
    )

    assert (decision.allowed, decision.rule) == (False, "nobody")


def test_strong_sign_in_and_request_facts_are_false_by_default() -> None:
    ada = Capacity(
        id="c",
        role=Role.ARCHIVIST,
        organisation=BERGVIK,
        person=PersonId("ada"),
        unit=UnitId("arkiv"),
    )

    assert ada.strong_auth is False
    assert not any(getattr(RequestFacts(), field.name) for field in fields(RequestFacts))


def test_capacity_must_be_a_person_in_a_unit_or_a_case_system() -> None:
    with pytest.raises(ValueError, match="capacity"):
        Capacity(id="c", role=Role.HANDLER, organisation=OrgNumber(BERGVIK))
    for half in ({"person": PersonId("p")}, {"unit": UnitId("u")}):
        with pytest.raises(ValueError, match="capacity"):
            Capacity(id="c", role=Role.HANDLER, organisation=BERGVIK, **half)
    with pytest.raises(ValueError, match="case system"):
        Capacity(id="c", role=Role.CASE_SYSTEM, organisation=OrgNumber(BERGVIK))
    with pytest.raises(ValueError, match="case system"):
        Capacity(
            id="c",
            role=Role.CASE_SYSTEM,
            organisation=OrgNumber(BERGVIK),
            person=PersonId("p"),
            unit=UnitId("u"),
        )
