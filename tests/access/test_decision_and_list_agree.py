"""Deciding, listing, stock casbin and a plain reading of the rows agree, in worlds by seed."""

# ruff: noqa: S311 - drawn by seed, not secret

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from inbox.access import Action, Capacity, OfMessage, Policy, RequestFacts, Role, Subject, permit
from inbox.access.facts.lookup import look_up_facts
from inbox.access.facts.registry import FACTS
from inbox.access.lists.pages import permitted_message_ids
from inbox.domain import MessageId
from inbox.store import create_engine
from inbox.tables import Message
from tests.access.fact_oracle import MEANINGS, Question, facts_told
from tests.access.random_policy import ACTIONS_ABOUT_MESSAGES, Stock, random_policy
from tests.access.random_world import RandomWorld, world_of
from tests.access.town import NOW, allow
from tests.access.world_session import session_with_world
from tests.databases import SQLITE_SOON
from tests.worlds import sharing_statements


@dataclass(frozen=True)
class Asked:
    """One capacity with what it brings, in a world that is written."""

    session: Session
    world: RandomWorld
    capacity: Capacity
    given: RequestFacts

    def told(self, subject: Subject) -> dict[str, bool]:
        """The facts, read from the rows in memory."""
        return facts_told(Question(self.world, NOW, self.capacity, subject, self.given))

    def found(self, subject: Subject) -> Mapping[str, bool]:
        """The facts, read from the database."""
        facts = look_up_facts(self.session, NOW, self.capacity, subject, self.given)
        assert facts is not None
        return facts

    def listed(self, policy: Policy, action: Action) -> set[str]:
        """What the listing gives; nothing twice."""
        ids = list(
            self.session.execute(
                permitted_message_ids(policy, self.capacity, NOW, action, self.given)
            ).scalars()
        )
        assert len(ids) == len(set(ids))
        return set(ids)


def askers(session: Session, world: RandomWorld) -> Iterator[Asked]:
    for capacity in world.capacities:
        yield Asked(session, world, capacity, world.given())


def all_messages(world: RandomWorld) -> list[OfMessage]:
    return [OfMessage(message_id=MessageId(m.id)) for m in world.all(Message)]


def test_python_oracle_defines_every_fact_of_the_registry() -> None:
    assert MEANINGS.keys() == FACTS.keys()


def test_facts_from_sql_equal_facts_from_python_for_every_kind_of_subject(
    small_engine: Engine,
) -> None:
    seen = compare_facts(small_engine, range(9))

    assert {name for name in FACTS if not seen[name, True] or not seen[name, False]} == set()


@pytest.mark.long
def test_facts_from_sql_equal_facts_from_python_in_500_worlds_on_each_database(
    database: str,
) -> None:
    engine = sharing_statements(create_engine(database))
    seen = compare_facts(engine, range(5000, 5500))
    engine.dispose()

    print(sum(seen.values()))  # noqa: T201 - the figures of docs/assurance.md
    assert {name for name in FACTS if min(seen[name, True], seen[name, False]) < 50} == set()


def compare_facts(engine: Engine, seeds: Iterable[int]) -> Counter[tuple[str, bool]]:
    """Every fact of every subject in these worlds; how often each was so, and not so."""
    seen: Counter[tuple[str, bool]] = Counter()
    for seed in seeds:
        world = world_of(f"facts {seed}", messages=6)
        with session_with_world(engine, world) as session:
            for asked in askers(session, world):
                for subject in world.subjects():
                    told = asked.told(subject)
                    assert asked.found(subject) == told, (seed, asked.capacity, subject)
                    seen.update(told.items())
    return seen


def agree(asked: Asked, policy: Policy, stock: Stock, action: Action, seen: Counter[str]) -> None:
    """All say the same of every message, and name the same rule for it."""
    allowed, role = set(), asked.capacity.role
    for subject in all_messages(asked.world):
        told = asked.told(subject)
        yes, rule, matching = stock.decide(role, told, action)
        decision = policy.decide(role, asked.found(subject), action)
        where = (policy.digest, asked.capacity, subject, action)
        assert (decision.allowed, decision.rule) == (yes, rule), where
        assert set(decision.matching) == matching, where
        if yes:
            allowed.add(subject.message_id)
        seen["yes" if yes else "denied" if rule.startswith("D") else "no rule"] += 1
    assert (
        permit(
            asked.session,
            policy,
            NOW,
            capacity=asked.capacity,
            action=action,
            subject=subject,
            request=asked.given,
        )
        == decision
    ), where
    assert asked.listed(policy, action) == allowed, (policy.digest, asked.capacity, action)
    seen["lists"] += 1


def run(engine: Engine, seeds: Iterable[int], worlds_each: int) -> Counter[str]:
    """Random policies, some worlds each; how much was compared."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        actions = random.Random(seed).sample(ACTIONS_ABOUT_MESSAGES, 2)
        policy = random_policy(seed, actions)
        stock = Stock(policy)
        for number in range(worlds_each):
            world = world_of(f"{seed} {number}", messages=4 + number % 5)
            with session_with_world(engine, world) as session:
                for asked in askers(session, world):
                    agree(asked, policy, stock, actions[number % 2], seen)
            seen["worlds"] += 1
    print(dict(seen))  # noqa: T201 - the figures of docs/assurance.md
    return seen


def test_decision_list_and_stock_casbin_agree_in_random_worlds(small_engine: Engine) -> None:
    seen = run(small_engine, range(4), 2)

    assert min(seen["yes"], seen["denied"], seen["no rule"]) > 20


def test_decision_list_and_stock_casbin_agree_in_random_worlds_on_each_database(
    database: str,
) -> None:
    engine = sharing_statements(create_engine(database))
    seen = run(engine, range(100, 101), 3)
    engine.dispose()

    assert min(seen["yes"], seen["lists"]) > 5


@pytest.mark.long
def test_decision_list_and_stock_casbin_agree_in_2500_random_worlds(small_engine: Engine) -> None:
    seen = run(small_engine, range(1000, 1500), 5)

    assert seen["worlds"] == 2500


@pytest.mark.long
def test_decision_list_and_stock_casbin_agree_in_300_worlds_on_each_database(database: str) -> None:
    engine = sharing_statements(create_engine(database))
    seen = run(engine, range(2000, 2060), 5)
    engine.dispose()

    assert seen["worlds"] == 300


def alone(name: str) -> dict[bool, Policy]:
    """A fact, and its negation, each as a policy of one rule."""
    return {
        held: Policy([allow("A01", "list", "*", when)], facts=FACTS, digest="d")
        for held, when in ((True, name), (False, f"not {name}"))
    }


def compare_alone(engine: Engine, seeds: Iterable[int], names: Iterable[str]) -> int:
    """Each fact and its negation lists what the rows say; how many lists."""
    policies = {name: alone(name) for name in names}
    lists = 0
    for seed in seeds:
        world = world_of(f"alone {seed}", messages=6)
        with session_with_world(engine, world) as session:
            for asked in askers(session, world):
                told = {s.message_id: asked.told(s) for s in all_messages(world)}
                for name, both in policies.items():
                    for held, policy in both.items():
                        wanted = {one for one, facts in told.items() if facts[name] is held}
                        assert asked.listed(policy, Action.LIST) == wanted, (seed, name, held)
                        lists += 1
    print(lists)  # noqa: T201 - the figures of docs/assurance.md
    return lists


@SQLITE_SOON
def test_lists_by_single_facts_and_negations_match_rows_on_each_database(database: str) -> None:
    engine = sharing_statements(create_engine(database))
    lists = compare_alone(engine, range(1), FACTS)
    engine.dispose()

    assert lists >= 2 * len(FACTS)


@pytest.mark.long
def test_lists_by_single_facts_and_negations_match_rows_in_100_worlds_on_each_database(
    database: str,
) -> None:
    engine = sharing_statements(create_engine(database))
    lists = compare_alone(engine, range(10, 110), FACTS)
    engine.dispose()

    assert lists >= 200 * len(FACTS)


@pytest.mark.parametrize("name", FACTS)
def test_policy_of_one_fact_or_its_negation_decides_by_that_fact_only(name: str) -> None:
    """Over facts that are all as they are not asked to be."""
    for held, policy in alone(name).items():
        for others in (True, False):
            facts = dict.fromkeys(FACTS, others) | {name: held}
            assert policy.decide(Role.HANDLER, facts, Action.LIST).allowed
            facts[name] = not held
            assert not policy.decide(Role.HANDLER, facts, Action.LIST).allowed
