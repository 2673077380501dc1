"""To whom something may be given: for all colleagues at once what `permit` says of each."""

from collections import Counter
from dataclasses import replace
from itertools import product

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlmodel import Session, col

from inbox.access import Action, OfMessage, Policy, permit
from inbox.access.facts.registry import FACTS
from inbox.access.lists.targets import permitted_targets
from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity, RequestFacts
from inbox.domain import MessageId, PersonId
from inbox.tables import CapacityRow, Message, Person, Unit
from inbox.tables.periods import active_on
from tests.access.random_world import world_of
from tests.access.town import NOW, allow
from tests.access.world_session import session_with_world
from tests.line.desk.desk_world import statements

GIVEN = RequestFacts(reason_given=True, period_given=True)
GIVING = (Action.ASSIGN, Action.GRANT)
EVERYBODY = " ".join(each.value for each in Role if each is not Role.CASE_SYSTEM)
BY_ANYBODY = Policy(
    [
        allow("X1", "assign", EVERYBODY, "target_cleared and not target_is_self"),
        allow("X2", "grant", EVERYBODY, "target_in_unit or target_conflict"),
    ],
    facts=FACTS,
    digest="d",
)
"""Every fact about the one who gets it decides something."""


def handlers(session: Session, message_id: str) -> set[str]:
    """Those who handle cases now where the message is."""
    rows = session.execute(
        sa.select(col(Person.id))
        .join(CapacityRow, col(CapacityRow.person) == col(Person.id))
        .join(Unit, col(Unit.id) == col(CapacityRow.unit))
        .join(Message, col(Message.organisation) == col(Unit.organisation))
        .where(
            col(Message.id) == message_id,
            col(CapacityRow.role) == Role.HANDLER.value,
            active_on(CapacityRow, NOW),
            active_on(Person, NOW),
        )
    )
    return {person for (person,) in rows}


def all_at_once(
    session: Session, policy: Policy, capacity: Capacity, action: Action, subject: OfMessage
) -> list[str]:
    found = permitted_targets(
        session,
        policy,
        NOW,
        capacity=capacity,
        action=action,
        subject=subject,
        request=GIVEN,
    )
    names = [(each.name, each.person) for each in found]
    assert names == sorted(names)
    return [each.person for each in found]


def one_by_one(
    session: Session, policy: Policy, capacity: Capacity, action: Action, subject: OfMessage
) -> set[str]:
    return {
        person
        for person in handlers(session, subject.message_id)
        if permit(
            session,
            policy,
            NOW,
            capacity=capacity,
            action=action,
            subject=subject,
            request=replace(GIVEN, target=PersonId(person)),
        ).allowed
    }


def test_those_it_may_be_given_to_are_those_whom_permit_allows(
    small_engine: Engine, the_policy: Policy
) -> None:
    seen: Counter[int] = Counter()
    for seed, policy in product(range(12), (the_policy, BY_ANYBODY)):
        world = world_of(f"targets {seed}", messages=3)
        with session_with_world(small_engine, world) as session:
            about = [each for each in world.subjects() if isinstance(each, OfMessage)]
            for capacity in world.capacities:
                for subject in about:
                    for action in GIVING:
                        asked = (session, policy, capacity, action, subject)
                        found = all_at_once(*asked)
                        assert set(found) == one_by_one(*asked), (seed, capacity, subject, action)
                        assert len(found) == len(set(found))
                        seen[len(found)] += 1

    assert seen[0] > 100
    assert sum(number for count, number in seen.items() if count) > 20


def test_nobody_is_offered_a_message_that_is_not_there_by_the_same_statements(
    small_engine: Engine, the_policy: Policy
) -> None:
    world = world_of("targets 1", messages=1)
    with session_with_world(small_engine, world) as session:
        [message] = world.all(Message)
        leader = next(each for each in world.capacities if each.role is Role.LEADER)
        asked = []
        for message_id in (message.id, "not there"):
            subject = OfMessage(message_id=MessageId(message_id))
            with statements(small_engine) as texts:
                found = all_at_once(session, the_policy, leader, Action.ASSIGN, subject)
            asked.append((len(texts), texts))
        assert found == []
        assert asked[0] == asked[1]
        assert asked[0][0] == 2
