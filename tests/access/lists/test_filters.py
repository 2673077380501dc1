"""A list is made of one branch a way, and reads little more than what it shows."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col

from inbox.access import Action, Capacity, OfMessage, Policy, RequestFacts, Role, permit
from inbox.access.facts.lookup import request_fact_values
from inbox.access.facts.registry import FACTS
from inbox.access.lists.filters import permit_branches, permit_filter, sql_of
from inbox.access.lists.pages import permitted_message_ids
from inbox.access.policy.conditions import And, Or
from inbox.access.policy.vocabulary import PolicyRule
from inbox.domain import DeliveryState, GrantKind, MessageId, PersonId, UnitId
from inbox.tables import Message, Unit
from tests.access.town import BEFORE, BERGVIK, NOW, Town, allow, deny

OTHERS = 150
"""Messages that are somebody else's: many beside one."""


def policy_of(*rules: PolicyRule) -> Policy:
    return Policy(rules, facts=FACTS, digest="d")


def branches(policy: Policy, action: Action = Action.LIST) -> list[str]:
    requested = request_fact_values(
        Capacity(
            id="k",
            role=Role.HANDLER,
            organisation=BERGVIK,
            person=PersonId("kari"),
            unit=UnitId("bv"),
        ),
        RequestFacts(),
    )
    return [str(branch) for branch in permit_branches(policy, action, Role.HANDLER, requested)]


def test_filters_are_one_for_each_way_of_each_allow_rule() -> None:
    policy = policy_of(
        allow("A01", "list", "handler", "in_unit and (assigned or unassigned)"),
        allow("A02", "list", "handler", "covers"),
        allow("A03", "list", "leader", "leads"),
        allow("A04", "open", "handler", "has_grant"),
        deny("D01", "*", "*", "conflict or quarantined"),
    )

    assert len(branches(policy)) == 3


@pytest.mark.parametrize(("facts", "expected"), [(8, 8), (9, 1)])
def test_allow_rule_with_more_than_eight_ways_becomes_one_filter(facts: int, expected: int) -> None:
    of_rows = [name for name, fact in FACTS.items() if OfMessage in fact.sql_by_subject]
    ways = " or ".join(of_rows[:facts])

    assert len(branches(policy_of(allow("A01", "list", "handler", ways)))) == expected


def test_filters_are_a_single_false_when_no_rule_allows() -> None:
    for policy, action in (
        (policy_of(allow("A01", "audit_read", "handler", "always")), Action.AUDIT_READ),
        (policy_of(allow("A01", "open", "handler", "always")), Action.LIST),
        (policy_of(allow("A01", "list", "leader", "always")), Action.LIST),
        (policy_of(deny("D01", "list", "handler", "conflict")), Action.LIST),
    ):
        assert branches(policy, action) == ["false"]
        assert str(permit_filter(policy, action, Role.HANDLER, {})) == "false"


@pytest.mark.parametrize(
    "when", ["in_unit and unit_shares", "leads and unit_shares", "own_organisation and mailbox"]
)
def test_filter_with_a_pinned_unit_or_organisation_lists_what_is_decided(
    town: Town, session: Session, when: str
) -> None:
    for unit in ("bv", "arkiv"):
        town.session.get_one(Unit, unit).shares_unassigned = unit == "bv"
    people = [
        town.capacity(unit + role, role, unit)
        for unit in ("bv", "arkiv")
        for role in Role
        if role is not Role.CASE_SYSTEM
    ]
    messages = [town.message(unit=unit).id for unit in ("bv", "arkiv")]
    policy = policy_of(allow("A01", "list", " ".join(Role), when))
    seen = 0

    for capacity in people:
        listed = (
            session.execute(permitted_message_ids(policy, capacity, NOW, Action.LIST))
            .scalars()
            .all()
        )
        decided = [
            message_id
            for message_id in messages
            if permit(
                session,
                policy,
                NOW,
                capacity=capacity,
                action=Action.LIST,
                subject=OfMessage(message_id=MessageId(message_id)),
            ).allowed
        ]
        assert sorted(listed) == sorted(decided)
        seen += len(decided)

    assert seen > 0


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("always", True),
        ("not always", False),
        ("routed and reason_given", True),
        ("routed and not reason_given", False),
        ("routed and reference_given", False),
        ("unrouted or reason_given", True),
        ("missed", False),
        ("not missed", True),
    ],
)
def test_single_filter_for_a_found_message_matches_when_the_rule_allows(
    town: Town, session: Session, when: str, *, expected: bool
) -> None:
    """Facts of the request are said; a fact of another kind of subject does not hold."""
    town.message()
    policy = policy_of(allow("A01", "list", "handler", when))
    beside = permit_filter(policy, Action.LIST, Role.HANDLER, {"reason_given": True})

    found = session.execute(sa.select(col(Message.id)).where(beside), {"now": NOW}).all()

    assert bool(found) is expected


def test_empty_or_compiles_to_false_and_empty_and_to_true() -> None:
    """Neither is ever a filter that is not there."""
    assert str(sql_of(Or(()), lambda _: sa.true())) == "false"
    assert str(sql_of(And(()), lambda _: sa.false())) == "true"


@contextmanager
def steps(session: Session) -> Iterator[list[int]]:
    """How many instructions SQLite takes."""
    connection = session.connection().connection.driver_connection
    taken = [0]

    def step() -> None:
        taken[0] += 1

    assert connection is not None
    connection.set_progress_handler(step, 1)
    try:
        yield taken
    finally:
        connection.set_progress_handler(None, 0)


def cost(session: Session, policy: Policy, capacity: Capacity) -> tuple[int, int]:
    """How many messages are listed, and the instructions of that."""
    statement = permitted_message_ids(policy, capacity, NOW, Action.LIST)
    with steps(session) as taken:
        listed = session.execute(statement).scalars().all()
    return len(listed), taken[0]


def _give_to(town: Town, person: str, system: str, unit: str) -> None:
    message = town.message(unit=unit)
    town.assign(message, person)
    town.grant(message, person, "lise")
    town.delivery(message, system, DeliveryState.OPEN)


@pytest.mark.parametrize("unit", ["bv", "ppt"])
@pytest.mark.parametrize(
    "when",
    [
        *("assigned", "covers", "has_grant", "has_breakglass"),
        *("in_unit and assigned", "in_unit and has_grant"),
        *("own_delivery", "own_open_delivery"),
    ],
)
def test_list_cost_does_not_grow_with_messages_of_other_people_and_systems(
    town: Town, session: Session, when: str, unit: str
) -> None:
    """Of hundreds that other people and systems have, in the unit or not, none is read."""
    kari, acos = town.capacity("kari", Role.HANDLER, "bv"), town.system("acos")
    for person in ("ola", "per", "lise", "nina"):
        town.person(person)
    town.system("other")
    for absent, substitute in (("ola", "kari"), ("per", "nina")):
        town.delegation(unit, absent, substitute, "lise")
    for person in ("kari", "ola"):
        _give_to(town, person, "acos", unit)
    policy = policy_of(allow("A01", "list", "handler case_system", when))
    capacity = acos if when.startswith("own") else kari

    _, before = cost(session, policy, capacity)
    for _ in range(OTHERS):
        _give_to(town, "per", "other", unit)
    _, after = cost(session, policy, capacity)

    assert after < 2 * before


def test_list_cost_does_not_grow_with_messages_of_other_units(town: Town, session: Session) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    town.message(unit="bv")
    policy = policy_of(allow("A01", "list", "handler", "in_unit and routed and unassigned"))

    found, before = cost(session, policy, kari)
    for _ in range(OTHERS):
        town.message(unit="ppt")
    _, after = cost(session, policy, kari)

    assert found == 1
    assert after < 2 * before


def test_list_by_has_grant_does_not_read_emergency_grants(town: Town, session: Session) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    town.grant(town.message(), "kari", "lise")
    policy = policy_of(allow("A01", "list", "handler", "has_grant"))

    found, before = cost(session, policy, kari)
    for _ in range(OTHERS):
        town.grant(town.message(), "kari", "kari", GrantKind.BREAKGLASS)
    _, after = cost(session, policy, kari)

    assert found == 1
    assert after < 2 * before


def test_list_cost_of_a_substitute_grows_little_with_ended_assignments(
    town: Town, session: Session
) -> None:
    """An entry of an index each, and no message."""
    kari = town.capacity("kari", Role.HANDLER, "bv")
    town.person("ola")
    town.delegation("bv", "ola", "kari", "lise")
    town.assign(town.message(), "ola")
    policy = policy_of(allow("A01", "list", "handler", "covers"))

    found, before = cost(session, policy, kari)
    for _ in range(OTHERS):
        town.assign(town.message(), "ola", until=BEFORE)
    _, after = cost(session, policy, kari)

    assert found == 1
    assert after < before + 10 * OTHERS
