"""The case systems' list is what they may collect: each delivery as it is decided by itself."""

from collections import Counter
from collections.abc import Iterable

import pytest
from sqlalchemy import Engine

from inbox.access import Action, Capacity, OfMessage, Policy, Role, permit
from inbox.access.facts.registry import FACTS
from inbox.access.lists.deliveries import collectable_deliveries
from inbox.access.lists.recheck import Recheck
from inbox.access.policy.conditions import read_condition
from inbox.domain import DeliveryId, DeliveryState, MessageId, MessageState
from inbox.errors import Unavailable
from inbox.store import create_engine
from inbox.tables import Delivery, Message
from tests.access.random_world import world_of
from tests.access.town import NOW, Town, allow, deny
from tests.access.world_session import session_with_world

STANDING = {DeliveryState.OPEN, DeliveryState.COLLECTED}


def compare(engine: Engine, policy: Policy, seeds: Iterable[int]) -> Counter[str]:
    """A delivery is listed if it stands, is the system's own, and may be collected; no other is."""
    counted: Counter[str] = Counter()
    for seed in seeds:
        world = world_of(f"offers {seed}", messages=8)
        for message in world.all(Message)[::2]:
            message.state = MessageState.OFFERED
        with session_with_world(engine, world) as session:
            for capacity in (c for c in world.capacities if c.case_system is not None):

                def may(delivery: Delivery, who: Capacity = capacity) -> bool:
                    subject = OfMessage(
                        message_id=MessageId(delivery.message_id),
                        delivery_id=DeliveryId(delivery.id),
                    )
                    collects = {"capacity": who, "action": Action.COLLECT, "subject": subject}
                    return permit(session, policy, NOW, **collects).allowed  # type: ignore[arg-type]

                own = [d for d in world.all(Delivery) if d.case_system == capacity.case_system]
                wanted = {d.id for d in own if d.state in STANDING and may(d)}
                found = collectable_deliveries(
                    session,
                    policy,
                    NOW,
                    capacity=capacity,
                    recheck=Recheck(1),
                    after=None,
                    at_most=100,
                )
                assert {offer.id for offer in found} == wanted, (seed, capacity)
                counted["shown"] += len(wanted)
                counted["hidden"] += len([d for d in own if d.state in STANDING]) - len(wanted)
    return counted


def test_deliveries_are_listed_exactly_when_the_case_system_may_collect(
    small_engine: Engine, the_policy: Policy
) -> None:
    counted = compare(small_engine, the_policy, range(30))

    assert min(counted["shown"], counted["hidden"]) > 3


@pytest.mark.long
def test_listed_deliveries_equal_collect_decisions_in_400_worlds_on_each_database(
    database: str, the_policy: Policy
) -> None:
    engine = create_engine(database)
    counted = compare(engine, the_policy, range(1000, 1400))
    engine.dispose()

    assert min(counted["shown"], counted["hidden"]) > 20


def test_delivery_denied_by_a_rule_is_not_listed_on_each_database(
    town_on_each_database: Town, the_policy: Policy
) -> None:
    town = town_on_each_database
    fag = town.system("fag")
    offered = [town.delivery(town.message(MessageState.OFFERED), "fag").id for _ in range(2)]
    town.delivery(town.message(MessageState.QUARANTINED), "fag")
    denied = Policy(
        [*the_policy.rules, deny("D99", "collect", "*", "unopened")],
        facts=the_policy.facts,
        digest="d",
    )

    assert sorted(listed(town, the_policy, fag)) == sorted(offered)
    assert listed(town, denied, fag) == []
    assert listed(town, Policy.deny_all("d"), fag) == []


def test_open_or_collected_delivery_is_listed_once_among_ended_attempts(
    town: Town, the_policy: Policy
) -> None:
    fag = town.system("fag")
    standing = []
    for state in (DeliveryState.OPEN, DeliveryState.COLLECTED):
        message = town.message(MessageState.OFFERED)
        for over in (DeliveryState.WITHDRAWN, DeliveryState.REFUSED, DeliveryState.SUPERSEDED):
            town.delivery(message, "fag", over).number = len(over)
        standing.append(town.delivery(message, "fag", state).id)

    assert sorted(listed(town, the_policy, fag)) == sorted(standing)


def test_delivery_of_another_case_system_is_not_listed_by_an_allow_all_rule(town: Town) -> None:
    fag, other = town.system("fag"), town.system("other")
    mine, theirs = (
        town.delivery(town.message(MessageState.OFFERED), each.id).id for each in (fag, other)
    )
    loose = Policy([allow("A01", "collect", "case_system", "always")], facts=FACTS, digest="d")

    assert listed(town, loose, fag) == [mine]
    assert listed(town, loose, other) == [theirs]


def test_list_of_deliveries_continues_after_a_cursor(town: Town, the_policy: Policy) -> None:
    fag = town.system("fag")
    for _ in range(3):
        town.delivery(town.message(MessageState.OFFERED), "fag")
    whole = listed(town, the_policy, fag)

    assert listed(town, the_policy, fag, after=whole[0]) == whole[1:]
    assert listed(town, the_policy, fag, at_most=1) == whole[:1]


def test_listed_delivery_that_may_not_be_collected_stops_the_list(town: Town) -> None:
    fag = town.system("fag")
    town.delivery(town.message(MessageState.OFFERED), "fag")
    when = "own_open_delivery and quarantined"
    policy = Policy([allow("A01", "collect", Role.CASE_SYSTEM, when)], facts=FACTS, digest="d")
    policy.conditions[when] = read_condition("own_open_delivery", FACTS)  # type: ignore[index] # the fault

    with pytest.raises(Unavailable, match="listing_differs"):
        listed(town, policy, fag)


def listed(
    town: Town, policy: Policy, system: Capacity, *, after: str | None = None, at_most: int = 100
) -> list[str]:
    found = collectable_deliveries(
        town.session,
        policy,
        NOW,
        capacity=system,
        recheck=Recheck(1),
        after=None if after is None else (NOW, after),
        at_most=at_most,
    )
    return [offer.id for offer in found]
