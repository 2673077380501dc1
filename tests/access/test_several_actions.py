"""All actions of a page from one SELECT: what `permit` says of each, over random worlds."""

import random
from collections import Counter
from collections.abc import Iterable

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from inbox.access import Action, OfMessage, Policy, permit, permitted_actions
from inbox.access.facts.lookup import look_up_facts
from inbox.access.facts.registry import ACTION_SUBJECTS
from inbox.access.policy.vocabulary import Role
from inbox.domain import MessageId
from inbox.store import create_engine
from tests.access.random_policy import ACTIONS_ABOUT_MESSAGES, random_policy
from tests.access.random_world import world_of
from tests.access.town import NOW, Town, strongly
from tests.access.world_session import session_with_world
from tests.databases import SQLITE_SOON
from tests.line.desk.desk_world import statements
from tests.worlds import sharing_statements


def compare(engine: Engine, policy_of: Iterable[tuple[str, Policy]]) -> Counter[bool]:
    """Every subject of these worlds, for everybody: together and one by one."""
    seen: Counter[bool] = Counter()
    for seed, policy in policy_of:
        world = world_of(f"several {seed}", messages=2)
        with session_with_world(engine, world) as session:
            for capacity in world.capacities:
                given = world.given()
                for subject in world.subjects():
                    together = permitted_actions(
                        session,
                        policy,
                        NOW,
                        capacity=capacity,
                        subject=subject,
                        actions=tuple(Action),
                        request=given,
                    )
                    for action in Action:
                        # Decided from what this action alone asks for.
                        asked = policy.facts_used(action, capacity.role)
                        facts = look_up_facts(session, NOW, capacity, subject, given, asked)
                        alone = permit(
                            session,
                            policy,
                            NOW,
                            capacity=capacity,
                            action=action,
                            subject=subject,
                            request=given,
                        )
                        assert together[action] == alone, (seed, capacity, subject, action)
                        if facts is not None and type(subject) in ACTION_SUBJECTS[action]:
                            assert alone == policy.decide(capacity.role, facts, action)
                        else:
                            assert not alone.allowed
                        seen[alone.allowed] += 1
    return seen


def test_actions_decided_together_are_decided_as_one_by_one(
    small_engine: Engine, the_policy: Policy
) -> None:
    random_ones = [(str(seed), random_policy(seed, ACTIONS_ABOUT_MESSAGES)) for seed in (1, 2, 3)]

    seen = compare(small_engine, [("0", the_policy), *random_ones])

    assert min(seen[True], seen[False]) > 50


@pytest.mark.long
@SQLITE_SOON
def test_actions_decided_together_agree_in_many_worlds_on_each_database(
    database: str, the_policy: Policy
) -> None:
    engine = sharing_statements(create_engine(database))
    chance = random.Random(5)  # noqa: S311 - drawn by seed, not secret
    policies = [
        (str(seed), random_policy(seed, chance.sample(ACTIONS_ABOUT_MESSAGES, 12)))
        for seed in range(20)
    ]

    seen = compare(engine, [*policies, *((f"ours {n}", the_policy) for n in range(5))])

    engine.dispose()
    assert min(seen[True], seen[False]) > 500


def test_actions_are_decided_together_by_one_statement_missing_or_not(
    town: Town, session: Session, the_policy: Policy
) -> None:
    ada = strongly(town.capacity("ada", Role.ARCHIVIST, "arkiv"))
    message = town.message()
    seen = []
    for message_id in (message.id, "not there"):
        with statements(session.get_bind().engine) as texts:
            decisions = permitted_actions(
                session,
                the_policy,
                NOW,
                capacity=ada,
                subject=OfMessage(message_id=MessageId(message_id)),
                actions=tuple(Action),
            )
        held = frozenset[str]().union(*(each.facts for each in decisions.values()))
        seen.append((texts, sum(each.allowed for each in decisions.values()), held))

    assert len(seen[0][0]) == 1
    assert seen[0][0] == seen[1][0]
    assert seen[0][1] > 0
    assert seen[0][2]
    assert seen[1][1:] == (0, frozenset())
