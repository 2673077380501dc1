"""Who gains and loses what: all people at once say what the list of each of them says."""

import random

import pytest
from sqlmodel import Session, col, select

from inbox.access import Action, Capacity, Policy, RequestFacts, Role
from inbox.access.facts.registry import FACTS
from inbox.access.lists.pages import permitted_message_ids
from inbox.access.policy.vocabulary import PolicyRule
from inbox.access.question import OfMessage
from inbox.access.review.impact import PolicyImpact, accessible_messages, policy_impact
from inbox.access.review.population import Population
from inbox.domain import DeliveryState, GrantKind, MessageState, OrgNumber, PersonId, UnitId
from inbox.tables import CapacityRow, Message, Unit
from tests.access.random_policy import CHANGED_ACTIONS, policy_with_random_changes
from tests.access.town import AFTER, BEFORE, BERGVIK, HAVNES, NOW, Town, allow, deny

PEOPLE, UNITS = ("kari", "ola", "lise", "per"), ("bv", "ppt", "arkiv")
ROLES = (Role.ARCHIVIST, Role.HANDLER, Role.LEADER)


def build(town: Town, chance: random.Random) -> None:
    """Few rows of everything, so that they meet; some periods are over, or to come."""
    town.system("acos")
    for unit in UNITS:
        row = town.session.get_one(Unit, unit)
        row.shares_unassigned = chance.random() < 0.5
        row.active_until = chance.choice([None, None, None, NOW])
        town.above(unit, chance.choice(UNITS))
    for person in PEOPLE:
        for role, unit in sorted({(chance.choice(ROLES), chance.choice(UNITS)) for _ in range(2)}):
            row_of = town.row_of(town.capacity(person, role, unit))
            row_of.active_until = chance.choice([None, None, NOW, AFTER])
        town.clear(person, chance.choice(["13", "26"]))
    town.capacity("x", Role.HANDLER, "x")
    town.delegation(chance.choice(UNITS), "ola", "kari", "lise")
    for _ in range(8):
        build_message(town, chance)
    town.conflict("per", sender="915933149")
    town.conflict("per", reference_hash="r")
    town.session.flush()


def build_message(town: Town, chance: random.Random) -> None:
    message = town.message(
        chance.choice([*MessageState]),
        unit=chance.choice([None, "bv", "ppt", "ppt"]),
        organisation=OrgNumber(chance.choice([BERGVIK, BERGVIK, HAVNES])),
    )
    message.sender = chance.choice([None, "974760673", "915933149"])
    message.shielding = chance.choice([None, "13", "26"])
    message.opened_at = chance.choice([None, NOW])
    for person in chance.sample(PEOPLE, 2):
        town.assign(message, person, until=chance.choice([None, NOW]))
        town.grant(message, person, "lise", chance.choice([*GrantKind]))
    if chance.random() < 0.4:
        town.reference(message, chance.choice(["r", "q"]))
        town.conflict(chance.choice(PEOPLE), message_id=message.id)
    town.delivery(message, "acos", chance.choice([*DeliveryState]))


def asking(session: Session) -> list[Capacity]:
    rows = session.exec(
        select(CapacityRow, Unit.organisation).join(Unit, col(Unit.id) == col(CapacityRow.unit))
    )
    return [
        Capacity(
            id=row.id,
            role=Role(row.role),
            organisation=OrgNumber(organisation),
            person=PersonId(row.person),
            unit=UnitId(row.unit),
            strong_auth=True,
        )
        for row, organisation in rows
    ]


def listed(session: Session, policy: Policy, capacity: Capacity, action: Action) -> set[str]:
    given = RequestFacts(reason_given=True)
    return set(
        session.execute(permitted_message_ids(policy, capacity, NOW, action, given)).scalars()
    )


def compare(session: Session, old: Policy, new: Policy) -> int:
    """Every capacity's lists by both policies, beside what all at once gives; how many differ."""
    found = policy_impact(session, NOW, old, new, organisation=BERGVIK)
    touched = {(each.action, each.holder.capacity): each for each in found.by_capacity}
    for capacity in asking(session):
        for action in CHANGED_ACTIONS:
            before, after = (listed(session, each, capacity, action) for each in (old, new))
            each = touched.get((action, capacity.id))
            gained, lost = (set(), set()) if each is None else (set(each.gained), set(each.lost))
            if capacity.organisation == BERGVIK:
                assert (gained, lost) == (after - before, before - after), (action, capacity)
            else:
                assert each is None
    return sum(each.action in CHANGED_ACTIONS for each in found.by_capacity)


def test_impact_equals_the_difference_between_the_lists_by_both_policies(
    town: Town, the_policy: Policy
) -> None:
    chance = random.Random(5)  # noqa: S311 - a test
    build(town, chance)

    assert sum(
        compare(town.session, the_policy, policy_with_random_changes(the_policy, chance))
        for _ in range(3)
    )


def test_accessible_messages_equal_the_lists_of_each_capacity(
    town: Town, the_policy: Policy
) -> None:
    chance = random.Random(2)  # noqa: S311 - a test
    build(town, chance)
    for _ in range(24):
        build_message(town, chance)
    town.session.flush()
    told = {
        (each.action, each.holder.capacity): each.messages
        for each in accessible_messages(town.session, NOW, the_policy, organisation=BERGVIK)
    }
    some = accessible_messages(town.session, NOW, the_policy, organisation=BERGVIK, people={"kari"})

    own = [each for each in asking(town.session) if each.organisation == BERGVIK]
    for capacity in own:
        for action in CHANGED_ACTIONS:
            expected = listed(town.session, the_policy, capacity, action)
            assert told.get((action, capacity.id), set()) == expected, (action, capacity)
    assert {action for action, _ in told} > {Action.LIST, Action.OPEN, Action.TAKE}
    assert {each.holder.person for each in some} == {"kari"}
    everybody = small(allow("A01", "list", "handler", "always"))
    anybody = accessible_messages(town.session, NOW, everybody, organisation=BERGVIK)
    handlers = {each.id for each in own if each.role is Role.HANDLER}
    assert {each.holder.capacity for each in anybody} == handlers


@pytest.mark.long
@pytest.mark.parametrize("seed", range(12))
def test_impact_equals_the_difference_between_the_lists_in_many_worlds(
    town: Town, the_policy: Policy, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test
    build(town, chance)
    seen = [
        compare(town.session, the_policy, policy_with_random_changes(the_policy, chance))
        for _ in range(10)
    ]

    assert len(seen) == 10  # what is compared is asserted in `compare`; a world may have few people


def test_each_fact_for_the_population_equals_the_list_on_each_database(
    town_on_each_database: Town,
) -> None:
    """Each fact alone; on both databases."""
    town = town_on_each_database
    build(town, random.Random(5))  # noqa: S311 - a test
    people = Population(town.session, NOW)
    askers = {asker.capacity: asker for asker in people.holders}
    met = set()
    for name in (name for name, fact in FACTS.items() if OfMessage in fact.sql_by_subject):
        policy = Policy([allow("A01", "list", " ".join(ROLES), name)], facts=FACTS, digest="d")
        for capacity in asking(town.session):
            bits = people.messages_where(name, askers[capacity.id])
            ids = set(people.ids_of(bits, len(people.messages)))
            assert ids == listed(town.session, policy, capacity, Action.LIST), name
            met |= {name} if ids else set()

    assert {"assigned", "conflict", "cleared", "in_unit", "in_parent_unit", "has_grant"} <= met


def test_population_fact_of_another_subject_kind_holds_for_no_message(
    town: Town, session: Session
) -> None:
    town.capacity("kari", Role.HANDLER, "bv")
    town.message()
    people = Population(session, NOW)

    assert {people.messages_where(name, people.holders[0]) for name in ("missed", "involved")} == {
        0
    }


def small(*rules: PolicyRule) -> Policy:
    return Policy(rules, facts=FACTS, digest="d")


def change(session: Session, old: Policy, new: Policy) -> PolicyImpact:
    return policy_impact(session, NOW, old, new, organisation=BERGVIK)


def test_impact_counts_people_and_messages_by_unit_and_role(town: Town, session: Session) -> None:
    for person in ("kari", "ola"):
        town.capacity(person, Role.HANDLER, "bv")
    town.capacity("lise", Role.LEADER, "bv")
    town.message(unit="bv")
    town.message(unit="bv")
    town.message(unit="ppt")

    found = change(session, small(), small(allow("A01", "list", "handler", "in_unit")))

    (counted,) = found.by_unit
    assert (counted.unit, counted.role, counted.gaining, counted.gains) == ("bv", "handler", 2, 2)
    assert (counted.losing, counted.loses) == (0, 0)
    assert {(each.holder.person, each.gains) for each in found.by_capacity} == {
        ("kari", 2),
        ("ola", 2),
    }


def test_impact_counts_each_unit_separately(town: Town, session: Session) -> None:
    for person, unit in (("kari", "bv"), ("ola", "ppt"), ("per", "ppt"), ("nina", "arkiv")):
        town.capacity(person, Role.HANDLER, unit)
    for unit in ("bv", "bv", "bv", "ppt"):
        town.message(unit=unit)

    found = change(session, small(allow("A01", "list", "handler", "in_unit")), small())

    assert found.other_actions == ()
    numbers = [(each.unit, each.losing, each.loses, each.gaining) for each in found.by_unit]
    assert numbers == [("bv", 1, 3, 0), ("ppt", 2, 1, 0)]


def test_impact_counts_an_ended_capacity_as_gaining_when_no_rule_denies(
    town: Town, session: Session
) -> None:
    row = town.row_of(town.capacity("kari", Role.HANDLER, "bv"))
    row.active_until = BEFORE
    town.message(unit="bv")
    open_door = allow("A01", "route", "handler", "own_organisation")
    old = small(open_door, deny("D02", "*", "*", "not active_capacity"))

    found = change(session, old, small(open_door))

    assert [each.holder.person for each in found.by_capacity] == ["kari"]


def test_impact_assumes_that_the_request_supplies_what_rules_require(
    town: Town, session: Session
) -> None:
    town.capacity("lise", Role.LEADER, "bv")
    town.message(unit="bv")
    strict = small(allow("A01", "grant", "leader", "leads and reason_given and period_given"))
    lax = small(allow("A01", "grant", "leader", "leads and reason_given"))

    assert change(session, strict, lax).by_unit == ()
    assert change(session, small(), strict).by_unit[0].gaining == 1


def test_impact_names_changed_actions_that_are_not_about_messages(
    town: Town, session: Session
) -> None:
    assert town.session is session
    new = small(allow("A01", "operate", "operator", "always"))

    town.capacity("rune", Role.OPERATOR, "arkiv")
    town.message()

    found = change(session, small(), new)

    assert (found.other_actions, found.by_unit, found.by_capacity) == ((Action.OPERATE,), (), ())


def test_impact_shows_at_most_20_message_ids_of_each_capacity(town: Town, session: Session) -> None:
    town.capacity("kari", Role.HANDLER, "bv")
    ids = {town.message(unit="bv").id for _ in range(200)}

    found = change(session, small(), small(allow("A01", "list", "handler", "in_unit")))

    (each,) = found.by_capacity
    assert (each.gains, len(each.gained)) == (200, 20)
    assert set(each.gained) < ids == set(session.exec(select(Message.id)).all())
