"""Who can: one statement over all capacities says what a decision says of each, rule by rule."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from inbox.access import Action, Capacity, OfMessage, Policy, RequestFacts, Role, permit
from inbox.access.facts.capacities import active_capacities_of
from inbox.access.facts.lookup import look_up_facts
from inbox.access.facts.registry import FACTS
from inbox.access.lists.pages import permitted_message_ids
from inbox.access.review.explain import explain_decision, what_can
from inbox.access.review.requirements import COMPLETE_REQUEST, SUPPLIED_FACTS
from inbox.access.review.who_can import PermittedCapacity, who_can, who_can_by_emergency
from inbox.domain import GrantKind, MessageId, MessageState, PersonId
from inbox.errors import PolicyError
from inbox.tables import Message, Person, Unit
from tests.access.random_policy import policy_with_random_changes
from tests.access.random_town import PEOPLE, fill_town
from tests.access.town import BEFORE, NOW, Town, allow, deny

ACTIONS = (Action.LIST, Action.OPEN, Action.ROUTE, Action.ASSIGN, Action.BREAKGLASS, Action.PLACE)
OLA = PersonId("ola")
EVERYBODY = (*PEOPLE, "ada", "rolf")
BROUGHT = {"strong_auth", "reason_given", "period_given", "reference_given", "waivable"}
BROUGHT |= {"needs_reviewer"}
BROUGHT |= {"same_documents", "target_is_self", "target_in_unit", "target_cleared"}
BROUGHT |= {"target_conflict", "proposed_by_other"}
OF_TARGET = {name for name in BROUGHT if name.startswith("target")}
Cell = tuple[str, str, Action]
"""Whose capacity, a message, an action."""


def bases(
    session: Session,
    policy: Policy,
    capacity: Capacity,
    action: Action,
    message: MessageId,
    target: PersonId | None = None,
) -> set[str]:
    """The basis of each yes that there is, whatever a request may bring; by casbin alone."""
    subject = OfMessage(message_id=message)
    asks = policy.facts_used(action, capacity.role)
    facts = look_up_facts(session, NOW, capacity, subject, RequestFacts(target=target), asks)
    assert facts is not None
    brought = sorted(asks & (BROUGHT - OF_TARGET if target else BROUGHT))
    found = set()
    for values in product((False, True), repeat=len(brought)):
        decision = policy.decide(
            capacity.role, {**facts, **dict(zip(brought, values, strict=True))}, action
        )
        if decision.allowed:
            found.add(decision.rule)
    return found


def fill(town: Town, seed: int) -> MessageId:
    """People and mail drawn by seed, and one message of which there is much to say."""
    fill_town(town, random.Random(seed))  # noqa: S311 - a test
    town.capacity("ada", Role.ARCHIVIST, "arkiv")
    town.capacity("rolf", Role.SECURITY_REVIEWER, "arkiv")
    message = town.message(MessageState.ROUTED)
    town.assign(message, "kari")
    town.capacity("kari", Role.HANDLER, "bv")
    town.capacity("lise", Role.LEADER, "bv")
    return MessageId(message.id)


def check_world(town: Town, policy: Policy, seed: int, target: PersonId | None) -> int:
    message = fill(town, seed)
    found = 0
    for action in ACTIONS:
        able = who_can(town.session, policy, NOW, action=action, message_id=message, target=target)
        expected = {
            capacity.id: rules
            for person in EVERYBODY
            for capacity in active_capacities_of(town.session, NOW, person)
            if (rules := bases(town.session, policy, capacity, action, message, target))
        }
        assert {each.capacity for each in able} == expected.keys(), action
        assert all(each.rules[0] in expected[each.capacity] for each in able), action
        found += len(able)
    return found


@pytest.mark.parametrize("target", [None, OLA], ids=["to somebody", "to ola"])
@pytest.mark.parametrize("seed", range(1))
def test_who_can_lists_every_capacity_that_a_decision_could_allow(
    town: Town, the_policy: Policy, seed: int, target: PersonId | None
) -> None:
    assert check_world(town, the_policy, seed, target) > 0


def test_who_can_equals_the_possible_decisions_on_each_database(
    town_on_each_database: Town, the_policy: Policy
) -> None:
    assert check_world(town_on_each_database, the_policy, 5, OLA) > 0


def by_who(town: Town, policy: Policy, messages: Iterable[str]) -> dict[Cell, str]:
    """All that `who_can` says, asked of each message about each action; what it takes."""
    return {
        (able.capacity, message, action): able.requires
        for message in messages
        for action in Action
        for able in who_can(town.session, policy, NOW, action=action, message_id=MessageId(message))
    }


def by_what(
    town: Town, policy: Policy, people: Iterable[str], asker: Capacity
) -> tuple[dict[Cell, str], Counter[tuple[str, Action]]]:
    """All that `what_can` says: of each message that is told what it takes, and the numbers."""
    takes, numbers = dict[Cell, str](), Counter[tuple[str, Action]]()
    for person in people:
        for reach in what_can(town.session, policy, NOW, person=PersonId(person), asker=asker):
            numbers[reach.capacity.id, reach.action] = reach.messages
            takes |= {
                (reach.capacity.id, message, reach.action): reach.requires
                for message in reach.shown_ids
            }
    return takes, +numbers


def argus_sees_all(policy: Policy) -> Policy:
    """So that every id is told."""
    more = allow("A99", "list", "operator", "always")
    return Policy([*policy.rules, more], facts=FACTS, digest="d")


def compare_ways(town: Town, policy: Policy) -> Counter[Action]:
    """Person by person, message by message, action by action: who can and what can are one."""
    messages = town.session.exec(select(Message.id)).all()
    assert len(messages) < 20, "all ids are shown"
    who = by_who(town, policy, messages)
    argus = town.capacity("argus", Role.OPERATOR, "arkiv")
    seen = set(
        town.session.execute(permitted_message_ids(policy, argus, NOW, Action.LIST)).scalars()
    )
    what, numbers = by_what(town, policy, {*EVERYBODY, "argus"}, argus)
    what = {cell: takes for cell, takes in what.items() if cell[0] != argus.id}
    del numbers[argus.id, Action.LIST]

    assert {cell for cell in who if cell[1] in seen} == what.keys()
    assert Counter((capacity, action) for capacity, _, action in who) == numbers
    for cell in what:
        ways = (who[cell] or "nothing").split(" or ")
        assert set(ways) <= set((what[cell] or "nothing").split(" or ")), cell
    return Counter(action for _, _, action in who)


def test_who_can_and_what_can_agree_for_every_person_and_message(
    town: Town, the_policy: Policy
) -> None:
    fill(town, 0)

    seen = compare_ways(town, argus_sees_all(the_policy))

    assert {Action.LIST, Action.OPEN, Action.ASSIGN, Action.GRANT, Action.REFUSE} <= seen.keys()


def test_who_can_and_what_can_leave_out_people_who_have_left(town: Town, session: Session) -> None:
    kari, _, lise = (town.capacity(each, Role.LEADER, "ppt") for each in ("kari", "ola", "lise"))
    town.row_of(kari).active_until = NOW
    town.session.get_one(Person, "ola").active_until = NOW
    message = MessageId(town.message(unit="ppt").id)
    loose = Policy([allow("A01", "list", "leader", "always")], facts=FACTS, digest="d")

    able = who_can(session, loose, NOW, action=Action.LIST, message_id=message)
    reached = [
        each
        for person in EVERYBODY
        for each in what_can(session, loose, NOW, person=PersonId(person), asker=lise)
    ]

    assert {each.capacity for each in able} == {lise.id}
    assert {each.capacity.id for each in reached} == {lise.id}


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 40))
def test_who_can_and_what_can_agree_in_many_random_worlds(
    town: Town, the_policy: Policy, seed: int
) -> None:
    fill(town, seed)
    chance = random.Random(seed)  # noqa: S311 - a test

    for policy in (the_policy, policy_with_random_changes(the_policy, chance)):
        compare_ways(town, argus_sees_all(policy))


def asked(
    town: Town, policy: Policy, message_id: str, at: datetime = NOW
) -> tuple[PermittedCapacity, ...]:
    return who_can(
        town.session,
        policy,
        at,
        action=Action.OPEN,
        message_id=MessageId(message_id),
    )


def test_who_can_is_one_statement_and_names_every_allowing_rule(
    town: Town, the_policy: Policy
) -> None:
    message = town.message()
    for person in PEOPLE:
        town.capacity(person, Role.HANDLER, "bv")
        town.assign(message, person)
    town.grant(message, "kari", "kari", GrantKind.BREAKGLASS)
    statements: list[str] = []

    def note(*told: object) -> None:
        statements.append(str(told[2]))

    event.listen(town.session.get_bind(), "before_cursor_execute", note)
    able = asked(town, the_policy, message.id)
    event.remove(town.session.get_bind(), "before_cursor_execute", note)

    assert len(statements) == 1
    assert [(each.person, each.rules) for each in able] == [
        ("kari", ("A09", "A21")),
        ("lise", ("A09",)),
        ("ola", ("A09",)),
    ]


def test_who_can_by_emergency_leaves_out_who_may_not_take_it_or_has_another_way(
    town: Town, the_policy: Policy
) -> None:
    message = town.message()
    for person, role, unit in (
        ("kari", Role.HANDLER, "bv"),
        ("ola", Role.HANDLER, "bv"),
        ("per", Role.HANDLER, "bv"),
        ("lise", Role.LEADER, "bv"),
        ("arne", Role.ARCHIVIST, "bv"),
    ):
        town.capacity(person, role, unit)
    town.assign(message, "kari")
    town.conflict("per", message_id=message.id)

    found = who_can_by_emergency(
        town.session, the_policy, NOW, action=Action.OPEN, message_id=MessageId(message.id)
    )

    told = {(each.then.person, each.then.rules, each.taking.rules) for each in found}
    assert told == {("ola", ("A21",), ("A20",)), ("lise", ("A21",), ("A20",))}
    assert {each.then.requires for each in found} == {"has_breakglass and strong_auth"}


def test_who_can_by_emergency_leaves_out_who_has_a_rule_for_it_but_may_not_take_it(
    town: Town,
) -> None:
    message = town.message()
    for person, role in (("ola", Role.HANDLER), ("lise", Role.LEADER)):
        town.capacity(person, role, "bv")
    policy = Policy(
        [
            allow("A01", "breakglass", "leader", "in_unit"),
            allow("A02", "open", "handler leader", "has_breakglass"),
        ],
        facts=FACTS,
        digest="d",
    )

    for action, people in ((Action.OPEN, ["lise"]), (Action.BREAKGLASS, [])):
        found = who_can_by_emergency(
            town.session, policy, NOW, action=action, message_id=MessageId(message.id)
        )
        assert [each.then.person for each in found] == people


def test_who_can_leaves_out_a_person_denied_by_a_rule(town: Town, the_policy: Policy) -> None:
    message = town.message()
    for person in ("kari", "ola"):
        town.capacity(person, Role.HANDLER, "bv")
        town.assign(message, person)
    town.conflict("ola", message_id=message.id)

    assert [each.person for each in asked(town, the_policy, message.id)] == ["kari"]


def test_who_can_on_a_date_uses_the_periods_of_that_date(town: Town, the_policy: Policy) -> None:
    message = town.message()
    town.capacity("kari", Role.HANDLER, "bv")
    town.assign(message, "kari", until=NOW)

    assert asked(town, the_policy, message.id) == ()
    day = NOW - timedelta(days=1)
    assert [each.person for each in asked(town, the_policy, message.id, day)] == ["kari"]
    assert asked(town, the_policy, message.id, BEFORE - timedelta(days=1)) == ()


def test_who_can_is_empty_for_an_action_that_is_not_about_messages(
    town: Town, the_policy: Policy
) -> None:
    town.capacity("rune", Role.OPERATOR, "arkiv")

    able = who_can(
        town.session,
        the_policy,
        NOW,
        action=Action.OPERATE,
        message_id=MessageId(town.message().id),
    )

    assert able == ()


def test_explain_reports_every_fact_and_what_each_rule_lacks(
    town: Town, the_policy: Policy
) -> None:
    kari, message = town.capacity("kari", Role.HANDLER, "bv"), town.message()
    subject = OfMessage(message_id=MessageId(message.id))

    told = explain_decision(
        town.session, the_policy, NOW, capacity=kari, action=Action.OPEN, subject=subject
    )

    assert told.decision == permit(
        town.session,
        the_policy,
        NOW,
        capacity=kari,
        action=Action.OPEN,
        subject=subject,
        request=COMPLETE_REQUEST,
    )
    assert told.facts.keys() == the_policy.facts_used(Action.OPEN, Role.HANDLER)
    assert (told.facts["in_unit"], told.facts["assigned"]) == (True, False)
    rules = {each.rule.id: each for each in told.rules}
    assert rules["A09"].missing == ("assigned",)
    assert rules["D01"].missing == ("not own_organisation",)
    assert not any(each.matched for each in told.rules)
    town.assign(message, "kari")
    after = explain_decision(
        town.session, the_policy, NOW, capacity=kari, action=Action.OPEN, subject=subject
    )
    assert {each.rule.id for each in after.rules if each.matched} == set(after.decision.matching)
    assert after.decision.rule == "A09"
    [deciding] = [rule for rule in the_policy.rules if rule.id == "A09"]
    assert deciding.bases
    assert after.bases == tuple(the_policy.bases[each] for each in deciding.bases)
    assert told.bases == ()


def test_explain_of_a_missing_message_has_no_true_fact_and_no_basis(
    town: Town, the_policy: Policy
) -> None:
    told = explain_decision(
        town.session,
        the_policy,
        NOW,
        capacity=town.capacity("kari", Role.HANDLER, "bv"),
        action=Action.OPEN,
        subject=OfMessage(message_id=MessageId("not there")),
    )

    assert not any(told.facts.values())
    assert (told.decision.allowed, told.decision.rule) == (False, "none")


def test_what_can_counts_messages_and_shows_ids_only_if_the_asker_may_list(
    town: Town, the_policy: Policy
) -> None:
    town.capacity("kari", Role.HANDLER, "bv")
    lise = town.capacity("lise", Role.LEADER, "bv")
    reviewer = town.capacity("rolf", Role.SECURITY_REVIEWER, "arkiv")
    town.capacity("rune", Role.OPERATOR, "arkiv")
    messages = [town.message() for _ in range(3)]
    for message in messages[:2]:
        town.assign(message, "kari")

    def reach(person: str, asker: Capacity) -> dict[Action, tuple[int, int, str, str | None]]:
        reached = what_can(town.session, the_policy, NOW, person=PersonId(person), asker=asker)
        return {
            each.action: (
                each.messages,
                len(each.shown_ids),
                each.requires,
                each.other_subjects_require,
            )
            for each in reached
        }

    assert reach("kari", reviewer)[Action.OPEN] == (2, 0, "nothing or strong_auth", None)
    assert reach("kari", lise)[Action.OPEN] == (2, 2, "nothing or strong_auth", None)
    assert Action.PLACE not in reach("kari", reviewer)
    assert reach("rune", reviewer)[Action.OPERATE] == (0, 0, "", "yes")


def test_what_can_reports_what_the_request_must_supply(town: Town, the_policy: Policy) -> None:
    town.capacity("lise", Role.LEADER, "bv")
    reviewer = town.capacity("rolf", Role.SECURITY_REVIEWER, "arkiv")
    town.message()

    reached = {
        each.action: each
        for each in what_can(town.session, the_policy, NOW, person=PersonId("lise"), asker=reviewer)
    }

    to_another = "target_cleared and target_in_unit and not target_conflict and not target_is_self"
    assert reached[Action.ASSIGN].requires == to_another
    assert reached[Action.REFUSE].requires == "proposed_by_other and strong_auth"
    assert reached[Action.DELEGATE].messages == 0
    assert (
        reached[Action.DELEGATE].other_subjects_require
        == "leads and period_given and target_in_unit and not target_is_self"
    )
    assert reached[Action.LIST].requires == "nothing or strong_auth"
    assert reached[Action.LIST].other_subjects_require is None


def test_what_can_shows_at_most_20_message_ids(town: Town, the_policy: Policy) -> None:
    lise = town.capacity("lise", Role.LEADER, "bv")
    messages = sorted(town.message().id for _ in range(23))

    (listing,) = [
        each
        for each in what_can(town.session, the_policy, NOW, person=PersonId("lise"), asker=lise)
        if each.action is Action.LIST
    ]

    assert (listing.messages, list(listing.shown_ids)) == (23, messages[:20])


def test_what_can_shows_ids_of_the_list_of_the_asker_not_of_the_person(
    town: Town, the_policy: Policy
) -> None:
    """Both are asked in one statement, each with the own values; on another day, too."""
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    lise = town.capacity("lise", Role.LEADER, "bv")
    town.capacity("leo", Role.LEADER, "ppt")
    there, _ = town.message(), town.message(unit="ppt")
    both = [town.message(MessageState.ROUTED, unit=unit).id for unit in ("bv", "ppt")]

    def shown(person: str, asker: Capacity, on: datetime | None) -> tuple[int, set[str]]:
        (routed,) = [
            each
            for each in what_can(
                town.session, the_policy, NOW, person=PersonId(person), asker=asker, on=on
            )
            if each.action is Action.ROUTE
        ]
        return routed.messages, set(routed.shown_ids)

    assert shown("ada", lise, None) == (4, {there.id, both[0]})
    assert shown("ada", lise, NOW - timedelta(days=1)) == (4, {there.id, both[0]})
    assert shown("ada", ada, None) == (4, set())


def test_who_can_reports_the_capacity_and_the_requirements_of_the_basis(
    town: Town, session: Session
) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    message = MessageId(town.message().id)
    rules = (
        allow("A01", "list", "handler", "in_unit and reason_given"),
        allow("A02", "list", "handler", "in_unit and strong_auth"),
    )

    (able,) = who_can(
        session,
        Policy(rules, facts=FACTS, digest="d"),
        NOW,
        action=Action.LIST,
        message_id=message,
    )

    assert (able.capacity, able.person, able.unit, able.role) == (
        *(kari.id, "kari", "bv"),
        Role.HANDLER,
    )
    assert (able.rules, able.requires) == (("A01", "A02"), "reason_given")


def test_who_can_leaves_out_capacities_of_a_closed_unit(town: Town, session: Session) -> None:
    town.capacity("kari", Role.HANDLER, "ppt")
    town.session.get_one(Unit, "ppt").active_until = NOW
    message = MessageId(town.message().id)
    loose = Policy([allow("A01", "list", "handler", "always")], facts=FACTS, digest="d")

    assert who_can(session, loose, NOW, action=Action.LIST, message_id=message) == ()


def test_who_can_with_a_target_leaves_out_the_target_when_self_is_denied(
    town: Town, session: Session
) -> None:
    for person in ("lise", "leo"):
        town.capacity(person, Role.LEADER, "bv")
    message = MessageId(town.message().id)
    rules = allow("A01", "assign", "leader", "leads"), deny("D01", "assign", "*", "target_is_self")

    able = who_can(
        session,
        Policy(rules, facts=FACTS, digest="d"),
        NOW,
        action=Action.ASSIGN,
        message_id=message,
        target=PersonId("lise"),
    )

    assert [each.person for each in able] == ["leo"]


def test_who_can_with_a_deny_of_always_is_empty_and_of_not_always_unaffected(
    town: Town, session: Session
) -> None:
    town.capacity("kari", Role.HANDLER, "bv")
    message = MessageId(town.message().id)

    def told(denied: str) -> int:
        rules = allow("A01", "list", "handler", "in_unit"), deny("D01", "list", "*", denied)
        policy = Policy(rules, facts=FACTS, digest=denied)
        return len(who_can(session, policy, NOW, action=Action.LIST, message_id=message))

    assert (told("always"), told("not always")) == (0, 1)


def test_what_can_on_a_date_uses_the_periods_of_that_date(town: Town, the_policy: Policy) -> None:
    town.capacity("kari", Role.HANDLER, "bv")
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    town.assign(town.message(), "kari", until=NOW)

    def opened(on: datetime | None) -> list[int]:
        reached = what_can(town.session, the_policy, NOW, person=PersonId("kari"), asker=ada, on=on)
        return [each.messages for each in reached if each.action is Action.OPEN]

    assert opened(None) == []
    assert opened(NOW - timedelta(days=1)) == [1]


def test_facts_supplied_by_the_request_are_the_set_listed_in_this_test() -> None:
    assert SUPPLIED_FACTS == BROUGHT


def test_who_can_requirements_avoid_denies_that_depend_on_the_request(
    town: Town, session: Session
) -> None:
    town.capacity("kari", Role.HANDLER, "bv")
    message = town.message()
    policy = Policy(
        [
            allow("A01", "open", "handler", "(in_unit and reason_given) or waivable"),
            deny("D01", "open", "*", "strong_auth or (waivable and period_given)"),
        ],
        facts=FACTS,
        digest="d",
    )

    (able,) = who_can(session, policy, NOW, action=Action.OPEN, message_id=MessageId(message.id))

    assert able.requires == (
        "reason_given and not period_given and not strong_auth"
        " or reason_given and not strong_auth and not waivable"
        " or waivable and not period_given and not strong_auth"
    )


def test_explain_assumes_every_request_fact_but_no_target(town: Town, session: Session) -> None:
    flags = ["reason_given", "reference_given", "period_given", "waivable", "same_documents"]
    when = " and ".join([*flags, "not target_is_self", "not target_in_unit"])
    policy = Policy([allow("A01", "open", "handler", when)], facts=FACTS, digest="d")

    told = explain_decision(
        session,
        policy,
        NOW,
        capacity=town.capacity("kari", Role.HANDLER, "bv"),
        action=Action.OPEN,
        subject=OfMessage(message_id=MessageId(town.message().id)),
    )

    assert told.decision.allowed
    assert {name for name, held in told.facts.items() if held} == set(flags)


def test_who_can_does_not_multiply_ways_by_denies_that_rows_decide(
    town: Town, session: Session
) -> None:
    """Eleven of two facts each: two to the eleventh ways, were they taken apart."""
    town.capacity("kari", Role.HANDLER, "bv")
    message = town.message()
    denies = [
        deny(f"D{number:02}", "open", "*", "quarantined and returned") for number in range(1, 12)
    ]
    policy = Policy([allow("A01", "open", "handler", "always"), *denies], facts=FACTS, digest="d")

    (able,) = who_can(session, policy, NOW, action=Action.OPEN, message_id=MessageId(message.id))

    assert (able.rules, able.requires) == (("A01",), "")


def test_who_can_with_too_many_ways_is_refused(town: Town, session: Session) -> None:
    message = MessageId(town.message().id)
    denies = [
        deny(f"D{number:02}", "open", "*", "waivable and period_given") for number in range(1, 12)
    ]
    policy = Policy([allow("A01", "open", "handler", "always"), *denies], facts=FACTS, digest="d")

    with pytest.raises(PolicyError, match="2048 ways of fulfilling it; allowed: 1024"):
        who_can(session, policy, NOW, action=Action.OPEN, message_id=message)


def test_what_can_leaves_out_an_action_denied_by_a_fact_of_the_capacity(
    town: Town, session: Session
) -> None:
    asker = town.capacity("rune", Role.OPERATOR, "arkiv")
    allowing = allow("A01", "operate", "operator", "always")
    denying = deny("D01", "operate", "*", "active_capacity")

    said = [
        [
            each.action
            for each in what_can(
                session,
                Policy(rules, facts=FACTS, digest="d"),
                NOW,
                person=PersonId("rune"),
                asker=asker,
            )
        ]
        for rules in ([allowing], [allowing, denying])
    ]

    assert said == [[Action.OPERATE], []]


def test_capacities_of_a_person_exclude_others_and_have_strong_sign_in(
    town: Town, session: Session
) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv", strong_auth=True)
    town.capacity("ola", Role.HANDLER, "bv")

    assert active_capacities_of(session, NOW, "kari") == (kari,)
