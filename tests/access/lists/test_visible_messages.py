"""Listing equals deciding: in random worlds, for every capacity, action and message."""

import random

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import Session, col, select

from inbox.access import Action, Capacity, OfMessage, Policy, RequestFacts, Role, permit
from inbox.access.facts.registry import FACTS
from inbox.access.lists.pages import permitted_message_ids
from inbox.domain import MessageId, MessageState, PersonId
from inbox.tables import Message
from tests.access.random_town import fill_town
from tests.access.town import HAVNES, NOW, Town, allow, deny, strongly


def listed(
    session: Session, policy: Policy, capacity: Capacity, action: Action, given: RequestFacts
) -> set[str]:
    return set(
        session.execute(permitted_message_ids(policy, capacity, NOW, action, given)).scalars()
    )


def decided(
    session: Session, policy: Policy, capacity: Capacity, action: Action, given: RequestFacts
) -> set[str]:
    return {
        message_id
        for message_id in session.exec(select(Message.id)).all()
        if permit(
            session,
            policy,
            NOW,
            capacity=capacity,
            action=action,
            subject=OfMessage(message_id=MessageId(message_id)),
            request=given,
        ).allowed
    }


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
def test_list_equals_the_decisions_in_random_worlds(
    town: Town, the_policy: Policy, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test
    given = RequestFacts(
        target=chance.choice([None, PersonId("ola")]),
        reference_given=chance.random() < 0.5,
        same_documents=chance.random() < 0.5,
    )
    seen = 0
    for capacity in fill_town(town, chance):
        for action in Action:
            ids = listed(town.session, the_policy, capacity, action, given)
            assert ids == decided(town.session, the_policy, capacity, action, given), action
            seen += len(ids)

    assert seen > 0


def test_list_equals_the_decisions_on_each_database(
    town_on_each_database: Town, the_policy: Policy
) -> None:
    session, given = town_on_each_database.session, RequestFacts(target=PersonId("ola"))
    for capacity in fill_town(town_on_each_database, random.Random(3)):  # noqa: S311 - a test
        for action in (Action.LIST, Action.ROUTE, Action.ASSIGN, Action.OFFER, Action.WORD):
            ids = listed(session, the_policy, capacity, action, given)
            assert ids == decided(session, the_policy, capacity, action, given), action


@pytest.mark.parametrize("name", [n for n, f in FACTS.items() if OfMessage in f.sql_by_subject])
def test_list_by_one_fact_or_its_negation_equals_the_decisions(town: Town, name: str) -> None:
    """A fact that is NULL for some row would be in neither list."""
    chance = random.Random(name)  # noqa: S311 - a test
    given = RequestFacts(target=PersonId("ola"))
    yes = Policy([allow("A01", "list", " ".join(Role), name)], facts=FACTS, digest="d")
    no = Policy([allow("A01", "list", " ".join(Role), f"not {name}")], facts=FACTS, digest="d")
    for capacity in fill_town(town, chance):
        holds = listed(town.session, yes, capacity, Action.LIST, given)
        fails = listed(town.session, no, capacity, Action.LIST, given)
        assert holds == decided(town.session, yes, capacity, Action.LIST, given)
        assert fails == decided(town.session, no, capacity, Action.LIST, given)
        assert holds | fails == set(town.session.exec(select(Message.id)).all())
        assert not holds & fails


def test_list_is_empty_when_no_rule_allows_or_a_deny_always_holds(
    town: Town, session: Session
) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    town.message()
    only_deny = Policy([deny("D01", "list", "*", "conflict")], facts=FACTS, digest="d")
    always_denied = Policy(
        [allow("A01", "list", "archivist", "always"), deny("D01", "*", "*", "always")],
        facts=FACTS,
        digest="d",
    )
    for policy in (Policy.deny_all("d"), only_deny, always_denied):
        assert listed(session, policy, ada, Action.LIST, RequestFacts()) == set()


def test_list_by_always_has_every_message_and_by_not_always_none(
    town: Town, session: Session
) -> None:
    """A rule without conditions, and none that denies, is every message: said, not left out."""
    kari = town.capacity("kari", Role.HANDLER, "bv")
    message = town.message(organisation=HAVNES, unit=None)
    always = Policy([allow("A01", "list", "handler", "always")], facts=FACTS, digest="d")
    never = Policy([allow("A01", "list", "handler", "not always")], facts=FACTS, digest="d")

    def listed(policy: Policy) -> list[str]:
        return list(
            session.execute(permitted_message_ids(policy, kari, NOW, Action.LIST)).scalars()
        )

    assert (listed(always), listed(never)) == ([message.id], [])


def test_request_fact_does_not_switch_off_other_branches_of_a_deny(
    town: Town, session: Session
) -> None:
    """One way is known not to hold, or to hold, before the database is asked about the other."""
    kari = town.capacity("kari", Role.HANDLER, "bv")
    free, conflicted = town.message(), town.message()
    town.conflict("kari", message_id=conflicted.id)
    rules = [
        allow("A01", "list", "handler", "in_unit or strong_auth"),
        deny("D01", "list", "handler", "conflict or target_is_self"),
        deny("D02", "list", "handler", "has_breakglass or period_given"),
    ]
    policy = Policy(rules, facts=FACTS, digest="d")

    assert listed(session, policy, kari, Action.LIST, RequestFacts()) == {free.id}
    assert listed(session, policy, strongly(kari), Action.LIST, RequestFacts()) == {free.id}
    assert listed(session, policy, kari, Action.LIST, RequestFacts(period_given=True)) == set()


def test_list_has_the_messages_that_either_of_two_rules_allows(
    town: Town, session: Session
) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    one, other = town.message(), town.message(MessageState.RETURNED)
    rules = [allow("A01", "list", "handler", "routed"), allow("A02", "list", "handler", "returned")]
    policy = Policy(rules, facts=FACTS, digest="d")

    assert listed(session, policy, kari, Action.LIST, RequestFacts()) == {one.id, other.id}


def test_visible_ids_can_be_a_subquery_of_pages_and_counts(
    town: Town, session: Session, the_policy: Policy
) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    ids = [town.message(MessageState.UNROUTED, unit=None).id for _ in range(3)]
    town.message(MessageState.UNROUTED, unit=None, organisation=HAVNES)
    theirs = permitted_message_ids(the_policy, ada, NOW, Action.ROUTE)

    page = session.execute(
        sa.select(col(Message.id)).where(col(Message.id).in_(theirs)).order_by("id").limit(2)
    )

    assert list(page.scalars()) == sorted(ids)[:2]
    count = sa.select(sa.func.count()).select_from(Message).where(col(Message.id).in_(theirs))
    assert session.execute(count).scalar_one() == 3


def test_list_statement_has_the_same_text_for_all_capacities_of_a_role(
    town: Town, session: Session, the_policy: Policy
) -> None:
    people = [town.capacity(name, Role.HANDLER, "bv") for name in ("kari", "ola")]
    texts: list[str] = []

    def note(*told: object) -> None:
        texts.append(str(told[2]))

    session.flush()
    event.listen(session.get_bind(), "before_cursor_execute", note)
    for capacity in people:
        listed(session, the_policy, capacity, Action.LIST, RequestFacts())
    event.remove(session.get_bind(), "before_cursor_execute", note)

    assert len(texts) == 2
    assert texts[0] == texts[1]
